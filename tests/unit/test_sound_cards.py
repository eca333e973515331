"""Which device is meant, what happens when PortAudio hangs, and when a stream counts as lost."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.errors import DeviceError
from samantha_desktop.devices import live_stream, sound_cards
from samantha_desktop.devices.live_stream import LiveStream
from samantha_desktop.devices.ring import SampleRing
from samantha_desktop.devices.sound_cards import CardStream, SoundDevice, choose_device


def device(
    index: int, name: str, *, api: str = "MME", is_preferred: bool = False, is_default: bool = False
) -> SoundDevice:
    return SoundDevice(
        index=index,
        name=name,
        host_api=api,
        n_inputs=1,
        n_outputs=0,
        default_rate_hz=48_000,
        is_default_host_api=is_preferred,
        is_default_input=is_default,
        is_default_output=False,
    )


DEVICES = [
    device(0, "Webcam Mic"),
    device(1, "Headset"),
    device(2, "Headset Pro", api="WASAPI", is_preferred=True),
    device(3, "Webcam Mic", api="WASAPI", is_preferred=True, is_default=True),
]


# ----------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "index"),
    [("", 3), ("webcam", 3), ("WEBCAM MIC", 3), ("headset", 1), ("head", 2), ("pro", 2)],
)
def test_a_part_of_the_name_finds_the_device(name: str, index: int) -> None:
    assert choose_device(DEVICES, name, "input").index == index


def test_without_a_default_the_first_is_taken() -> None:
    assert choose_device(DEVICES[:2], "", "input").index == 0


def test_who_is_not_there_is_answered_with_who_is() -> None:
    with pytest.raises(DeviceError, match="no microphone called “Blue”") as caught:
        choose_device(DEVICES, "Blue", "input")
    assert caught.value.recovery == "Choose one of: Webcam Mic, Headset, Headset Pro."
    with pytest.raises(DeviceError, match=r"No speaker was found\."):
        choose_device(DEVICES, "", "output")


def test_without_portaudio_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    really_import = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return really_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeviceError, match=r"not installed\. Install it: .*libportaudio2"):
        sound_cards.list_devices()


# --------------------------------------------------------------------- hanging


class HangingStream:
    """What PortAudio's ALSA stream becomes when its device dies before its first block."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def abort(self) -> None:
        self.release.wait()

    def close(self) -> None:
        pass


def test_a_stream_that_never_ends_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    unregistered: list[object] = []
    monkeypatch.setattr(atexit, "unregister", unregistered.append)
    monkeypatch.setattr(sound_cards, "CLOSING_S", 0.01)
    monkeypatch.setattr(sound_cards, "_is_stuck", threading.Event())
    raw = HangingStream()
    stream = CardStream(raw, lambda: False)
    sound_cards._open_streams.append(stream)
    try:
        stream.close()
        assert len(unregistered) == 1  # or the interpreter would wait at its end
        for attempt in (
            sound_cards.rescan,
            lambda: sound_cards.open_stream("", "input", lambda _: raw, lambda: False),
        ):
            with pytest.raises(DeviceError, match=r"does not answer any more.*open her again"):
                attempt()
    finally:
        raw.release.set()


# ----------------------------------------------------------------------- losing


class Stage:
    """A clock, and devices that are there or not."""

    def __init__(self) -> None:
        self.now = 10.0
        self.is_there = True
        self.opened_at: list[float] = []
        self.attempts_at: list[float] = []
        self.stream = LiveStream(
            "Headset",
            "input",
            lambda _: None,  # type: ignore[arg-type, return-value]
            is_playing=lambda: False,
            clock=lambda: self.now,
            give_up_s=5.0,
        )

    def open_stream(self, *_: object) -> CardStream:
        self.attempts_at.append(self.now)
        if not self.is_there:
            raise DeviceError("gone")
        self.opened_at.append(self.now)
        stream = CardStream(FakeRaw(), lambda: False)
        sound_cards._open_streams.append(stream)
        return stream

    def run(self, duration_s: float, *, is_called: bool, step_s: float = 0.02) -> list[bool]:
        """Look every step; the device calls back, or does not."""
        looks = []
        for _ in range(round(duration_s / step_s)):
            self.now += step_s
            if is_called:
                self.stream.called()
            looks.append(self.stream.tend())
        return looks


class FakeRaw:
    def abort(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage()
    monkeypatch.setattr(live_stream, "open_stream", stage.open_stream)
    stage.stream.open()
    yield stage
    stage.stream.close()


def test_a_stream_that_is_called_is_left_alone(stage: Stage) -> None:
    assert all(stage.run(3.0, is_called=True))
    assert stage.opened_at == [10.0]


def test_a_stream_that_is_not_called_is_opened_again(stage: Stage) -> None:
    stage.run(1.0, is_called=True)
    stage.run(0.6, is_called=False)
    assert stage.opened_at == pytest.approx([10.0, 11.5], abs=0.05)
    assert stage.run(1.0, is_called=True)[-1]
    assert len(stage.opened_at) == 2


def test_a_stream_that_ended_is_opened_at_once(stage: Stage) -> None:
    stage.run(1.0, is_called=True)
    stage.stream.ended()
    stage.run(0.1, is_called=True)
    assert stage.opened_at == pytest.approx([10.0, 11.02])


def test_a_stream_that_someone_else_closed_is_opened_again(stage: Stage) -> None:
    stage.run(1.0, is_called=True)
    for stream in tuple(sound_cards._open_streams):
        stream.close()
    stage.run(0.1, is_called=True)
    assert len(stage.opened_at) == 2


def test_time_in_which_nobody_looked_is_not_held_against_it(stage: Stage) -> None:
    stage.run(1.0, is_called=True)
    stage.now += 60.0  # the process was stopped, or the lid was shut
    assert stage.stream.tend()
    assert stage.opened_at == [10.0]


def test_looking_for_it_grows_slower_and_ends(stage: Stage) -> None:
    stage.run(1.0, is_called=True)
    stage.is_there = False
    stage.stream.ended()
    with pytest.raises(DeviceError, match="“Headset” was disconnected"):
        stage.run(20.0, is_called=False)
    assert stage.now == pytest.approx(11.0 + 5.0, abs=0.1)
    waits = np.diff(stage.attempts_at[1:])
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6], abs=0.03)
    stage.is_there = True
    stage.now += 2.0
    assert not stage.stream.tend()  # open again; what counts is that it is called
    assert stage.run(0.1, is_called=True) == [True] * 5


def test_one_that_opens_and_dies_every_time_is_not_hammered(stage: Stage) -> None:
    def keep_dying() -> None:
        while True:
            stage.now += 0.02
            stage.stream.ended()
            stage.stream.tend()

    with pytest.raises(DeviceError, match="disconnected"):
        keep_dying()
    assert len(stage.attempts_at) < 10


def test_what_cannot_be_mended_is_told_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(*_: object) -> CardStream:
        raise DeviceError("stuck", is_fatal=True)

    monkeypatch.setattr(live_stream, "open_stream", stuck)
    stage.stream.ended()
    with pytest.raises(DeviceError, match="stuck"):
        stage.stream.tend()


# ------------------------------------------------------------------------ ring


def counting(start: int, n_samples: int) -> np.ndarray:
    return np.arange(start, start + n_samples, dtype=np.float32)


def test_a_ring_gives_back_what_was_pushed() -> None:
    ring = SampleRing(10)
    out = np.zeros(7, dtype=np.float32)
    for start in range(0, 70, 7):
        assert ring.n_free == 10
        ring.push(counting(start, 7))
        assert ring.n_waiting == 7
        assert ring.pull_into(out) == 7
        assert out.tolist() == counting(start, 7).tolist()
    assert ring.pull_into(out) == 0


def test_an_overrun_ring_loses_the_oldest_and_says_how_many() -> None:
    ring = SampleRing(80)
    for start in range(0, 200, 20):
        ring.push(counting(start, 20))
    taken = ring.pull_newest(20)
    assert taken is not None
    pcm, position = taken
    assert position == 200 - 80 + 10  # clear of what is being written just now
    assert pcm.tolist() == counting(position, 20).tolist()
    following = ring.pull_newest(50)
    assert following is not None
    assert following[1] == position + 20
    assert ring.pull_newest(1) is None


def test_a_ring_between_two_threads_gives_everything_in_order() -> None:
    ring = SampleRing(1000)
    n_total = 20_000

    def push_all() -> None:
        position = 0
        while position < n_total:
            if ring.n_free >= 100:
                ring.push(counting(position % 10_000, 100))
                position += 100
            else:
                time.sleep(0)  # let the other thread have its turn

    pusher = threading.Thread(target=push_all)
    pusher.start()
    out = np.zeros(70, dtype=np.float32)
    n_pulled = 0
    while n_pulled < n_total:
        if (n_new := ring.pull_into(out)) == 0:
            time.sleep(0)
        expected = (np.arange(n_pulled, n_pulled + n_new) % 10_000).astype(np.float32)
        assert np.array_equal(out[:n_new], expected)
        n_pulled += n_new
    pusher.join()

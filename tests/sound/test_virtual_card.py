"""The microphone and the speaker, on a sound card that can be pulled out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from virtual_sound import SPEAKER_RATE_HZ, VirtualCard, matching_part, share_heard

from samantha_desktop.core.audio import rms
from samantha_desktop.core.errors import DeviceError
from samantha_desktop.core.ports import FRAME_SAMPLES, SPEECH_SAMPLE_RATE_HZ, AudioFrame, Pcm
from samantha_desktop.devices import microphone, sound_cards, speaker
from samantha_desktop.devices.microphone import MicrophoneSource
from samantha_desktop.devices.sound_cards import SoundDevice
from samantha_desktop.devices.speaker import SpeakerSink

pytest_plugins = ("virtual_sound_fixtures",)
pytestmark = pytest.mark.sound

PATIENCE_S = 30.0
"""For what takes a fraction of a second on an idle machine."""


@contextmanager
def started(device: MicrophoneSource | SpeakerSink) -> Iterator[None]:
    device.start()
    try:
        yield
    finally:
        device.stop()


def chirp(duration_s: float, sample_rate_hz: int) -> Pcm:
    """A sweep that resembles itself at one place only."""
    t = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    phase = 2 * np.pi * (200.0 * t + (3000.0 - 200.0) / (2 * duration_s) * t**2)
    return (0.4 * np.sin(phase)).astype(np.float32)


def listen(source: MicrophoneSource, is_enough: Callable[[list[AudioFrame]], bool]) -> Pcm:
    """Read until it is enough; the frames' positions never go back."""
    frames: list[AudioFrame] = []
    deadline = time.monotonic() + PATIENCE_S
    while not is_enough(frames):
        assert time.monotonic() < deadline, f"only {len(frames)} frames came"
        frame = source.read(0.1)
        if frame is not None:
            assert not frames or frame.start_sample >= frames[-1].start_sample + FRAME_SAMPLES
            frames.append(frame)
    return np.concatenate([frame.pcm for frame in frames])


def has_heard(said: Pcm) -> Callable[[list[AudioFrame]], bool]:
    """Something as long as what was said, from its first sound on, has come."""

    def is_enough(frames: list[AudioFrame]) -> bool:
        loud = [i for i, frame in enumerate(frames) if rms(frame.pcm) > 0.05]
        return bool(loud) and (len(frames) - loud[0] - 2) * FRAME_SAMPLES > said.size

    return is_enough


def best_of(attempt: Callable[[], float], enough: float, n_attempts: int = 4) -> float:
    """The best of a few, and no more than needed: a loaded machine may let a card run dry."""
    best = 0.0
    for _ in range(n_attempts):
        if (best := max(best, attempt())) >= enough:
            break
    return best


def hears_again(card: VirtualCard, source: MicrophoneSource) -> None:
    """What is said now arrives, once the microphone is there again."""
    said = chirp(0.5, SPEECH_SAMPLE_RATE_HZ)

    def attempt() -> float:
        listen(source, lambda frames: len(frames) > 3)
        with card.playing_into_microphone(said):
            return share_heard(listen(source, has_heard(said)), said)

    assert best_of(attempt, enough=0.8) >= 0.8


def insisting_on(rate_hz: int, n_channels: int) -> Callable[..., tuple[int, int]]:
    """`choose_format` on a card that takes nothing else."""
    return lambda *_: (rate_hz, n_channels)


# ------------------------------------------------------------------- exactness


@pytest.mark.parametrize(("rate_hz", "n_channels"), [(16_000, 1), (44_100, 2), (48_000, 1)])
def test_microphone_hears_what_was_said(
    virtual_card: VirtualCard, monkeypatch: pytest.MonkeyPatch, rate_hz: int, n_channels: int
) -> None:
    monkeypatch.setattr(microphone, "choose_format", insisting_on(rate_hz, n_channels))
    said = chirp(1.0, SPEECH_SAMPLE_RATE_HZ)
    source = MicrophoneSource()

    def attempt() -> float:
        with started(source), virtual_card.playing_into_microphone(said):
            heard = listen(source, has_heard(said))
        correlation, position = matching_part(heard, said)
        assert np.abs(heard[position : position + said.size]).max() == pytest.approx(0.4, abs=0.03)
        return correlation

    assert best_of(attempt, enough=0.99) >= 0.99


@pytest.mark.parametrize(("rate_hz", "n_channels"), [(24_000, 1), (48_000, 2), (44_100, 1)])
def test_speaker_plays_what_was_written(
    virtual_card: VirtualCard, monkeypatch: pytest.MonkeyPatch, rate_hz: int, n_channels: int
) -> None:
    monkeypatch.setattr(speaker, "choose_format", insisting_on(rate_hz, n_channels))
    spoken = chirp(1.5, SPEAKER_RATE_HZ)  # longer than the queue
    sink = SpeakerSink()

    def attempt() -> float:
        with virtual_card.record_speaker() as recording, started(sink):
            assert sink.write(spoken, SPEAKER_RATE_HZ) == spoken.size
        correlation, position = matching_part(recording.pcm, spoken)
        is_whole = recording.pcm.size >= position + spoken.size  # its end, too
        return correlation if is_whole else 0.0

    assert best_of(attempt, enough=0.99) >= 0.99


def test_flush_silences_at_once_and_the_next_answer_is_whole(virtual_card: VirtualCard) -> None:
    first = np.full(SPEAKER_RATE_HZ * 9 // 10, 0.2, dtype=np.float32)
    second = chirp(0.5, SPEAKER_RATE_HZ)
    sink = SpeakerSink()
    with virtual_card.record_speaker() as recording, started(sink):
        sink.write(first, SPEAKER_RATE_HZ)
        discarded_s = sink.flush()
        assert sink.pending_s() == 0.0
        sink.write(second, SPEAKER_RATE_HZ)
    assert discarded_s > 0.3
    n_heard = int(np.count_nonzero(np.abs(recording.pcm - 0.2) < 0.01))
    assert n_heard / SPEAKER_RATE_HZ <= 0.9 - discarded_s + 0.1
    assert share_heard(recording.pcm, second) >= 0.8


# ------------------------------------------------------------------ unplugging


def test_microphone_survives_being_unplugged(virtual_card: VirtualCard) -> None:
    source = MicrophoneSource(zeros_s=0.3)
    with started(source):
        hears_again(virtual_card, source)
        virtual_card.unplug_microphone()  # the stream is moved to the speaker's monitor
        listen(source, lambda frames: len(frames) > 20)
        virtual_card.plug_in_microphone()
        virtual_card.pactl("set-default-source", "mic")
        deadline = time.monotonic() + PATIENCE_S
        while not is_recording_from(virtual_card, "mic"):
            assert time.monotonic() < deadline
            source.read(0.05)
        hears_again(virtual_card, source)


def is_recording_from(card: VirtualCard, source_name: str) -> bool:
    """Whether a PortAudio stream is connected to that source."""
    numbers = {
        name: number
        for number, name in (
            line.split("\t")[:2] for line in card.pactl("list", "short", "sources").splitlines()
        )
    }
    outputs = card.pactl("list", "short", "source-outputs").splitlines()
    return any(
        line.split("\t")[1] == numbers.get(source_name)
        for line in outputs
        if "protocol-native" in line
    )


def test_devices_that_fall_asleep_are_woken(virtual_card: VirtualCard) -> None:
    source, sink = MicrophoneSource(), SpeakerSink()
    spoken = chirp(0.5, SPEAKER_RATE_HZ)
    with started(source), started(sink):
        hears_again(virtual_card, source)
        with virtual_card.asleep():
            while source.read(0.2) is not None:
                pass
        hears_again(virtual_card, source)
        with virtual_card.record_speaker() as recording:
            sink.write(spoken, SPEAKER_RATE_HZ)
            sink.drain()
    assert share_heard(recording.pcm, spoken) >= 0.8


def test_time_without_the_sound_server_is_a_gap(virtual_card: VirtualCard) -> None:
    source = MicrophoneSource()
    with started(source):
        listen(source, lambda frames: len(frames) > 5)
        virtual_card.kill()
        while source.read(0.3) is not None:
            pass
        virtual_card.start()
        before = source._next_start
        hears_again(virtual_card, source)
        frame = source.read(PATIENCE_S)
    assert frame is not None
    assert frame.start_sample > before + 0.3 * SPEECH_SAMPLE_RATE_HZ


def test_speech_goes_on_after_the_sound_server_died(virtual_card: VirtualCard) -> None:
    """With the microphone open beside it: renewing one must not lose the other."""
    spoken = chirp(3.0, SPEAKER_RATE_HZ)
    rest = spoken[SPEAKER_RATE_HZ * 2 :]
    source, sink = MicrophoneSource(), SpeakerSink()
    with started(source), started(sink):
        listen(source, lambda frames: len(frames) > 3)
        sink.write(spoken[: rest.size], SPEAKER_RATE_HZ)
        virtual_card.kill()
        virtual_card.start()
        with virtual_card.record_speaker() as recording:
            sink.write(rest, SPEAKER_RATE_HZ)
            sink.drain()
        hears_again(virtual_card, source)
    assert share_heard(recording.pcm, rest) >= 0.8


def test_speech_goes_on_when_the_speaker_is_plugged_in_again(virtual_card: VirtualCard) -> None:
    sink = SpeakerSink()
    spoken = chirp(0.8, SPEAKER_RATE_HZ)
    with started(sink):
        virtual_card.unplug_speaker()
        while sink._live.tend():
            time.sleep(0.01)
        assert sink.write(spoken, SPEAKER_RATE_HZ) == spoken.size  # waits in the queue
        virtual_card.plug_in_speaker()
        with virtual_card.record_speaker() as recording:
            sink.drain()
    assert share_heard(recording.pcm, spoken) >= 0.8


def test_who_never_comes_back_is_given_up(virtual_card: VirtualCard) -> None:
    source, sink = MicrophoneSource(give_up_s=0.3), SpeakerSink(give_up_s=0.3)
    with started(source), started(sink):
        listen(source, lambda frames: len(frames) > 3)
        virtual_card.kill()
        with pytest.raises(DeviceError, match=r"microphone was disconnected.*Plug it in"):
            listen(source, lambda frames: False)
        with pytest.raises(DeviceError, match=r"speaker was disconnected.*Plug it in"):
            sink.write(chirp(5.0, SPEAKER_RATE_HZ), SPEAKER_RATE_HZ)
        virtual_card.start()
        listen(source, lambda frames: len(frames) > 3)  # and is taken back when it does


# ----------------------------------------------------------------------- names


def test_devices_are_found_by_a_part_of_their_name(virtual_card: VirtualCard) -> None:
    devices = sound_cards.list_devices()
    assert {device.name for device in devices} >= {"pulse", "default"}
    assert sound_cards.find_device("PUL", "input").name == "pulse"
    assert sound_cards.find_device("", "output").is_default_output
    with pytest.raises(DeviceError, match=r"no speaker called “Gramophone”.*pulse, default"):
        SpeakerSink("Gramophone").start()
    source = MicrophoneSource("pulse")
    with started(source):
        listen(source, lambda frames: len(frames) > 3)


def test_without_a_sound_server_there_are_no_devices(silent_machine: VirtualCard) -> None:
    assert sound_cards.list_devices() == []
    with pytest.raises(DeviceError, match=r"No microphone was found.*Plug one in"):
        MicrophoneSource().start()
    with pytest.raises(DeviceError, match=r"No speaker was found.*Plug one in"):
        SpeakerSink().start()


def test_a_server_started_later_is_found(silent_machine: VirtualCard) -> None:
    silent_machine.start()
    source = MicrophoneSource()
    with started(source):
        hears_again(silent_machine, source)


def test_a_device_that_cannot_be_opened_says_so(
    virtual_card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed_and_dead(name: str, kind: sound_cards.Kind) -> SoundDevice:
        return SoundDevice(99, "Broken", "ALSA", 1, 1, 16_000, True, True, True)

    monkeypatch.setattr(sound_cards, "find_device", listed_and_dead)
    with pytest.raises(DeviceError, match=r"“Broken” could not be opened.*no other program"):
        MicrophoneSource().start()

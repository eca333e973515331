"""The microphone and the speaker on a PortAudio that does what the test says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.errors import DeviceError
from samantha_desktop.core.ports import FRAME_SAMPLES, AudioFrame, Pcm
from samantha_desktop.devices import sound_cards
from samantha_desktop.devices.microphone import MicrophoneSource
from samantha_desktop.devices.speaker import SpeakerSink


class FakeStream:
    def __init__(self, machine: FakeMachine, arguments: dict[str, Any]) -> None:
        self.machine = machine
        self.arguments = arguments
        self.is_running = False
        self.n_blocks = arguments["blocksize"]

    def start(self) -> None:
        self.is_running = True

    def abort(self) -> None:
        if self.is_running:
            self.is_running = False
            self.arguments["finished_callback"]()

    def close(self) -> None:
        self.abort()

    def capture(self, samples: Pcm, status: bool = False) -> None:
        """The card delivers mono samples in blocks, on every channel."""
        n_block = self.arguments["blocksize"]
        assert samples.size % n_block == 0
        for position in range(0, samples.size, n_block):
            block = samples[position : position + n_block, None]
            channels = np.repeat(block, self.arguments["channels"], axis=1)
            self.arguments["callback"](channels, n_block, None, status)

    def play(self, n_blocks: int, status: bool = False, delay_s: float = 0.0) -> Pcm:
        """The card asks for so many blocks; returns (n_samples, n_channels)."""
        n_block = self.arguments["blocksize"]
        times = SimpleNamespace(outputBufferDacTime=5.0 + delay_s, currentTime=5.0)
        blocks = []
        for _ in range(n_blocks):
            block = np.full((n_block, self.arguments["channels"]), 9.0, dtype=np.float32)
            self.arguments["callback"](block, n_block, times, status)
            blocks.append(block)
        return np.concatenate(blocks)


class FakeMachine:
    """Stands in for the sounddevice module, and is the clock."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self) -> None:
        self.now = 20.0
        self.rates_hz = {16_000, 24_000, 48_000}
        self.channels = {1, 2}
        self.is_plugged = True
        self.n_rescans = 0
        self.streams: list[FakeStream] = []
        self.on_sleep: Callable[[], object] = lambda: None
        self.default = SimpleNamespace(hostapi=0, device=(0, 0))

    def clock(self) -> float:
        return self.now

    def sleep(self, duration_s: float) -> None:
        self.now += duration_s
        self.on_sleep()

    def query_hostapis(self) -> list[dict[str, object]]:
        return [{"name": "ALSA"}]

    def query_devices(self) -> list[dict[str, object]]:
        card = {
            "index": 0,
            "name": "Card",
            "hostapi": 0,
            "max_input_channels": max(self.channels),
            "max_output_channels": max(self.channels),
            "default_samplerate": 48_000.0,
        }
        return [card] if self.is_plugged else []

    def check_input_settings(self, *, channels: int, samplerate: int, **_: object) -> None:
        if samplerate not in self.rates_hz or channels not in self.channels:
            raise self.PortAudioError("not with me")

    check_output_settings = check_input_settings

    def InputStream(self, **arguments: Any) -> FakeStream:  # noqa: N802
        self.streams.append(FakeStream(self, arguments))
        return self.streams[-1]

    OutputStream = InputStream

    def _terminate(self) -> None:
        self.n_rescans += 1

    def _initialize(self) -> None:
        pass


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    machine = FakeMachine()
    monkeypatch.setitem(sys.modules, "sounddevice", machine)  # type: ignore[arg-type]
    monkeypatch.setattr(sound_cards, "_open_streams", [])
    return machine


def microphone(machine: FakeMachine, **options: float) -> MicrophoneSource:
    source = MicrophoneSource(clock=machine.clock, sleep=machine.sleep, **options)
    source.start()
    return source


def speaker(machine: FakeMachine, **options: float) -> SpeakerSink:
    sink = SpeakerSink(clock=machine.clock, sleep=machine.sleep, **options)
    sink.start()
    return sink


def counting(start: int, n_samples: int) -> Pcm:
    """Every sample tells its position."""
    return (np.arange(start, start + n_samples) / 100_000).astype(np.float32)


def read_waiting(source: MicrophoneSource) -> list[AudioFrame]:
    frames = []
    while (frame := source.read(0.0)) is not None:
        frames.append(frame)
    return frames


# ------------------------------------------------------------------ microphone


@pytest.mark.parametrize(
    ("rates_hz", "channels", "chosen"),
    [
        ({16_000, 48_000}, {1, 2}, (16_000, 1)),
        ({48_000}, {1, 2}, (48_000, 1)),
        ({48_000}, {2}, (48_000, 2)),
        ({48_000}, {6}, (48_000, 6)),
    ],
)
def test_microphone_takes_what_the_card_gives(
    machine: FakeMachine, rates_hz: set[int], channels: set[int], chosen: tuple[int, int]
) -> None:
    machine.rates_hz, machine.channels = rates_hz, channels
    source = microphone(machine)
    (stream,) = machine.streams
    assert (stream.arguments["samplerate"], stream.arguments["channels"]) == chosen
    assert stream.arguments["blocksize"] == chosen[0] // 50
    stream.capture(np.full(chosen[0], 0.25, dtype=np.float32))
    frames = read_waiting(source)
    assert len(frames) in {30, 31}  # a resampler holds a little back
    assert frames[10].pcm == pytest.approx(np.full(FRAME_SAMPLES, 0.25), abs=0.001)
    source.stop()
    assert not stream.is_running


def test_a_card_that_takes_nothing_cannot_be_opened(machine: FakeMachine) -> None:
    machine.rates_hz = set()
    with pytest.raises(DeviceError, match="“Card” could not be opened"):
        microphone(machine)


def test_a_reader_that_falls_behind_sees_a_gap(machine: FakeMachine) -> None:
    source = microphone(machine)
    (stream,) = machine.streams
    stream.capture(counting(0, 16_000))
    first = source.read(0.0)
    assert first is not None
    stream.capture(counting(16_000, 48_000))
    frames = read_waiting(source)
    starts = [first.start_sample, *(frame.start_sample for frame in frames)]
    jumps = np.diff(starts)
    (gap,) = [jump for jump in jumps if jump != FRAME_SAMPLES]
    assert gap >= 48_000 - 2 * 16_000
    for frame in frames:  # each lies where it says
        assert frame.pcm == pytest.approx(counting(frame.start_sample, FRAME_SAMPLES), abs=1e-6)
    assert frames[-1].start_sample > 64_000 - 2 * FRAME_SAMPLES


def test_what_portaudio_lost_is_counted(machine: FakeMachine) -> None:
    source = microphone(machine)
    machine.streams[0].capture(counting(0, 320), status=True)
    machine.streams[0].capture(counting(320, 320))
    assert source.dropped_frames == 1


def test_time_away_is_a_gap_and_what_was_heard_before_is_kept(machine: FakeMachine) -> None:
    source = microphone(machine)
    for block in range(50):
        machine.now += 0.02
        machine.streams[0].capture(counting(block * 320, 320))
    machine.is_plugged = False
    machine.streams[0].abort()
    frames = read_waiting(source)
    assert frames[-1].start_sample == 30 * FRAME_SAMPLES
    assert source.read(1.0) is None
    assert len(machine.streams) == 1
    assert machine.n_rescans > 0
    machine.is_plugged = True
    machine.rates_hz = {48_000}  # another card in its place
    assert source.read(2.0) is None
    assert len(machine.streams) == 2
    assert 21.0 < machine.now < 24.1
    opened_at = source._live.called_at
    machine.streams[1].capture(np.full(48_000, 0.25, dtype=np.float32))
    (frame, *_) = read_waiting(source)
    assert frame.start_sample == pytest.approx((opened_at - 20.0) * 16_000, abs=2)
    source.stop()


def test_nothing_but_zeros_has_it_opened_anew_ever_more_rarely(machine: FakeMachine) -> None:
    source = microphone(machine, zeros_s=1.0)
    zeros = np.zeros(320, dtype=np.float32)
    opened_at = []
    for _ in range(1000):
        machine.now += 0.02
        machine.streams[-1].capture(zeros)
        n_streams = len(machine.streams)
        source.read(0.0)
        if len(machine.streams) > n_streams:
            opened_at.append(machine.now - 20.0)
    assert opened_at == pytest.approx([1.0, 3.0, 7.0, 15.0], abs=0.2)
    machine.streams[-1].capture(zeros + np.float32(0.001))
    source.read(0.0)
    assert source._zeros_limit_s == 1.0


# --------------------------------------------------------------------- speaker


def test_speaker_plays_on_every_channel_and_fills_with_silence(machine: FakeMachine) -> None:
    machine.rates_hz, machine.channels = {48_000}, {2}
    sink = speaker(machine)
    (stream,) = machine.streams
    assert sink.sample_rate_hz == 48_000
    sink.write(counting(0, 1000), 48_000)
    played = stream.play(2)
    assert played.shape == (1920, 2)
    assert np.array_equal(played[:1000, 0], counting(0, 1000))
    assert np.array_equal(played[:, 0], played[:, 1])
    assert not played[1000:].any()


def test_what_the_card_holds_is_not_heard_yet(machine: FakeMachine) -> None:
    sink = speaker(machine)
    sink.write(counting(0, 960), 24_000)
    assert sink.pending_s() == pytest.approx(0.04)
    machine.streams[0].play(1, delay_s=0.06)
    assert sink.pending_s() == pytest.approx(0.02 + 0.06 + 0.02)
    machine.streams[0].play(5, delay_s=0.06)
    assert sink.pending_s() == pytest.approx(0.06 + 0.02)
    sink.drain()
    assert machine.now == pytest.approx(20.08)
    assert sink.pending_s() == 0.0


def test_flush_cuts_the_stream_off_and_starts_it_again(machine: FakeMachine) -> None:
    sink = speaker(machine)
    (stream,) = machine.streams
    sink.write(counting(0, 9600), 24_000)
    stream.play(1, delay_s=0.06)
    assert sink.flush() == pytest.approx(0.38 + 0.06 + 0.02)
    assert stream.is_running
    assert not stream.play(3).any()
    assert sink.write(counting(0, 480), 24_000) == 480
    assert np.array_equal(stream.play(1)[:, 0], counting(0, 480))
    assert len(machine.streams) == 1


def test_running_dry_is_counted(machine: FakeMachine) -> None:
    sink = speaker(machine)
    machine.streams[0].play(1, status=True)
    assert sink.dropped_frames == 1


def test_what_is_queued_goes_on_on_another_card(machine: FakeMachine) -> None:
    sink = speaker(machine)
    sink.write(np.full(12_000, 0.25, dtype=np.float32), 24_000)
    machine.streams[0].play(5)
    machine.streams[0].abort()
    machine.rates_hz = {48_000}
    sink.write(np.full(2400, 0.25, dtype=np.float32), 24_000)
    assert len(machine.streams) == 2
    played: list[Pcm] = []
    machine.on_sleep = lambda: played.append(machine.streams[1].play(1))
    sink.drain()
    n_expected = (12_000 - 5 * 480 + 2400) * 2
    assert np.count_nonzero(np.concatenate(played) > 0.2) == pytest.approx(n_expected, abs=100)
    sink.stop()
    sink.drain()
    assert len(machine.streams) == 2


def test_a_speaker_that_is_gone_is_given_up(machine: FakeMachine) -> None:
    sink = speaker(machine, give_up_s=3.0)
    machine.is_plugged = False
    machine.streams[0].abort()
    with pytest.raises(DeviceError, match="speaker was disconnected"):
        sink.write(counting(0, 72_000), 24_000)
    assert machine.now == pytest.approx(23.0, abs=0.1)
    sink.stop()  # closes all the same


# ------------------------------------------------------------------- side by side


def test_looking_for_a_microphone_does_not_interrupt_an_answer(machine: FakeMachine) -> None:
    """Renewing the list of devices ends every stream, so it waits for silence."""
    source, sink = microphone(machine), speaker(machine)
    sink.write(counting(0, 12_000), 24_000)
    machine.is_plugged = False
    machine.streams[0].abort()
    assert source.read(1.0) is None
    assert machine.n_rescans == 0
    assert machine.streams[1].is_running
    sink.flush()
    source.read(2.0)
    assert machine.n_rescans > 0
    assert not machine.streams[1].is_running
    machine.is_plugged = True
    sink.write(counting(0, 480), 24_000)  # and it comes back by itself
    assert np.array_equal(machine.streams[-1].play(1)[:, 0], counting(0, 480))

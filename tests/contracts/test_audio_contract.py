"""What every microphone and every speaker does, be it a recording or a sound card."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pytest

from samantha_desktop.core.ports import FRAME_SAMPLES, AudioFrame, AudioSink, AudioSource, Pcm
from samantha_desktop.devices.microphone import MicrophoneSource
from samantha_desktop.devices.speaker import SpeakerSink
from samantha_desktop.devices.wav_io import WavSink, WavSource

pytest_plugins = ("virtual_sound_fixtures",)

RATE_HZ = 24_000
PATIENCE_S = 20.0
RECORDING = np.full(16_000, 0.1, dtype=np.float32)

SOURCES: dict[str, Callable[[], AudioSource]] = {
    "recording": lambda: WavSource(RECORDING, is_paced=False),
    "recording in real time": lambda: WavSource(RECORDING),
    "microphone": MicrophoneSource,
}
SINKS: dict[str, Callable[[], AudioSink]] = {
    "recording": lambda: WavSink(is_paced=False),
    "recording in real time": WavSink,
    "speaker": SpeakerSink,
}
Request: TypeAlias = pytest.FixtureRequest


def needing_card(names: dict[str, object], real: str) -> list[object]:
    return [pytest.param(name, marks=[pytest.mark.sound] if name == real else []) for name in names]


@pytest.fixture(params=needing_card({**SOURCES}, "microphone"))
def source(request: Request) -> Iterator[AudioSource]:
    if request.param == "microphone":
        request.getfixturevalue("virtual_card")
    source = SOURCES[request.param]()
    yield source
    source.stop()


@pytest.fixture(params=needing_card({**SINKS}, "speaker"))
def sink(request: Request) -> Iterator[AudioSink]:
    if request.param == "speaker":
        request.getfixturevalue("virtual_card")
    sink = SINKS[request.param]()
    yield sink
    sink.flush()
    sink.stop()


def read_frames(source: AudioSource, n_frames: int) -> list[AudioFrame]:
    frames: list[AudioFrame] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(frames) < n_frames:
        assert time.monotonic() < deadline
        if (frame := source.read(0.1)) is not None:
            frames.append(frame)
    return frames


def tone(duration_s: float) -> Pcm:
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


# --------------------------------------------------------------------- sources


def test_frames_are_whole_mono_and_follow_each_other(source: AudioSource) -> None:
    source.start()
    frames = read_frames(source, 12)
    for frame in frames:
        assert frame.pcm.shape == (FRAME_SAMPLES,)
        assert frame.pcm.dtype == np.float32
    starts = [frame.start_sample for frame in frames]
    assert starts[0] >= 0
    assert np.diff(starts).tolist() == [FRAME_SAMPLES] * 11
    assert len({id(frame.pcm) for frame in frames}) == 12


def test_a_closed_source_gives_nothing_and_can_be_opened_again(source: AudioSource) -> None:
    source.stop()
    assert source.read(0.01) is None
    for _ in range(2):
        source.start()
        assert read_frames(source, 2)[0].start_sample < 16_000
        source.stop()
        source.stop()
        assert source.read(0.01) is None


def test_a_recording_ends_and_a_microphone_does_not(source: AudioSource) -> None:
    source.start()
    n_frames = -(-RECORDING.size // FRAME_SAMPLES)
    read_frames(source, n_frames)
    if isinstance(source, WavSource):
        with pytest.raises(EOFError):
            source.read(1.0)
    else:
        read_frames(source, 2)


# ----------------------------------------------------------------------- sinks


def test_everything_queued_is_heard(sink: AudioSink) -> None:
    sink.start()
    assert sink.pending_s() == 0.0
    assert sink.write(tone(1.4), RATE_HZ) == tone(1.4).size  # more than the queue holds
    assert sink.pending_s() < 1.3
    sink.drain()
    assert sink.pending_s() == 0.0
    assert sink.write(tone(0.0), RATE_HZ) == 0


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
def test_any_rate_can_be_written(sink: AudioSink, rate_hz: int) -> None:
    sink.start()
    assert sink.write(np.zeros(rate_hz // 10, dtype=np.float32), rate_hz) == rate_hz // 10
    sink.drain()
    assert sink.pending_s() == 0.0


def test_flush_throws_away_and_the_sink_goes_on(sink: AudioSink) -> None:
    sink.start()
    for _ in range(2):
        sink.write(tone(0.8), RATE_HZ)
        pending_s = sink.pending_s()
        assert 0.0 <= sink.flush() <= pending_s
        assert sink.pending_s() == 0.0
    assert sink.flush() == 0.0


def test_a_cancelled_write_queues_no_more(sink: AudioSink) -> None:
    sink.start()
    assert sink.write(tone(0.5), RATE_HZ, is_cancelled=lambda: True) == 0
    looks = iter([False] * 5)
    n_queued = sink.write(tone(5.0), RATE_HZ, is_cancelled=lambda: next(looks, True))
    assert 0 < n_queued < tone(5.0).size
    sink.drain(is_cancelled=lambda: True)


def test_damaged_samples_do_no_harm(sink: AudioSink) -> None:
    sink.start()
    damaged = np.array([np.nan, np.inf, -np.inf, 100.0] * 100, dtype=np.float32)
    assert sink.write(damaged, RATE_HZ) == 400
    sink.drain()


def test_a_closed_sink_takes_nothing_and_can_be_opened_again(sink: AudioSink) -> None:
    sink.stop()
    assert sink.write(tone(0.1), RATE_HZ) == 0
    for _ in range(2):
        sink.start()
        assert sink.write(tone(0.1), RATE_HZ) == tone(0.1).size
        sink.stop()
        sink.stop()
        assert sink.write(tone(0.1), RATE_HZ) == 0
        assert sink.pending_s() == 0.0
        sink.drain()

"""The speaker that keeps what was heard, on a clock that only sleeping moves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.audio import gap_s
from samantha_desktop.core.ports import Pcm
from samantha_desktop.devices.playback import QUEUE_S
from samantha_desktop.devices.wav_io import WavSink

RATE_HZ = 1000
"""Milliseconds are samples."""


class FakeTime:
    """Sleeping moves it, and lets happen what is due by then."""

    def __init__(self) -> None:
        self.now = 50.0
        self.events: list[tuple[float, Callable[[], object]]] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, duration_s: float) -> None:
        assert duration_s > 0.0
        self.now += duration_s
        for event in [event for event in self.events if event[0] <= self.now]:
            self.events.remove(event)
            event[1]()

    def at(self, moment_s: float, event: Callable[[], object]) -> None:
        self.events.append((moment_s, event))


def opened(time: FakeTime, *, is_paced: bool = True, rate_hz: int = RATE_HZ) -> WavSink:
    sink = WavSink(rate_hz, is_paced=is_paced, clock=time.clock, sleep=time.sleep)
    sink.start()
    return sink


def ones(n_samples: int) -> Pcm:
    return np.ones(n_samples, dtype=np.float32)


def test_it_plays_in_real_time_from_the_first_sample_on() -> None:
    time = FakeTime()
    sink = opened(time)
    time.now = 53.0
    assert sink.started_at is None
    assert sink.heard().size == 0
    assert sink.write(ones(500), RATE_HZ) == 500
    assert time.now == 53.0
    assert sink.started_at == 53.0
    assert sink.pending_s() == pytest.approx(0.5)
    time.now = 53.2
    assert sink.heard().size == pytest.approx(200, abs=1)
    assert sink.pending_s() == pytest.approx(0.3, abs=0.001)
    sink.drain()
    assert time.now == pytest.approx(53.5, abs=0.002)
    assert np.array_equal(sink.heard(), ones(500))


def test_a_writer_waits_for_room() -> None:
    time = FakeTime()
    sink = opened(time)
    assert sink.write(ones(3000), RATE_HZ) == 3000
    assert time.now == pytest.approx(50.0 + 3.0 - QUEUE_S, abs=0.025)
    assert sink.pending_s() == pytest.approx(QUEUE_S, abs=0.025)


def test_what_comes_late_leaves_silence_as_long_as_it_is_late() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(200), RATE_HZ)
    time.now = 50.7
    sink.write(ones(100), RATE_HZ)
    sink.drain()
    heard = sink.heard()
    assert heard.size == pytest.approx(800, abs=1)
    assert heard[:200].all()
    assert not heard[201:699].any()
    assert heard[-99:].all()
    assert gap_s(heard, RATE_HZ).longest_s == pytest.approx(0.5 - 0.35, abs=0.011)


def test_silence_after_the_end_is_not_part_of_it() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(200), RATE_HZ)
    time.now = 60.0
    assert sink.heard().size == 200
    assert sink.pending_s() == 0.0


def test_flush_cuts_what_was_not_heard() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(800), RATE_HZ)
    time.now = 50.3
    assert sink.flush() == pytest.approx(0.5, abs=0.002)
    assert sink.pending_s() == 0.0
    assert sink.flush() == 0.0
    time.now = 51.0
    sink.write(ones(100), RATE_HZ)
    sink.drain()
    heard = sink.heard()
    assert np.count_nonzero(heard) == pytest.approx(400, abs=2)
    assert heard.size == pytest.approx(1100, abs=2)


def test_flush_ends_the_write_under_way() -> None:
    time = FakeTime()
    sink = opened(time)
    time.at(50.5, sink.flush)
    n_queued = sink.write(ones(5000), RATE_HZ)
    assert n_queued == pytest.approx(1500, abs=40)
    sink.drain()
    assert sink.heard().size == pytest.approx(500, abs=25)


def test_flush_ends_the_drain_under_way() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(900), RATE_HZ)
    time.at(50.5, sink.flush)
    sink.drain()
    assert time.now == pytest.approx(50.5, abs=0.02)


def test_a_cancelled_write_says_how_much_was_queued() -> None:
    time = FakeTime()
    sink = opened(time)
    n_queued = sink.write(ones(5000), RATE_HZ, is_cancelled=lambda: time.now >= 50.5)
    assert n_queued == pytest.approx(1500, abs=40)
    sink.drain()
    assert sink.heard().size == n_queued
    assert sink.write(ones(10), RATE_HZ, is_cancelled=lambda: True) == 0


def test_a_cancelled_drain_leaves_the_rest_queued() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(900), RATE_HZ)
    sink.drain(is_cancelled=lambda: time.now >= 50.2)
    assert sink.pending_s() == pytest.approx(0.7, abs=0.02)


def test_unpaced_everything_is_heard_at_once() -> None:
    time = FakeTime()
    sink = opened(time, is_paced=False)
    sink.write(ones(5000), RATE_HZ)
    time.now = 60.0
    sink.write(ones(100), RATE_HZ)
    assert sink.pending_s() == 0.0
    assert sink.flush() == 0.0
    assert sink.started_at == 50.0
    assert np.array_equal(sink.heard(), ones(5100))
    assert time.now == 60.0


def test_stopping_lets_the_rest_be_heard_and_keeps_it() -> None:
    time = FakeTime()
    sink = opened(time)
    sink.write(ones(400), RATE_HZ)
    sink.stop()
    sink.stop()
    assert sink.heard().size == 400
    assert sink.write(ones(10), RATE_HZ) == 0
    assert sink.pending_s() == 0.0
    sink.start()
    assert sink.heard().size == 0
    assert sink.started_at is None


def test_another_rate_is_resampled_and_drained_to_its_last_sample() -> None:
    time = FakeTime()
    sink = opened(time, rate_hz=24_000)
    t = np.arange(22_050) / 22_050
    pcm = (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    for position in range(0, pcm.size, 1000):
        sink.write(pcm[position : position + 1000], 22_050)
    sink.write(pcm[:0], 22_050)
    sink.drain()
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(24_000) / 24_000)
    heard = sink.heard()
    assert heard.size == pytest.approx(24_000, abs=2)
    assert np.abs(heard[200:23_800] - expected[200:23_800]).max() < 0.01


def test_a_change_of_rate_loses_nothing() -> None:
    time = FakeTime()
    sink = opened(time, rate_hz=24_000, is_paced=False)
    sink.write(np.full(8_000, 0.5, dtype=np.float32), 16_000)
    sink.write(np.full(11_025, 0.5, dtype=np.float32), 22_050)
    sink.drain()
    assert sink.heard().size == pytest.approx(24_000, abs=4)


def test_what_would_hurt_ears_is_not_heard() -> None:
    sink = opened(FakeTime(), is_paced=False)
    sink.write(np.array([np.nan, np.inf, -7.0, 0.5], dtype=np.float32), RATE_HZ)
    assert sink.heard().tolist() == [0.0, 0.0, -1.0, 0.5]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 1500)), min_size=1, max_size=8),
)
def test_what_is_heard_is_what_was_written_in_order(steps: list[tuple[int, int]]) -> None:
    """However late the pieces come: nothing lost, nothing twice, nothing too early."""
    time = FakeTime()
    sink = opened(time)
    written: list[float] = []
    for wait_ms, n_samples in steps:
        time.now += wait_ms / 1000
        piece = np.arange(len(written) + 1, len(written) + n_samples + 1) / 20_000
        sink.write(piece.astype(np.float32), RATE_HZ)
        written += piece.tolist()
    begun_at = sink.started_at
    sink.drain()
    heard = sink.heard()
    assert heard[heard != 0].tolist() == pytest.approx(written)
    if written:
        assert begun_at is not None
        assert heard.size / RATE_HZ <= time.now - begun_at + 1e-6

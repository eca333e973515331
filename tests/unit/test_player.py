"""What is played, in order, and what of it was heard."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from samantha_desktop.core import messages as m
from samantha_desktop.core.errors import DeviceError
from samantha_desktop.core.ports import IsCancelled, Pcm, never_cancelled
from samantha_desktop.pipeline.player import Player

RATE_HZ = 1000
SECOND = np.ones(RATE_HZ, np.float32)


class StubbornSink:
    """A speaker that plays nothing until it is let, and can break."""

    def __init__(self) -> None:
        self.written: list[float] = []
        self.lost_s = 0.0
        self.is_broken = False
        self.lets_drain = threading.Event()
        self.is_open = False

    def start(self) -> None:
        if self.is_broken:
            raise DeviceError("There is no speaker.")
        self.is_open = True

    def write(
        self, pcm: Pcm, sample_rate_hz: int, *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        if self.is_broken:
            raise DeviceError("The speaker is gone.")
        self.written.extend(pcm.tolist())
        return len(pcm)

    def pending_s(self) -> float:
        return 0.25

    def flush(self) -> float:
        return self.lost_s

    def drain(self, *, is_cancelled: IsCancelled = never_cancelled) -> None:
        while not self.lets_drain.wait(0.005) and not is_cancelled():
            pass

    def stop(self) -> None:
        self.is_open = False


class Table:
    """A player, its sink and what it posted."""

    def __init__(self) -> None:
        self.sink = StubbornSink()
        self.events: queue.Queue[m.Event] = queue.Queue()
        self.player = Player(self.sink, self.events.put, clock=lambda: 10.0)

    def next(self, kind: type[m.Event]) -> m.Event:
        while True:
            event = self.events.get(timeout=10.0)
            if isinstance(event, kind):
                return event


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    table.player.start()
    yield table
    assert table.player.close()
    assert not table.sink.is_open


def test_clauses_are_heard_in_order_and_wholly(table: Table) -> None:
    table.sink.lets_drain.set()
    table.player.play(1, 0, SECOND, RATE_HZ)
    table.player.play(1, 1, SECOND * 0.5, RATE_HZ)
    assert table.next(m.ClauseStarted) == m.ClauseStarted(1, 0, 10.25)
    table.player.end(1)
    assert table.next(m.PlaybackEnded) == m.PlaybackEnded(1, (1.0, 1.0))
    assert table.sink.written == [1.0] * RATE_HZ + [0.5] * RATE_HZ


def test_what_was_thrown_away_was_not_heard(table: Table) -> None:
    table.sink.lost_s = 1.25
    table.player.play(1, 0, SECOND, RATE_HZ)
    table.player.play(1, 1, SECOND, RATE_HZ)
    table.player.end(1)
    table.next(m.ClauseStarted)
    table.next(m.ClauseStarted)
    while table.player.pending_s() > 0.25:
        pass
    table.player.stop(1)
    ended = table.next(m.PlaybackEnded)
    assert isinstance(ended, m.PlaybackEnded)
    assert ended.heard_s == pytest.approx((0.75, 0.0))


def test_pending_counts_queue_and_speaker(table: Table) -> None:
    assert table.player.pending_s() == 0.0
    table.player.play(1, 0, SECOND, RATE_HZ)
    assert 0.25 <= table.player.pending_s() <= 1.3


def test_an_older_turn_is_not_played(table: Table) -> None:
    table.sink.lets_drain.set()
    table.player.play(2, 0, SECOND, RATE_HZ)
    table.player.play(1, 0, SECOND, RATE_HZ)
    table.player.stop(1)
    table.player.end(2)
    assert table.next(m.PlaybackEnded) == m.PlaybackEnded(2, (1.0,))


def test_a_speaker_that_is_gone_is_told_and_the_turn_still_ends(table: Table) -> None:
    table.sink.is_broken = True
    table.player.play(1, 0, SECOND, RATE_HZ)
    failed = table.next(m.PlaybackFailed)
    assert isinstance(failed, m.PlaybackFailed) and isinstance(failed.error, DeviceError)
    table.player.end(1)
    assert table.next(m.PlaybackEnded) == m.PlaybackEnded(1, (0.0,))
    table.sink.is_broken = False
    table.sink.lets_drain.set()
    table.player.play(2, 0, SECOND, RATE_HZ)
    table.player.end(2)
    assert table.next(m.PlaybackEnded) == m.PlaybackEnded(2, (1.0,))

"""Plays an answer's clauses, and knows which of their samples were really heard."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from samantha_desktop.core.errors import SamanthaError
from samantha_desktop.core.messages import (
    ClauseStarted,
    Event,
    PlaybackEnded,
    PlaybackFailed,
)
from samantha_desktop.core.ports import AudioSink, Pcm

PIECE_S = 0.1
"""How much is handed to the speaker at once: the grain of stopping."""


@dataclass
class _Clause:
    index: int
    pcm: Pcm
    sample_rate_hz: int
    n_written: int = 0

    @property
    def written_s(self) -> float:
        return self.n_written / self.sample_rate_hz

    @property
    def waiting_s(self) -> float:
        return (len(self.pcm) - self.n_written) / self.sample_rate_hz


class Player:
    """Owns the speaker. One thread writes to it; all methods may be called from any thread.

    What belongs to an older turn than the last one played or stopped is dropped.
    """

    def __init__(
        self,
        sink: AudioSink,
        post: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._post = post
        self._clock = clock
        self._lock = threading.Condition()
        self._turn = 0
        self._todo: deque[_Clause] = deque()
        self._played: list[_Clause] = []
        self._is_ending = False
        self._stopping_turn: int | None = None
        self._is_sink_broken = False
        self._is_started = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)

    def start(self) -> None:
        """Begin. The speaker itself is opened by the first clause."""
        self._thread.start()

    def play(self, turn: int, index: int, pcm: Pcm, sample_rate_hz: int) -> None:
        """Queue a clause. The first one of a newer turn begins a new playback."""
        with self._lock:
            if turn < self._turn:
                return
            if turn > self._turn:
                self._turn = turn
                self._todo.clear()
                self._played = []
                self._is_ending = False
                self._is_sink_broken = False
            self._todo.append(_Clause(index, pcm, sample_rate_hz))
            self._lock.notify()

    def end(self, turn: int) -> None:
        """Nothing more comes: post `PlaybackEnded` when all was heard."""
        with self._lock:
            if turn == self._turn:
                self._is_ending = True
                self._lock.notify()

    def stop(self, turn: int) -> None:
        """Silence at once; `PlaybackEnded` tells what was heard."""
        with self._lock:
            if turn == self._turn:
                self._stopping_turn = turn
                self._todo.clear()
                self._lock.notify()

    def pending_s(self) -> float:
        """Seconds of speech queued and not heard yet."""
        with self._lock:
            waiting_s = sum(clause.waiting_s for clause in self._todo)
            if self._played:
                waiting_s += self._played[-1].waiting_s
            if not self._is_started or self._is_sink_broken:
                return waiting_s
        return waiting_s + self._sink.pending_s()

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop, and close the speaker. Returns whether the thread ended in time."""
        with self._lock:
            self._is_closed = True
            self._todo.clear()
            self._stopping_turn = self._turn
            self._lock.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        while True:
            with self._lock:
                while not (self._todo or self._is_ending or self._stopping_turn is not None):
                    self._lock.wait()
                turn = self._turn
                clause = self._todo.popleft() if self._todo else None
                if clause is not None:
                    self._played.append(clause)
                is_closed = self._is_closed
            try:
                if self._stopping_turn is not None:
                    self._end_playback(turn, was_stopped=True)
                elif clause is not None:
                    self._write(turn, clause)
                else:
                    self._end_playback(turn, was_stopped=False)
            except SamanthaError as error:
                self._is_sink_broken = True
                self._post(PlaybackFailed(turn, error))
            if is_closed:
                if self._is_started:
                    self._sink.stop()
                return

    def _is_unwanted(self) -> bool:
        return self._stopping_turn is not None

    def _write(self, turn: int, clause: _Clause) -> None:
        if self._is_sink_broken:
            return
        if not self._is_started:
            self._sink.start()
            self._is_started = True
        self._post(ClauseStarted(turn, clause.index, self._clock() + self._sink.pending_s()))
        piece = max(1, int(PIECE_S * clause.sample_rate_hz))
        for start in range(0, len(clause.pcm), piece):
            if self._is_unwanted():
                return
            clause.n_written += self._sink.write(
                clause.pcm[start : start + piece],
                clause.sample_rate_hz,
                is_cancelled=self._is_unwanted,
            )

    def _end_playback(self, turn: int, *, was_stopped: bool) -> None:
        lost_s = 0.0
        if self._is_started and not self._is_sink_broken:
            if not was_stopped:
                self._sink.drain(is_cancelled=self._is_unwanted)
            if self._is_unwanted():
                lost_s = self._sink.flush()
        with self._lock:
            heard_s = _heard([clause.written_s for clause in self._played], lost_s)
            self._is_ending = False
            self._stopping_turn = None
            self._todo.clear()
            self._played = []
        if turn:
            self._post(PlaybackEnded(turn, heard_s))


def _heard(written_s: list[float], lost_s: float) -> tuple[float, ...]:
    """Take what was thrown away from the end of what was written."""
    heard: list[float] = []
    for seconds in reversed(written_s):
        lost_here_s = min(seconds, lost_s)
        lost_s -= lost_here_s
        heard.append(seconds - lost_here_s)
    return tuple(reversed(heard))

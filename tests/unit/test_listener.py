"""Pauses, ends and lost microphones, heard frame by frame."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from samantha_desktop.core import messages as m
from samantha_desktop.core.errors import DeviceError, EngineError
from samantha_desktop.core.ports import FRAME_SAMPLES, AudioFrame
from samantha_desktop.engines.scripted import (
    ScriptedVoiceActivityDetector,
    ScriptedVoiceActivityDetectorSettings,
)
from samantha_desktop.pipeline.listener import PRE_ROLL_S, Listener

LOUD = np.full(FRAME_SAMPLES, 0.3, np.float32)
QUIET = np.zeros(FRAME_SAMPLES, np.float32)
FRAME_S = FRAME_SAMPLES / 16_000
PRE_ROLL_FRAMES = round(PRE_ROLL_S / FRAME_S)


class HandFedSource:
    """A microphone that hears what the test puts in, or breaks."""

    def __init__(self) -> None:
        self.todo: queue.Queue[np.ndarray | Exception] = queue.Queue()
        self._n_samples = 0
        self._is_taken = False
        self.is_open = False

    def start(self) -> None:
        self.is_open = True

    def read(self, timeout_s: float) -> AudioFrame | None:
        if self._is_taken:
            self.todo.task_done()  # whoever reads again has dealt with what came before
            self._is_taken = False
        try:
            item = self.todo.get(timeout=timeout_s)
        except queue.Empty:
            return None
        self._is_taken = True
        if isinstance(item, Exception):
            raise item
        self._n_samples += len(item)
        return AudioFrame(item, self._n_samples - len(item))

    def stop(self) -> None:
        self.is_open = False


class Room:
    """A listener, its microphone and what it posted. Every frame takes `FRAME_S` of the clock."""

    def __init__(self) -> None:
        self.source = HandFedSource()
        self.vad = ScriptedVoiceActivityDetector(ScriptedVoiceActivityDetectorSettings())
        self.events: queue.Queue[m.Event] = queue.Queue()
        self.n_frames = 0
        self.listener = Listener(
            self.source, self.vad, self.events.put, clock=lambda: self.n_frames * FRAME_S
        )
        self._handled = threading.Semaphore(0)

    def hear(self, *frames: np.ndarray) -> None:
        for frame in frames:
            self.n_frames += 1
            self.source.todo.put(frame)
            self.source.todo.join()

    def next(self) -> m.Event:
        return self.events.get(timeout=10.0)


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    room.listener.start()
    yield room
    assert room.listener.close()
    assert not room.source.is_open


def test_a_pause_a_resumption_and_the_end_are_told_where_they_are(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 10, *[QUIET] * 5)
    assert room.next() == m.PauseHeard(1, 11 * FRAME_SAMPLES)
    room.hear(*[LOUD] * 4)
    assert room.next() == m.SpeechResumed(1)
    room.listener.end_capture(1)
    room.hear(*[LOUD] * 2)
    ended = room.next()
    assert ended == m.UtteranceEnded(
        1, 21 * FRAME_SAMPLES, 21 * FRAME_SAMPLES, pytest.approx(21 * FRAME_S)
    )
    assert room.listener.utterance(1, 10**9).size == 21 * FRAME_SAMPLES
    assert room.listener.utterance(1, 100).tolist() == LOUD[:100].tolist()
    assert room.listener.utterance(2, 100).size == 0


def test_speech_that_goes_on_is_news_now_and_then(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 55)
    assert room.next() == m.SpeechGrew(1, 25 * FRAME_SAMPLES)
    assert room.next() == m.SpeechGrew(1, 50 * FRAME_SAMPLES)


def test_the_end_of_speech_lies_where_the_silence_began(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 10, *[QUIET] * 6)
    room.next()
    room.listener.end_capture(1)
    room.hear(*[QUIET] * 2)
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded)
    assert ended.speech_end_sample == 10 * FRAME_SAMPLES
    assert ended.speech_ended_at_s == pytest.approx(10 * FRAME_S)


def test_what_was_said_as_the_key_went_down_is_kept(room: Room) -> None:
    room.hear(*[QUIET] * 40, *[LOUD] * 3)
    room.listener.start_capture(1)
    room.listener.end_capture(1)
    room.hear(QUIET, QUIET)
    assert isinstance(room.next(), m.PauseHeard)
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded)
    assert ended.n_samples == (PRE_ROLL_FRAMES + 2) * FRAME_SAMPLES
    assert ended.speech_end_sample == PRE_ROLL_FRAMES * FRAME_SAMPLES


def test_an_empty_hold_has_no_speech(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[QUIET] * 6)
    room.listener.end_capture(1)
    room.hear(*[QUIET] * 2)
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded) and ended.speech_end_sample == 0


def test_a_recording_that_ends_lets_go_of_the_key(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 5)
    room.source.todo.put(EOFError())
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded) and ended.n_samples == 5 * FRAME_SAMPLES


def test_a_lost_microphone_is_told_and_what_was_said_before_is_kept(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 5)
    room.source.todo.put(DeviceError("The microphone is gone."))
    failed = room.next()
    assert isinstance(failed, m.CaptureFailed) and failed.turn == 1
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded) and ended.n_samples == 5 * FRAME_SAMPLES
    # Plugged in again, it hears the next turn.
    room.listener.start_capture(2)
    room.hear(*[LOUD] * 3)
    room.listener.end_capture(2)
    room.hear(*[QUIET] * 2)
    assert isinstance(room.next(), m.PauseHeard)
    assert isinstance(room.next(), m.UtteranceEnded)


def test_a_microphone_that_falls_silent_cannot_hold_the_turn(room: Room) -> None:
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 5)
    room.listener.end_capture(1)
    ended = room.next()
    assert isinstance(ended, m.UtteranceEnded) and ended.n_samples == 5 * FRAME_SAMPLES


def test_without_its_detector_loudness_decides(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[float]:
        raise EngineError("The speech detector stopped.")

    monkeypatch.setattr(room.vad, "speech_probabilities", fail)
    monkeypatch.setattr(room.vad, "reset", fail)
    room.listener.start_capture(1)
    room.hear(*[LOUD] * 10, *[QUIET] * 4)
    assert room.next() == m.PauseHeard(1, 11 * FRAME_SAMPLES)

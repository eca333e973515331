"""Hears: takes frames from the microphone, finds pauses in them, keeps the utterance."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from samantha_desktop.core.audio import level_dbfs
from samantha_desktop.core.endpointing import (
    Endpointer,
    EndpointingOptions,
    PauseBegan,
    SpeechBegan,
    SpeechWentOn,
)
from samantha_desktop.core.errors import DeviceError, EngineError
from samantha_desktop.core.messages import (
    CaptureFailed,
    Event,
    PauseHeard,
    SpeechGrew,
    SpeechResumed,
    UtteranceEnded,
)
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    SPEECH_SAMPLE_RATE_HZ,
    AudioSource,
    Pcm,
    VoiceActivityDetector,
)

PRE_ROLL_S = 0.5
"""Kept from before the key went down: people begin to speak as they press."""

TAIL_S = 0.06
"""Still listened to after the key came up: a sound card delivers that much later."""

LOUD_DBFS = -45.0
"""What counts as speech while the detector's process is being started again."""

READ_TIMEOUT_S = 0.1

HELD_KEY = EndpointingOptions(silence_threshold=0.5, pause_ms=32, turn_end_ms=24 * 3_600_000)
"""While a key is held, only letting it go ends the turn, and a pause costs nothing but a
recognition that may be in vain: so the first quiet window is one."""

NEWS_SAMPLES = round(0.8 * SPEECH_SAMPLE_RATE_HZ)
"""So much more speech is worth another look at the words: more often, the look would still be
going on when the speaker ends, and the last one would have to wait for it."""

_log = logging.getLogger(__name__)


@dataclass
class _Capture:
    """One utterance. `frames`, `samples_to_go` and `is_over` are guarded by the lock."""

    turn: int
    frames: list[Pcm]
    last_frame_at_s: float
    samples_to_go: int | None = None
    is_over: bool = False
    n_seen: int = 0
    is_speaking: bool = False
    speech_end_sample: int = 0
    last_voiced_sample: int = 0
    told_samples: int = 0
    endpointer: Endpointer = field(default_factory=lambda: Endpointer(HELD_KEY))


class Listener:
    """Owns the microphone, in a thread of its own.

    `start_capture`, `end_capture` and `utterance` may be called from any thread.

    Args:
        source: the microphone.
        vad: finds speech; while its process is being started again, loudness does.
        post: takes what was heard of the person.
        clock: seconds; the same that the conductor uses.
    """

    def __init__(
        self,
        source: AudioSource,
        vad: VoiceActivityDetector,
        post: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._vad = vad
        self._post = post
        self._clock = clock
        self._lock = threading.Lock()
        self._pre_roll: deque[Pcm] = deque(
            maxlen=round(PRE_ROLL_S * SPEECH_SAMPLE_RATE_HZ / FRAME_SAMPLES)
        )
        self._capture: _Capture | None = None
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Open the microphone and begin to listen.

        Raises:
            DeviceError: there is none.
        """
        self._source.start()
        self._thread.start()

    def start_capture(self, turn: int) -> None:
        """An utterance begins; half a second from before belongs to it."""
        with self._lock:
            self._capture = _Capture(turn, list(self._pre_roll), self._clock())
            self._pre_roll.clear()

    def end_capture(self, turn: int) -> None:
        """The utterance is over as soon as the sound card has delivered what was said."""
        with self._lock:
            capture = self._capture
            if capture is not None and capture.turn == turn and capture.samples_to_go is None:
                capture.samples_to_go = round(TAIL_S * SPEECH_SAMPLE_RATE_HZ)

    def utterance(self, turn: int, n_samples: int) -> Pcm:
        """The first `n_samples` of a turn's utterance, at 16 kHz; nothing of an older turn."""
        with self._lock:
            capture = self._capture
            if capture is None or capture.turn != turn or not capture.frames:
                return np.zeros(0, np.float32)
            return np.concatenate(capture.frames)[:n_samples]

    def close(self, timeout_s: float = 5.0) -> bool:
        """Stop listening and close the microphone. Returns whether the thread ended in time."""
        self._is_closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._source.stop()
        return not self._thread.is_alive()

    # ------------------------------------------------------------- listener thread

    def _run(self) -> None:
        while not self._is_closed.is_set():
            try:
                frame = self._source.read(READ_TIMEOUT_S)
            except EOFError:
                self._end_utterance()
                return
            except DeviceError as error:
                self._on_microphone_lost(error)
                continue
            if frame is not None:
                self._on_frame(frame.pcm)
            elif self._is_ending():
                self._end_utterance()

    def _on_frame(self, pcm: Pcm) -> None:
        with self._lock:
            capture = self._capture
            if capture is None or capture.is_over:
                self._pre_roll.append(pcm)
                return
            capture.frames.append(pcm)
            capture.last_frame_at_s = self._clock()
            unseen = capture.frames[capture.n_seen :]
            is_ending = capture.samples_to_go is not None
            if capture.samples_to_go is not None:
                capture.samples_to_go -= len(pcm)
                is_ending = capture.samples_to_go <= 0
        if capture.n_seen == 0:
            self._reset_vad()
        for frame in unseen:
            self._follow(capture, self._speech_probability(frame))
        if is_ending:
            self._end_utterance()

    def _follow(self, capture: _Capture, probability: float) -> None:
        """Take one more frame of the utterance into account, and tell of pauses."""
        start_sample = capture.n_seen * FRAME_SAMPLES
        capture.n_seen += 1
        event = capture.endpointer.step(probability, start_sample)
        if probability >= HELD_KEY.silence_threshold:
            capture.last_voiced_sample = start_sample + FRAME_SAMPLES
        match event:
            case SpeechBegan(start_sample=first_sample):
                capture.is_speaking = True
                capture.told_samples = first_sample
            case PauseBegan(speech_end_sample=speech_end_sample):
                capture.is_speaking = False
                capture.speech_end_sample = speech_end_sample
                capture.told_samples = start_sample + FRAME_SAMPLES
                self._post(PauseHeard(capture.turn, capture.told_samples))
            case SpeechWentOn():
                capture.is_speaking = True
                self._post(SpeechResumed(capture.turn))
        n_samples = start_sample + FRAME_SAMPLES
        if capture.is_speaking and n_samples - capture.told_samples >= NEWS_SAMPLES:
            capture.told_samples = n_samples
            self._post(SpeechGrew(capture.turn, n_samples))

    def _is_ending(self) -> bool:
        with self._lock:
            capture = self._capture
            return capture is not None and capture.samples_to_go is not None

    def _end_utterance(self) -> None:
        with self._lock:
            capture = self._capture
            if capture is None or capture.is_over:
                return
            capture.is_over = True
            n_samples = len(capture.frames) * FRAME_SAMPLES
        speech_end_sample = capture.speech_end_sample
        if capture.is_speaking or speech_end_sample == 0:
            speech_end_sample = capture.last_voiced_sample
        since_s = (n_samples - speech_end_sample) / SPEECH_SAMPLE_RATE_HZ
        ended_at_s = capture.last_frame_at_s - since_s
        self._post(UtteranceEnded(capture.turn, n_samples, speech_end_sample, ended_at_s))

    def _on_microphone_lost(self, error: DeviceError) -> None:
        """What was said until now is answered; the microphone is looked for further on."""
        with self._lock:
            capture = self._capture
        if capture is not None and not capture.is_over:
            self._post(CaptureFailed(capture.turn, error))
            self._end_utterance()
        self._is_closed.wait(READ_TIMEOUT_S)

    def _reset_vad(self) -> None:
        try:
            self._vad.reset()
        except EngineError as error:
            _log.warning("The speech detector was not reset: %s", error)

    def _speech_probability(self, pcm: Pcm) -> float:
        try:
            return self._vad.speech_probabilities(pcm)[0]
        except EngineError as error:
            _log.warning("Loudness stands in for the speech detector: %s", error)
            return 1.0 if level_dbfs(pcm) > LOUD_DBFS else 0.0

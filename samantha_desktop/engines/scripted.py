"""Engines that follow a script instead of a model: for tests, and shipped so that
others can test against them.

Deterministic: the same script gives the same words, tones, delays and faults.
What a fault does to a process it does to yours, if the engine runs in it.
"""

from __future__ import annotations

import itertools
import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotion_text import why_unreadable
from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import Cancelled, EngineError, ModelError, SettingsError
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    SPEECH_SAMPLE_RATE_HZ,
    ChatMessage,
    EngineInfo,
    GenerationOptions,
    IsCancelled,
    Pcm,
    Transcript,
    never_cancelled,
)

FaultKind: TypeAlias = Literal[
    "model-error", "engine-error", "exception", "hang", "sigkill", "sigsegv"
]
Point: TypeAlias = Literal["load", "call", "item"]

_LOUDNESS_OF_SPEECH = 0.005
"""Root mean square above which scripted engines hear speech (about -46 dBFS)."""

_CANCEL_POLL_S = 0.002


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, once or each time.

    Attributes:
        kind: what happens.
        at: while loading, at a call, or at an item of a stream.
        nth: at which of these, counted from 1 since the engine was made.
        once: a file made when the fault strikes, which then never strikes again,
            even in the process that replaces the one it ended.
    """

    kind: FaultKind
    at: Point = "call"
    nth: int = 1
    once: Path | None = None

    def strike(self) -> None:
        """Do it."""
        if self.once is not None:
            if self.once.exists():
                return
            self.once.touch()
        match self.kind:
            case "model-error":
                raise ModelError("The script has no model.", recovery="Change the script.")
            case "engine-error":
                raise EngineError("The script says that this fails.")
            case "exception":
                raise ArithmeticError("an exception of a library")
            case "hang":
                while True:  # deaf to being cancelled, as a stuck library is
                    time.sleep(1.0)
            case "sigkill":
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
            case "sigsegv":
                signal.raise_signal(signal.SIGSEGV)


@dataclass(frozen=True)
class Script:
    """How a scripted engine behaves.

    Attributes:
        load_s: seconds that loading takes.
        call_s: seconds before a call answers, or a stream has its first item.
        item_s: seconds that each item of a stream takes.
        faults: what goes wrong.
        journal: a file that gets one line per load, call and item, when it happens.
    """

    load_s: float = 0.0
    call_s: float = 0.0
    item_s: float = 0.0
    faults: tuple[Fault, ...] = ()
    journal: Path | None = None


@dataclass(frozen=True)
class ScriptedSpeechToTextSettings:
    """The n-th utterance with speech in it gets the n-th transcript, round and round."""

    transcripts: tuple[str, ...] = ("Hello, Samantha.",)
    script: Script = field(default_factory=Script)


@dataclass(frozen=True)
class ScriptedLanguageModelSettings:
    """The n-th `generate` writes the n-th answer, round and round."""

    answers: tuple[str, ...] = ("Hello. It is good to hear you.",)
    context_tokens: int = 2048
    script: Script = field(default_factory=Script)


@dataclass(frozen=True)
class ScriptedTextToSpeechSettings:
    """Each voice is a sine tone of its own."""

    sample_rate_hz: int = 24_000
    voices: tuple[str, ...] = ("af_heart", "am_adam")
    seconds_per_character: float = 0.06
    piece_s: float = 0.5
    script: Script = field(default_factory=Script)


@dataclass(frozen=True)
class ScriptedVoiceActivityDetectorSettings:
    """Whatever is loud is speech."""

    script: Script = field(default_factory=Script)


@dataclass(frozen=True)
class ScriptedEmotionClassifierSettings:
    """Each of these words in a text makes its label likely; a text with none is neutral."""

    labels_by_word: tuple[tuple[str, str], ...] = (
        ("happy", "joy"),
        ("sad", "sadness"),
        ("angry", "anger"),
        ("afraid", "fear"),
        ("disgusting", "disgust"),
        ("wow", "surprise"),
        ("thank", "gratitude"),
    )
    script: Script = field(default_factory=Script)


class _Scripted:
    """Counts loads, calls and items, and does what the script has for each."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._counts: dict[Point, int] = {"load": 0, "call": 0, "item": 0}

    def load(self) -> None:
        self._reach("load", self._script.load_s, never_cancelled)

    def info(self) -> EngineInfo:
        threads = os.environ.get("OMP_NUM_THREADS", "")
        return EngineInfo("scripted", model="script", device="cpu", detail={"threads": threads})

    def close(self) -> None:
        pass

    def _reach(self, point: Point, delay_s: float, is_cancelled: IsCancelled) -> None:
        self._counts[point] += 1
        if self._script.journal is not None:
            with self._script.journal.open("a", encoding="utf-8") as journal:
                journal.write(f"{point}\n")
        for fault in self._script.faults:
            if fault.at == point and fault.nth == self._counts[point]:
                fault.strike()
        end_s = time.monotonic() + delay_s
        while not is_cancelled() and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _CANCEL_POLL_S))

    def _reach_call(self, is_cancelled: IsCancelled = never_cancelled) -> None:
        self._reach("call", self._script.call_s, is_cancelled)

    def _reach_item(self, is_cancelled: IsCancelled) -> None:
        self._reach("item", self._script.item_s, is_cancelled)


class ScriptedSpeechToText(_Scripted):
    """`SpeechToText` that hears what it is told to."""

    def __init__(self, settings: ScriptedSpeechToTextSettings) -> None:
        super().__init__(settings.script)
        self._transcripts = settings.transcripts
        self._n_heard = 0

    def transcribe(
        self, pcm: Pcm, *, language: str | None = None, is_cancelled: IsCancelled = never_cancelled
    ) -> Transcript:
        """The next transcript; nothing for silence."""
        self._reach_call(is_cancelled)
        if is_cancelled():
            raise Cancelled
        audio_s = len(pcm) / SPEECH_SAMPLE_RATE_HZ
        if not _is_loud(pcm):
            return Transcript("", language or "en", audio_s=audio_s, no_speech_probability=1.0)
        text = self._transcripts[self._n_heard % len(self._transcripts)]
        self._n_heard += 1
        return Transcript(text, language or "en", audio_s=audio_s)


class ScriptedLanguageModel(_Scripted):
    """`LanguageModel` that says what it is told to, word by word."""

    def __init__(self, settings: ScriptedLanguageModelSettings) -> None:
        super().__init__(settings.script)
        self._answers = settings.answers
        self._context_tokens = settings.context_tokens
        self._n_answered = 0
        self._cache: list[str] = []

    @property
    def context_tokens(self) -> int:
        """As in the settings."""
        return self._context_tokens

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Words and roles, and one for the generation prompt."""
        return len(_tokens(messages))

    def prefill(
        self, messages: Sequence[ChatMessage], *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """Tokens beyond the prefix shared with the last prompt."""
        self._reach_call(is_cancelled)
        return 0 if is_cancelled() else self._compute(messages)

    def generate(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[str]:
        """The next answer, a word at a time; the rest of it when it was begun already."""
        self._reach_call(is_cancelled)
        n_tokens = self.count_tokens(messages)
        if n_tokens >= self._context_tokens:
            raise EngineError(
                "The conversation is too long for the language model.",
                recovery="Choose a larger context in the settings.",
                detail=f"{n_tokens} tokens of {self._context_tokens}",
            )
        self._compute(messages)
        answer = self._answers[self._n_answered % len(self._answers)]
        self._n_answered += 1
        if messages and messages[-1].role == "assistant":
            answer = answer.removeprefix(messages[-1].content)
        for stop in options.stop:
            answer = answer.partition(stop)[0]
        for word in _words(answer)[: options.max_tokens]:
            self._reach_item(is_cancelled)
            if is_cancelled():
                return
            yield word

    def _compute(self, messages: Sequence[ChatMessage]) -> int:
        tokens = _tokens(messages)
        pairs = zip(tokens, self._cache, strict=False)
        n_shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._cache = tokens
        return len(tokens) - n_shared


class ScriptedTextToSpeech(_Scripted):
    """`TextToSpeech` that hums: a sine tone as long as the text."""

    def __init__(self, settings: ScriptedTextToSpeechSettings) -> None:
        super().__init__(settings.script)
        self._settings = settings

    @property
    def sample_rate_hz(self) -> int:
        """As in the settings."""
        return self._settings.sample_rate_hz

    @property
    def voices(self) -> tuple[str, ...]:
        """As in the settings."""
        return self._settings.voices

    def synthesize(
        self,
        text: str,
        *,
        voice: str,
        speed: float = 1.0,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[Pcm]:
        """The voice's tone in pieces of `piece_s`."""
        settings = self._settings
        if voice not in settings.voices:
            raise SettingsError(
                f"There is no voice called {voice!r}.",
                recovery=f"Use one of: {', '.join(settings.voices)}.",
            )
        if not 0.5 <= speed <= 2.0:
            raise SettingsError(f"The speed is {speed}, but must lie between 0.5 and 2.")
        self._reach_call(is_cancelled)
        n_characters = sum(map(str.isalnum, text))
        n_samples = round(
            n_characters * settings.seconds_per_character / speed * settings.sample_rate_hz
        )
        n_piece = round(settings.piece_s * settings.sample_rate_hz)
        pitch_hz = 220.0 + 110.0 * settings.voices.index(voice)
        for start in range(0, n_samples, n_piece):
            self._reach_item(is_cancelled)
            if is_cancelled():
                return
            at = np.arange(start, min(start + n_piece, n_samples))
            phase = 2 * math.pi * pitch_hz / settings.sample_rate_hz * at
            yield (0.3 * np.sin(phase)).astype(np.float32)


class ScriptedVoiceActivityDetector(_Scripted):
    """`VoiceActivityDetector` that takes whatever is loud for speech."""

    def __init__(self, settings: ScriptedVoiceActivityDetectorSettings) -> None:
        super().__init__(settings.script)

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        """0.95 for a loud window, 0.05 for a quiet one."""
        if len(pcm) % FRAME_SAMPLES:
            raise ValueError(f"{len(pcm)} samples are not whole windows of {FRAME_SAMPLES}")
        self._reach_call()
        return [0.95 if _is_loud(window) else 0.05 for window in pcm.reshape(-1, FRAME_SAMPLES)]

    def reset(self) -> None:
        """Nothing to forget."""


class ScriptedEmotionClassifier(_Scripted):
    """`EmotionClassifier` that looks for words."""

    labels = LABELS

    def __init__(self, settings: ScriptedEmotionClassifierSettings) -> None:
        super().__init__(settings.script)
        self._labels_by_word = settings.labels_by_word

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """0.9 for what a text has a word for, or else for neutral; 0.02 for all else."""
        self._reach_call()
        rows = np.zeros((len(texts), len(LABELS)), np.float32)
        for row, text in zip(rows, texts, strict=True):
            if why_unreadable(text) is None:
                words = text.lower()
                found = [label for word, label in self._labels_by_word if word in words]
                row[:] = 0.02
                row[[LABELS.index(label) for label in found or ["neutral"]]] = 0.9
        return rows


def _is_loud(pcm: Pcm) -> bool:
    return len(pcm) > 0 and float(np.sqrt(np.mean(np.square(pcm)))) > _LOUDNESS_OF_SPEECH


def _tokens(messages: Sequence[ChatMessage]) -> list[str]:
    tokens = [token for m in messages for token in (f"<{m.role}>", *m.content.split())]
    return [*tokens, "<assistant>"]


def _words(text: str) -> list[str]:
    """Words with the spaces before them, which joined give the text again."""
    words = [f" {word}" for word in text.split(" ")]
    return [words[0][1:], *words[1:]] if text else []

"""The ports: what the core and the pipeline ask of devices and engines.

A library's own types never cross a port. Every port has one contract suite in
`tests/contracts/`, run on the scripted fake and on every real implementation,
in the same process and in a process of its own.

Audio is mono float32 in [-1, 1] everywhere inside; speech to be recognised is
at 16 kHz, synthesized speech at the voice's own rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.float32]
"""Samples, shape (n_samples,), mono, float32 in [-1, 1]."""

IsCancelled: TypeAlias = Callable[[], bool]
"""Asked between units of work; True: stop soon, raise `Cancelled` or end the iteration."""

SPEECH_SAMPLE_RATE_HZ = 16_000
"""What Whisper, Silero and Smart Turn were trained on."""

FRAME_SAMPLES = 512
"""32 ms at 16 kHz: the window Silero VAD takes."""


def never_cancelled() -> bool:
    """The `IsCancelled` of callers that never cancel."""
    return False


# ---------------------------------------------------------------------- values


@dataclass(frozen=True)
class AudioFrame:
    """A stretch of captured audio.

    Attributes:
        pcm: (n_samples,) float32 at 16 kHz.
        start_sample: position of the first sample since the source was started,
            dropped samples counted, so that a gap is visible as a jump.
    """

    pcm: Pcm
    start_sample: int


@dataclass(frozen=True)
class Transcript:
    """What was recognised.

    Attributes:
        text: stripped text; empty when nothing was said.
        language: ISO 639-1 code that was used or detected.
        language_probability: [0, 1].
        audio_s: seconds of audio recognised.
        no_speech_probability: [0, 1], the recogniser's own estimate.
        is_full_window: True when the padded 30 s window was used (by setting, or
            because the short window's result looked wrong).
    """

    text: str
    language: str = "en"
    language_probability: float = 1.0
    audio_s: float = 0.0
    no_speech_probability: float = 0.0
    is_full_window: bool = False


@dataclass(frozen=True)
class ChatMessage:
    """One message of a chat, as language models take it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class GenerationOptions:
    """How to sample an answer. A temperature of 0 is greedy and repeatable."""

    max_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 0.9
    repeat_penalty: float = 1.1
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineInfo:
    """What an engine says of itself once loaded.

    Attributes:
        engine: registry name, e.g. "faster-whisper".
        model: model id or file name.
        device: where inference really runs, found out from the library and never
            from the wish: "cpu", "cuda:0", "metal" ...
        detail: compute type, threads, layers on the GPU, versions ... for the doctor.
    """

    engine: str
    model: str
    device: str
    detail: dict[str, str] = field(default_factory=dict)


# --------------------------------------------------------------------- engines


@runtime_checkable
class Engine(Protocol):
    """Common to all engines. Not thread-safe: one caller at a time."""

    def load(self) -> None:
        """Load the weights and run one small inference to warm up.

        Raises:
            ModelError: weights missing, damaged, or of a kind the library cannot load.
            EngineError: anything else.
        """

    def info(self) -> EngineInfo:
        """What was loaded and where it runs. Only after `load`."""

    def close(self) -> None:
        """Free everything. Idempotent, and allowed before `load`."""


class VoiceActivityDetector(Engine, Protocol):
    """Tells speech from everything else, window by window."""

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        """One probability in [0, 1] for each whole window of `FRAME_SAMPLES`.

        Args:
            pcm: (k * FRAME_SAMPLES,) float32 at 16 kHz, continuing the last call's.
        Raises:
            ValueError: a length that is not a multiple of `FRAME_SAMPLES`.
        """

    def reset(self) -> None:
        """Forget the past: the next window begins a new stream."""


class SpeechToText(Engine, Protocol):
    """Recognises an utterance."""

    def transcribe(
        self, pcm: Pcm, *, language: str | None = None, is_cancelled: IsCancelled = never_cancelled
    ) -> Transcript:
        """Recognise a whole utterance of any length, silence and nothing included.

        Args:
            pcm: (n_samples,) float32 at 16 kHz.
            language: ISO 639-1 code, or None to detect it.
        Raises:
            Cancelled: `is_cancelled` became true.
            SettingsError: a language the model does not know.
            EngineError: the library failed.
        """


class LanguageModel(Engine, Protocol):
    """Writes answers, and keeps its prefix cache between calls."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """Tokens of the rendered prompt, generation prompt included."""

    def prefill(
        self, messages: Sequence[ChatMessage], *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """Compute the prompt into the cache so that `generate` starts sooner.

        Returns: how many tokens had to be computed (0: all were there already).
        Ends early without an error when cancelled.
        """

    def generate(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[str]:
        """Write the next assistant message, delta by delta.

        Lazy: nothing is computed between two `next` calls, so a caller that
        stops pulling pauses the model. When the last message is the
        assistant's, it is continued rather than answered. Ends early without
        an error when cancelled or closed. Deltas are whole characters.

        Raises:
            EngineError: the library failed, or the prompt does not fit.
        """


class TextToSpeech(Engine, Protocol):
    """Speaks a clause."""

    @property
    def sample_rate_hz(self) -> int:
        """Rate of what `synthesize` yields."""

    @property
    def voices(self) -> tuple[str, ...]:
        """Names that `synthesize` takes."""

    def synthesize(
        self,
        text: str,
        *,
        voice: str,
        speed: float = 1.0,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[Pcm]:
        """Speak plain text (no markup), in one or several pieces, lazily.

        Args:
            text: a clause; nothing to speak yields nothing.
            voice: one of `voices`.
            speed: 0.5 to 2.0.
        Raises:
            SettingsError: an unknown voice or a speed out of range.
            EngineError: the library failed.
        """


class EmotionClassifier(Engine, Protocol):
    """Reads emotions in words."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns of `classify`."""

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated probability of each label for each text, independent of each other.

        Args:
            texts: any length, any script; what a text has beyond the model's window is left out.

        Returns: (len(texts), len(labels)) in [0, 1].

        Raises:
            EngineError: the library failed.
        """


# --------------------------------------------------------------------- devices


class AudioSource(Protocol):
    """A microphone, or something that behaves like one."""

    def start(self) -> None:
        """Open it. Raises DeviceError."""

    def read(self, timeout_s: float) -> AudioFrame | None:
        """The next `FRAME_SAMPLES` samples at 16 kHz; None when none came in time.

        Raises:
            DeviceError: it was unplugged and did not come back.
            EOFError: a recording has ended.
        """

    def stop(self) -> None:
        """Close it. Idempotent."""


class AudioSink(Protocol):
    """A speaker, or something that behaves like one."""

    def start(self) -> None:
        """Open it. Raises DeviceError."""

    def write(
        self, pcm: Pcm, sample_rate_hz: int, *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """Queue samples, waiting while the queue is full. Returns how many were queued."""

    def pending_s(self) -> float:
        """Seconds queued and not heard yet."""

    def flush(self) -> float:
        """Throw away what is not heard yet, at once. Returns the seconds thrown away."""

    def drain(self, *, is_cancelled: IsCancelled = never_cancelled) -> None:
        """Wait until everything queued was heard."""

    def stop(self) -> None:
        """Close it. Idempotent."""

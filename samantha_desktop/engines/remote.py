"""The ports over an engine in a process of its own.

Each is a thin translation of its port to `EngineProcess.call` and `.stream`; who
uses one cannot tell it from the engine itself, except that it outlives crashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.errors import Cancelled
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
from samantha_desktop.engines.process import EngineProcess

_SLOWEST_RECOGNITION = 2.0
"""Recognition that takes longer than this many times the audio hangs."""


class RemoteEngine:
    """What all of them share.

    Args:
        process: runs an engine of the right kind. `load` starts it, `close` ends it.
    """

    def __init__(self, process: EngineProcess) -> None:
        self.process = process

    def load(self) -> None:
        """See `Engine.load` and `EngineProcess.load`."""
        self.process.load()

    def info(self) -> EngineInfo:
        """See `Engine.info`."""
        return self.process.info()

    def close(self) -> None:
        """See `Engine.close`."""
        self.process.close()


class RemoteSpeechToText(RemoteEngine):
    """`SpeechToText` in a process."""

    def transcribe(
        self, pcm: Pcm, *, language: str | None = None, is_cancelled: IsCancelled = never_cancelled
    ) -> Transcript:
        """See `SpeechToText.transcribe`. Raises `EngineDied` as well."""
        audio_s = len(pcm) / SPEECH_SAMPLE_RATE_HZ
        result: Transcript = self.process.call(
            "transcribe",
            pcm,
            language=language,
            is_cancelled=is_cancelled,
            timeout_s=self.process.limits.call_timeout_s + _SLOWEST_RECOGNITION * audio_s,
        )
        return result


class RemoteLanguageModel(RemoteEngine):
    """`LanguageModel` in a process."""

    @property
    def context_tokens(self) -> int:
        """See `LanguageModel.context_tokens`."""
        return int(self.process.fixed_property("context_tokens"))

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        """See `LanguageModel.count_tokens`. Raises `EngineDied` as well."""
        return int(self.process.call("count_tokens", tuple(messages)))

    def prefill(
        self, messages: Sequence[ChatMessage], *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """See `LanguageModel.prefill`. Raises `EngineDied` as well."""
        try:
            return int(self.process.call("prefill", tuple(messages), is_cancelled=is_cancelled))
        except Cancelled:
            return 0  # not an error; how far the model came is not waited for

    def generate(
        self,
        messages: Sequence[ChatMessage],
        options: GenerationOptions,
        *,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[str]:
        """See `LanguageModel.generate`. Raises `EngineDied` as well."""
        return self.process.stream("generate", tuple(messages), options, is_cancelled=is_cancelled)


class RemoteTextToSpeech(RemoteEngine):
    """`TextToSpeech` in a process."""

    @property
    def sample_rate_hz(self) -> int:
        """See `TextToSpeech.sample_rate_hz`."""
        return int(self.process.fixed_property("sample_rate_hz"))

    @property
    def voices(self) -> tuple[str, ...]:
        """See `TextToSpeech.voices`."""
        return tuple(self.process.fixed_property("voices"))

    def synthesize(
        self,
        text: str,
        *,
        voice: str,
        speed: float = 1.0,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[Pcm]:
        """See `TextToSpeech.synthesize`. Raises `EngineDied` as well."""
        return self.process.stream(
            "synthesize", text, voice=voice, speed=speed, is_cancelled=is_cancelled
        )


class RemoteVoiceActivityDetector(RemoteEngine):
    """`VoiceActivityDetector` in a process."""

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        """See `VoiceActivityDetector.speech_probabilities`. Raises `EngineDied` as well."""
        if len(pcm) % FRAME_SAMPLES:
            # Told here, since a ValueError from inside a library would mean something else.
            raise ValueError(f"{len(pcm)} samples are not whole windows of {FRAME_SAMPLES}")
        result: list[float] = self.process.call("speech_probabilities", pcm)
        return result

    def reset(self) -> None:
        """See `VoiceActivityDetector.reset`. Raises `EngineDied` as well."""
        self.process.call("reset")


class RemoteEmotionClassifier(RemoteEngine):
    """`EmotionClassifier` in a process."""

    @property
    def labels(self) -> tuple[str, ...]:
        """See `EmotionClassifier.labels`."""
        return tuple(self.process.fixed_property("labels"))

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `EmotionClassifier.classify`. Raises `EngineDied` as well."""
        result: NDArray[np.float32] = self.process.call("classify", tuple(texts))
        return result

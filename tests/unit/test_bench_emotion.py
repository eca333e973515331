"""The emotion reader's benchmark, with a reader that follows a script."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_emotion_model import write_tiny_emotion_model

from samantha_desktop.bench import emotion
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig, read_config
from samantha_desktop.engines.scripted import (
    ScriptedEmotionClassifier,
    ScriptedEmotionClassifierSettings,
)

SPEECH = np.sin(np.arange(16_000) * 0.08).astype(np.float32)


class Watched(ScriptedEmotionClassifier):
    def __init__(self) -> None:
        super().__init__(ScriptedEmotionClassifierSettings())
        self.n_texts: list[int] = []

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.n_texts.append(len(texts))
        return super().classify(texts)


@pytest.fixture
def config(tmp_path: Path) -> EmotionModelConfig:
    return read_config(write_tiny_emotion_model(tmp_path))


def test_utterances_are_read_one_by_one_and_explained_at_once(config: EmotionModelConfig) -> None:
    reader = Watched()
    document = emotion.run(reader, config, SPEECH, n_runs=10)
    json.dumps(document)
    assert set(reader.n_texts) == {1, 20}
    assert reader.n_texts.count(20) == 2
    for key in ("utterance_ms", "explanation_ms", "voice_ms"):
        figures = document[key]
        assert 0 < figures["min"] <= figures["p50"] <= figures["p95"] <= figures["max"]
    assert document["n_runs"] == 10


def test_the_table_says_it_all(config: EmotionModelConfig) -> None:
    document = emotion.run(Watched(), config, SPEECH, n_runs=1)
    document["utterance_ms"] |= {"p50": 1.75, "p95": 4.25}
    document["explanation_ms"]["p50"] = 61.0
    table = emotion.as_table(document)
    assert "1.75 ms     4.25 ms  within the bar of 2 ms" in table
    assert "above the bar of 60 ms" in table
    assert document["model"] in table


def test_what_is_explained_has_twenty_words() -> None:
    assert len(emotion.EXPLAINED.split()) == 20

"""The emotion reader that ships: files, size, and what it makes of plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from samantha_desktop.app import emotion_model_dir
from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.core.explanation import explain, variants
from samantha_desktop.core.mood import read_emotion
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig, read_config
from samantha_desktop.engines.emotion.onnx_classifier import (
    OnnxEmotionClassifier,
    OnnxEmotionClassifierSettings,
)

pytestmark = pytest.mark.engine

MAX_BYTES = 25_000_000

SENTENCES = {
    "I am so happy, this is the best day of my life!": "joy",
    "Thank you so much, you are wonderful.": "joy",
    "I miss him so much, I cannot stop crying.": "sadness",
    "I am so angry that I could scream.": "anger",
    "I am terrified of what might happen.": "fear",
    "That is disgusting, it makes me sick.": "disgust",
    "Wow, I did not expect that at all!": "surprise",
    "The train leaves at nine.": "neutral",
}
"""As plain as can be: whoever cannot tell these apart can tell nothing."""


@pytest.fixture(scope="module")
def reader() -> Iterator[OnnxEmotionClassifier]:
    engine = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(emotion_model_dir()))
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def config() -> EmotionModelConfig:
    return read_config(emotion_model_dir())


def test_it_is_whole_and_small() -> None:
    sizes = {path.name: path.stat().st_size for path in emotion_model_dir().iterdir()}
    assert {"model.onnx", "tokenizer.json", "config.json", "MODEL_CARD.md"} <= set(sizes)
    assert sum(sizes.values()) <= MAX_BYTES


@pytest.mark.parametrize(("text", "group"), SENTENCES.items())
def test_plain_sentences_are_told_apart(
    reader: OnnxEmotionClassifier, config: EmotionModelConfig, text: str, group: str
) -> None:
    groups = config.groups["dialogue"].probabilities(reader.classify([text]))[0]
    assert GROUPS[groups.argmax()] == group


def test_neighbours_do_not_matter(reader: OnnxEmotionClassifier) -> None:
    texts = [*SENTENCES, "No.", "and so on " * 100]
    together = reader.classify(texts)
    alone = np.concatenate([reader.classify([text]) for text in texts])
    assert np.array_equal(together, alone)


def test_curly_quotes_make_no_difference(reader: OnnxEmotionClassifier) -> None:
    straight, curly = reader.classify(["I can't believe it's over!", "I can’t believe it’s over!"])
    assert np.array_equal(straight, curly)


def test_the_word_that_carries_a_sentence_is_found(
    reader: OnnxEmotionClassifier, config: EmotionModelConfig
) -> None:
    text = "We went to the park and I was terrified the whole time."
    dialogue = config.groups["dialogue"]
    labels = reader.classify([text])
    reading = read_emotion(labels[0], dialogue.probabilities(labels)[0])
    without = dialogue.probabilities(reader.classify(variants(text)))
    explanation = explain(text, reading, without)
    assert explanation.group == "fear"
    assert explanation.words[0].word.text == "terrified"
    assert explanation.words[0].weight > 0.3


def test_the_thresholds_can_be_reached(config: EmotionModelConfig) -> None:
    assert len(config.threshold) == len(LABELS)
    for thresholds in (config.threshold, *(group.threshold for group in config.groups.values())):
        assert ((thresholds > 0) & (thresholds < 1)).all()

"""What every `EmotionClassifier` promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.ports import Engine

KIND = "emotion"

HAPPY = "I am so happy, thank you!"


def test_close_before_load_and_twice(unloaded: Engine) -> None:
    unloaded.close()
    unloaded.close()


def test_info_says_what_runs_where(engine: Any, implementation: Any) -> None:
    info = engine.info()
    assert info.engine == implementation.spec.name
    assert info.model
    assert info.device.partition(":")[0] in ("cpu", "cuda", "metal")
    assert all(isinstance(value, str) for value in info.detail.values())


def test_the_labels_are_those_that_are_known_everywhere(engine: Any) -> None:
    assert engine.labels == LABELS


@pytest.mark.parametrize("n_texts", [0, 1, 2, 70])
def test_one_row_of_probabilities_per_text(engine: Any, n_texts: int) -> None:
    texts = [f"{HAPPY} {'It is. ' * (n % 5)}" for n in range(n_texts)]
    before = list(texts)
    rows = engine.classify(texts)
    assert rows.shape == (n_texts, len(LABELS))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert ((rows >= 0) & (rows <= 1)).all()
    assert texts == before


def test_joy_is_told_from_sadness(engine: Any) -> None:
    happy, sad = engine.classify([HAPPY, "I am so sad, I have been crying all day."])
    joyful = [LABELS.index(label) for label in ("joy", "gratitude", "excitement")]
    assert happy[joyful].max() > 0.5 > sad[joyful].max()
    assert sad[LABELS.index("sadness")] > 0.3 > happy[LABELS.index("sadness")]


def test_the_same_text_has_the_same_probabilities(engine: Any) -> None:
    rows = engine.classify([HAPPY, HAPPY])
    assert np.array_equal(rows, engine.classify([HAPPY, HAPPY]))


def test_neighbours_do_not_matter(engine: Any) -> None:
    alone = engine.classify([HAPPY])[0]
    among_others = engine.classify(["No.", HAPPY, "The train leaves at nine. " * 20])[1]
    assert np.array_equal(alone, among_others)


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "😀😀", "?!", "42", "我很高兴", "أنا حزين"])
def test_what_cannot_be_judged_has_no_probability(engine: Any, text: str) -> None:
    assert not engine.classify([text, HAPPY])[0].any()


def test_ten_thousand_words_and_half_a_character_are_fine(engine: Any) -> None:
    rows = engine.classify(["happy " * 10_000, "happy \ud83d", "happy" * 50_000])
    assert rows.shape == (3, len(LABELS))
    assert np.isfinite(rows).all()

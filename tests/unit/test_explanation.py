"""Why a mood was read: with a classifier that is a list of words."""

from collections.abc import Sequence
from dataclasses import replace
from json import dumps

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantha_desktop.core.emotions import GROUPS, LABELS, group_probabilities
from samantha_desktop.core.explanation import (
    MAX_WORDS,
    Explanation,
    Word,
    attributions,
    explain,
    variants,
    words_of,
)
from samantha_desktop.core.mood import EmotionReading, read_emotion

FEELINGS = {"love": ("love", 0.8), "happy": ("joy", 0.6), "sad": ("sadness", 0.7)}


def classify(texts: Sequence[str]) -> np.ndarray:
    """(n, 28): "not" takes half of every feeling away."""
    rows = np.full((len(texts), len(LABELS)), 0.01, dtype=np.float32)
    for row, text in enumerate(texts):
        said = [word.text.lower() for word in words_of(text)]
        for word in said:
            if word in FEELINGS:
                label, probability = FEELINGS[word]
                rows[row, LABELS.index(label)] = probability * (0.5 if "not" in said else 1.0)
    return rows


def read(text: str, voice_arousal: float | None = None) -> EmotionReading:
    labels = classify([text])
    return read_emotion(labels[0], group_probabilities(labels)[0], voice_arousal=voice_arousal)


def why(text: str, voice_arousal: float | None = None) -> Explanation:
    without = group_probabilities(classify(variants(text)))
    return explain(text, read(text, voice_arousal), without)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n?! ...", []),
        ("I'm sad!", ["I'm", "sad"]),
        ("A well-known “fact”—isn’t it?", ["A", "well-known", "fact", "isn’t", "it"]),
        ("snake_case", ["snake", "case"]),
        ("Ich bin müde 😢", ["Ich", "bin", "müde"]),
    ],
)
def test_words_are_found(text: str, expected: list[str]) -> None:
    assert [word.text for word in words_of(text)] == expected


def test_each_variant_lacks_one_word_and_nothing_else() -> None:
    without = (" so, so sad!", "I'm , so sad!", "I'm so,  sad!", "I'm so, so !")
    assert variants("I'm so, so sad!") == without


def test_of_a_long_text_only_the_first_words_are_left_out() -> None:
    text = "word " * 10_000
    assert len(words_of(text)) == len(variants(text)) == MAX_WORDS


@given(st.text(max_size=200))
def test_words_stand_where_they_say(text: str) -> None:
    words = words_of(text)
    assert all(text[word.start : word.end] == word.text for word in words)
    assert all(
        len(variant) == len(text) - len(word.text)
        for word, variant in zip(words, variants(text), strict=True)
    )


def test_the_word_that_carried_the_mood_comes_first() -> None:
    explanation = why("I love this old song")
    assert explanation.group == "joy"
    assert [item.word for item in explanation.words] == [Word("love", 2)]
    assert explanation.words[0].weight == pytest.approx(0.74, abs=0.01)


def test_a_word_that_speaks_against_it_has_a_negative_weight() -> None:
    weights = {item.word.text: item.weight for item in why("I do not love and am happy").words}
    assert weights["not"] < 0 < weights["love"]


def test_the_alternatives_are_in_order_and_end() -> None:
    explanation = why("happy and sad")
    assert [group.name for group in explanation.alternatives[:2]] == ["sadness", "joy"]
    assert len(explanation.alternatives) == 3
    assert explanation.alternatives[0].probability == max(explanation.reading.groups)


def test_what_is_not_claimed_is_explained_too() -> None:
    explanation = why("not love at all")
    assert explanation.reading.group == "not sure"
    assert explanation.group == "joy"
    assert explanation.words


@pytest.mark.parametrize(
    ("voice_arousal", "expected"),
    [
        (None, "Nothing was heard of the voice, or too little to compare it."),
        (0.1, "The voice sounds as usual."),
        (0.6, "The voice sounds more excited than usual."),
        (-0.7, "The voice sounds calmer than usual, which does not go with happy words."),
    ],
)
def test_what_the_voice_added_is_said(voice_arousal: float | None, expected: str) -> None:
    assert why("I love it", voice_arousal).voice == expected


def test_without_words_only_the_voice_is_explained() -> None:
    reading = replace(EmotionReading(), voice_arousal=0.5)
    explanation = explain("😀", reading, np.zeros((0, 7), dtype=np.float32))
    assert (explanation.group, explanation.alternatives, explanation.words) == ("", (), ())
    assert explanation.voice == "The voice sounds more excited than usual."
    dumps(explanation.document(), allow_nan=False)


def test_the_document_shows_all_of_it() -> None:
    document = why("I love it", -0.7).document()
    assert document["explained"] == document["mood"] == "joy"
    assert document["words"][0]["word"] == "love"
    assert document["contrast"] == "flat voice"
    assert {"alternatives", "voice", "labels", "groups", "source"} <= set(document)
    dumps(document, allow_nan=False)


@settings(deadline=None)
@given(st.lists(st.sampled_from([*FEELINGS, "not", "the"]), min_size=1, max_size=12))
def test_weights_are_bounded_and_in_order(said: list[str]) -> None:
    text = " ".join(said)
    without = group_probabilities(classify(variants(text)))
    for group in GROUPS:
        weights = [abs(x.weight) for x in attributions(text, read(text).groups, without, group)]
        assert weights == sorted(weights, reverse=True)
        assert len(weights) == len(said)
        assert all(weight <= 1.0 for weight in weights)


def test_probabilities_of_another_text_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        explain("I love it", read("I love it"), np.zeros((2, 7), dtype=np.float32))

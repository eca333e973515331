"""Word error rate and the normalisation both sides go through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantha_desktop.core.word_errors import (
    WordErrors,
    count_word_errors,
    normalize_words,
    word_error_rate,
)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello, World!", "hello world"),
        ("It's 7:30.", "its seven thirty"),
        ("at 9:05", "at nine oh five"),
        ("at 3:00", "at three o'clock"),
        ("I paid $5", "I paid five dollars"),
        ("$1,250", "one thousand two hundred fifty dollars"),
        ("50% of 1,000", "fifty percent of one thousand"),
        ("105", "one hundred and five"),
        ("105", "one hundred five"),
        ("in 1999", "in nineteen ninety-nine"),
        ("the 21st", "the twenty first"),
        ("3.5 litres", "three point five litres"),
        ("U.S.A. today", "USA today"),
        ("well-known", "well known"),
        ("Dr. Who, OK?", "doctor who okay"),
        ("don’t", "don't"),
        ("20°", "twenty degrees"),
        ("10 km", "ten kilometres"),
    ],
)
def test_what_sounds_alike_is_alike(written: str, spoken: str) -> None:
    assert normalize_words(written) == normalize_words(spoken)


def test_punctuation_alone_is_no_word() -> None:
    assert normalize_words(" ... — ! _ ") == []


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("what time is it", "what time is it", 0.0),
        ("what time is it", "what time it", 0.25),
        ("what time is it", "what dime is it", 0.25),
        ("what time is it", "what time is it now", 0.25),
        ("what time is it", "", 1.0),
        ("", "", 0.0),
        ("", "thank you", 2.0),
        ("yes", "yes yes yes", 2.0),
    ],
)
def test_rate(reference: str, hypothesis: str, rate: float) -> None:
    assert word_error_rate(reference, hypothesis) == pytest.approx(rate)


def test_pooling_weighs_by_words() -> None:
    pooled = count_word_errors("one", "two") + count_word_errors("a b c", "a b c")
    assert pooled == WordErrors(n_errors=1, n_words=4)
    assert pooled.rate == pytest.approx(0.25)


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_equals_itself_and_normalising_twice_changes_nothing(text: str) -> None:
    words = normalize_words(text)
    assert normalize_words(" ".join(words)) == words
    assert word_error_rate(text, text) == 0.0


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
@settings(deadline=None)
def test_errors_are_symmetric_and_bounded(left: list[str], right: list[str]) -> None:
    there = count_word_errors(" ".join(left), " ".join(right)).n_errors
    back = count_word_errors(" ".join(right), " ".join(left)).n_errors
    assert there == back
    assert abs(len(left) - len(right)) <= there <= max(len(left), len(right))

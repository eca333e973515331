"""What is left of a text before it is read, and what cannot be read at all."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.emotion_text import normalised, why_unreadable


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("I don’t “know”…", 'I don\'t "know"…'),
        ("well — it’s\u00a0fine", "well — it's fine"),
        ("a\x00b\tc\r\nd", "a b c d"),
        ("zero\u200bwidth \ufeffmark", "zerowidth mark"),
        ("half \ud83d character", "half character"),
        ("cafe\u0301", "café"),
        ("  \n ", ""),
        ("happy 😀", "happy 😀"),
    ],
)
def test_the_same_words_become_the_same_text(text: str, plain: str) -> None:
    assert normalised(text) == plain


@given(st.text())
def test_it_is_done_once_and_for_all(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once
    assert once == once.strip()
    assert not {"Cc", "Cf", "Cs"} & {unicodedata.category(character) for character in once}
    once.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \t\u200b\n", "empty"),
        ("😀😀👍🏽", "no_words"),
        ("?!...", "no_words"),
        ("12:30", "no_words"),
        ("我很高兴", "other_script"),
        ("Мне очень грустно", "other_script"),
        ("أنا حزين", "other_script"),
        ("ok 我今天非常非常高兴", "other_script"),
        ("I am happy 😀", None),
        ("I met 李明 today and it was great", None),
        ("déjà vu", None),
        ("x", None),
    ],
)
def test_what_cannot_be_judged_is_told_apart(text: str, reason: str | None) -> None:
    assert why_unreadable(text) == reason

"""History: its budget, and replies cut to what was heard."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.history import NOTHING_HEARD, TRIM_TO, History, heard_text
from samantha_desktop.core.ports import ChatMessage


def count_words(messages: Sequence[ChatMessage]) -> int:
    return sum(1 + len(message.content.split()) for message in messages)


WORDS = st.integers(0, 12).map(lambda n: " ".join(["word"] * n))


def _history(turns: Sequence[tuple[str, str]]) -> History:
    history = History()
    for user_text, assistant_text in turns:
        history = history.with_turn(user_text, assistant_text)
    return history


HISTORIES = st.lists(st.tuples(WORDS, WORDS), max_size=20).map(_history)


def test_turns_become_messages() -> None:
    history = History().with_turn("Hi.", "Hello!").with_turn("Why?", "", was_interrupted=True)
    assert history.messages() == (
        ChatMessage("user", "Hi."),
        ChatMessage("assistant", "Hello!"),
        ChatMessage("user", "Why?"),
        ChatMessage("assistant", NOTHING_HEARD),
    )
    assert [turn.was_interrupted for turn in history.turns] == [False, True]


@given(HISTORIES, st.integers(0, 200))
def test_trimmed_it_fits_and_keeps_the_newest(history: History, budget: int) -> None:
    trimmed = history.trimmed(budget, count_words)
    assert count_words(trimmed.messages()) <= budget
    n_kept = len(trimmed.turns)
    assert trimmed.turns == history.turns[len(history.turns) - n_kept :]
    if n_kept < len(history.turns):
        assert count_words(history.messages()) > budget
        assert count_words(trimmed.messages()) <= budget * TRIM_TO
        one_more = History(history.turns[len(history.turns) - n_kept - 1 :])
        assert count_words(one_more.messages()) > budget * TRIM_TO


@given(HISTORIES, st.integers(0, 200))
def test_what_fits_stays_the_same_object(history: History, budget: int) -> None:
    trimmed = history.trimmed(budget, count_words)
    assert trimmed.trimmed(budget, count_words) is trimmed


def test_the_beginning_changes_seldom() -> None:
    history, beginnings = History(), []
    for number in range(100):
        history = history.with_turn(f"question {number}", "an answer of five words").trimmed(
            100, count_words
        )
        beginnings.append(history.turns[0].user_text)
    assert len(set(beginnings)) <= 20


def test_counting_is_asked_for_seldom() -> None:
    history = _history([("one two", "three four")] * 1000)
    calls = 0

    def count(messages: Sequence[ChatMessage]) -> int:
        nonlocal calls
        calls += 1
        return count_words(messages)

    assert history.trimmed(100, count).turns
    assert calls <= 12


# ------------------------------------------------------------------------- heard


@pytest.mark.parametrize(
    ("clauses", "heard"),
    [
        ([], ""),
        ([("It's Paris.", 1.0)], "It's Paris."),
        ([("It's Paris.", 0.0)], ""),
        ([("It's Paris.", 0.6)], "It's"),
        ([("Well,", 1.0), ("that depends on you.", 0.7)], "Well, that depends"),
        ([("Well,", 1.0), ("that depends.", 0.2), ("Never said.", 0.0)], "Well,"),
        ([("One.", 1.0), ("Two.", 0.0), ("Three.", 1.0)], "One."),
        ([("  One. ", 1.0), (" ", 1.0), ("Two.\n", 1.0)], "One. Two."),
        ([("你好,", 1.0), ("今天过得怎么样?", 0.5)], "你好,今天过得"),
        ([("你好。", 1.0), ("今天", 1.0)], "你好。今天"),
        ([("Hello", 1.4)], "Hello"),
    ],
)
def test_heard(clauses: list[tuple[str, float]], heard: str) -> None:
    assert heard_text(clauses) == heard


CLAUSES = st.lists(
    st.tuples(
        st.lists(st.text("abcdé'", min_size=1, max_size=6), max_size=5).map(" ".join),
        st.floats(0, 1),
    ),
    max_size=5,
)


@given(CLAUSES)
def test_only_whole_words_are_heard(clauses: list[tuple[str, float]]) -> None:
    said = " ".join(text for text, _ in clauses).split()
    heard = heard_text(clauses).split()
    assert heard == said[: len(heard)]


@given(CLAUSES, st.integers(0, 5))
def test_more_sound_is_never_less_text(clauses: list[tuple[str, float]], n_whole: int) -> None:
    more = [(text, 1.0 if i < n_whole else heard) for i, (text, heard) in enumerate(clauses)]
    assert heard_text(more).startswith(heard_text(clauses))


@given(CLAUSES)
def test_all_sound_is_all_text(clauses: list[tuple[str, float]]) -> None:
    whole = [(text, 1.0) for text, _ in clauses]
    assert heard_text(whole).split() == " ".join(text for text, _ in clauses).split()


@given(st.lists(st.tuples(st.text(max_size=30), st.floats(0, 2)), max_size=4))
def test_any_text_can_be_cut(clauses: list[tuple[str, float]]) -> None:
    said = "".join("".join(text.split()) for text, _ in clauses)
    assert said.startswith("".join(heard_text(clauses).split()))

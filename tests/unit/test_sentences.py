"""Clauses: where they are cut, where never, and that nothing is lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.sentences import Clause, ClauseSplitter


def clauses(text: str, max_words: int = 8, min_words: int = 2) -> list[tuple[str, str]]:
    splitter = ClauseSplitter()
    splitter.feed(text)
    splitter.finish()
    taken = []
    while (clause := splitter.take(max_words, min_words)) is not None:
        taken.append((clause.text, clause.ends))
    assert splitter.is_done
    return taken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", [("Yes.", "sentence")]),
        ("No end", [("No end", "sentence")]),
        ("Well sure, I can.", [("Well sure, I can.", "sentence")]),
        (
            "Well sure, I can help you with that today. Bye!",
            [("Well sure,", "clause"), ("I can help you with that today. Bye!", "sentence")],
        ),
        (
            "I like it. You like it. We all like it a lot, really.",
            [
                ("I like it. You like it.", "sentence"),
                ("We all like it a lot, really.", "sentence"),
            ],
        ),
        (
            "The capital of France is Paris which is a city that I love",
            [
                ("The capital of France is Paris", "cut"),
                ("which is a city that I love", "sentence"),
            ],
        ),
        (
            "Line one goes here\nline two goes there as well today",
            [("Line one goes here", "clause"), ("line two goes there as well today", "sentence")],
        ),
        (
            "A title\n\nand then a paragraph with no mark at its end",
            [
                ("A title", "sentence"),
                ("and then a paragraph with no mark", "cut"),
                ("at its end", "sentence"),
            ],
        ),
        (
            "It was good — and then it was not so good at all.",
            [
                ("It was good —", "clause"),
                ("and then it was not so good", "cut"),
                ("at all.", "sentence"),
            ],
        ),
        ("你好，世界。我很高兴", [("你好，世界。我很高兴", "sentence")]),
    ],
)
def test_where_it_is_cut(text: str, expected: list[tuple[str, str]]) -> None:
    assert clauses(text) == expected


def test_chinese_and_japanese_count_two_characters_as_a_word() -> None:
    text = "我今天很高兴见到你！我们去吃饭吧，好不好？这里没有标点的句子很长很长很长"
    taken = clauses(text, max_words=6)
    assert taken[0] == ("我今天很高兴见到你！", "sentence")
    assert taken[1] == ("我们去吃饭吧，好不好？", "sentence")
    assert all(len(part) <= 14 for part, _ in taken)
    assert (
        clauses("今日はいい天気ですね。散歩に行きましょう。", max_words=7)[0][0]
        == "今日はいい天気ですね。"
    )


@pytest.mark.parametrize(
    "unbroken",
    [
        "Dr. Smith",
        "Mrs. Dalloway",
        "e.g. Rome",
        "i.e. Rome",
        "U.S. Army",
        "J. K. Rowling",
        "vs. Rome",
        "St. Mary",
        "approx. 5",
        "fig. 3",
        "no. 5",
        "No. 5",
        "3.5 cats",
        "10:30 tonight",
        "1,000 cats",
        "March 5, 2026",
        "Ph.D. thesis",
        "(who was there. Really.)",
        '"Hello. You. There."',
        "“Hello. You. There.”",
        '"Really?" she asked',
        "5 p.m. sharp",
    ],
)
def test_what_is_never_broken(unbroken: str) -> None:
    text = f"We saw that {unbroken} and so on, I think. It was a good day."
    for max_words in (8, 12):
        assert any(unbroken in part for part, _ in clauses(text, max_words)), clauses(text)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("We met at 5 p.m. Then we went home again, all of us.", "We met at 5 p.m."),
        ("I said no. Then we went home again, all of us.", "I said no."),
        ("We sat in the sun. Then we went home again, all of us.", "We sat in the sun."),
        ("It was red, blue, etc. Then we went home again together.", "It was red, blue, etc."),
        ('He said "stop it." Then we went home again, all of us.', 'He said "stop it."'),
        ("It was 2008. Then we went home again, all of us, at last.", "It was 2008."),
        ("So did I. Then we went home again, all of us, at last.", "So did I."),
        ("Well... I think so, but we went home again, all of us.", "Well... I think so,"),
        ("Is that so?! Then we went home again, all of us.", "Is that so?!"),
    ],
)
def test_what_does_end_a_sentence(text: str, first: str) -> None:
    assert clauses(text)[0][0] == first


def test_a_first_clause_does_not_wait_for_the_sentence() -> None:
    splitter = ClauseSplitter()
    splitter.feed("That is a")
    assert splitter.take(6, 2) is None
    splitter.feed(" good question,")
    assert splitter.take(6, 2) is None  # "question," may go on, as in 1,000
    splitter.feed(" and")
    assert splitter.take(6, 2) == Clause("That is a good question,", "clause", 0, 24)
    splitter.feed(" here is")
    assert splitter.take(6, 2) is None
    splitter.finish()
    assert splitter.take(6, 2) == Clause("and here is", "sentence", 25, 36)
    assert splitter.take(6, 2) is None


def test_without_punctuation_the_budget_decides() -> None:
    splitter = ClauseSplitter()
    splitter.feed("I would love to go to the sea ")
    clause = splitter.take(7, 2)
    assert clause is not None
    assert clause.ends == "cut"
    assert not clause.text.endswith((" the", " to"))
    assert 2 <= len(clause.text.split()) <= 7


def test_a_sentence_too_short_waits_for_more() -> None:
    splitter = ClauseSplitter()
    splitter.feed("Yes. ")
    assert splitter.take(6, 2) is None
    taken = splitter.take(6, 1)
    assert taken is not None
    assert taken.text == "Yes."


def test_budgets_that_make_no_sense_are_refused() -> None:
    for max_words, min_words in ((0, 0), (1, 2), (5, 0)):
        with pytest.raises(ValueError, match="min_words"):
            ClauseSplitter().take(max_words, min_words)


TEXT = st.text(
    st.sampled_from("ab I.,;:!?…—-\"'()[]“”\n 12你。，") | st.characters(exclude_categories=["C"]),
    max_size=300,
)


@given(
    st.lists(TEXT, max_size=8),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=5),
)
def test_nothing_is_lost_and_nothing_doubled(
    deltas: list[str], budgets: list[tuple[int, int]]
) -> None:
    text = "".join(deltas)
    splitter = ClauseSplitter()
    taken: list[Clause] = []
    n_asked = 0

    def take_all() -> None:
        nonlocal n_asked
        while True:
            a, b = budgets[n_asked % len(budgets)]
            n_asked += 1
            clause = splitter.take(max(a, b), min(a, b))
            if clause is None:
                return
            taken.append(clause)
            assert len(clause.text.split()) <= max(a, b)

    for delta in deltas:
        splitter.feed(delta)
        take_all()
    splitter.finish()
    take_all()
    assert splitter.is_done
    assert all(clause.text and clause.text == text[clause.start : clause.end] for clause in taken)
    assert all(a.end <= b.start for a, b in itertools.pairwise(taken))
    assert "".join("".join(c.text for c in taken).split()) == "".join(text.split())


def test_long_words_are_cut_hard() -> None:
    taken = clauses("x" * 1000, max_words=4)
    assert "".join(part for part, _ in taken) == "x" * 1000
    assert all(len(part) <= 240 for part, _ in taken)


def test_long_text_is_taken_in_linear_time() -> None:
    text = "A word or two, and then some more of them. " * 2500
    assert sum(len(part) + 1 for part, _ in clauses(text, 20)) == len(text)

"""Tokens' bytes to text: whole characters, stop sequences."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.engines.llm.token_text import TextAssembler


def _deltas(pieces: list[bytes], stop: tuple[str, ...] = ()) -> list[str]:
    text = TextAssembler(stop)
    deltas = [text.push(piece) for piece in pieces]
    return [*deltas, "" if text.is_stopped else text.finish()]


def _chopped(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


def test_half_a_character_waits_for_its_other_half() -> None:
    assert _deltas([b"a\xf0\x9f", b"\x99", b"\x82b"]) == ["a", "", "🙂b", ""]


def test_half_a_character_at_the_end_is_left_out() -> None:
    assert "".join(_deltas([b"ok\xe4\xbd"])) == "ok"


def test_what_is_no_utf8_is_left_out() -> None:
    assert "".join(_deltas([b"a\xff", b"\xc3(", b"b"])) == "a(b"


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["Hello", " world"], ("wor",), ["Hello", " ", ""]),
        (["Hello\n", "\nUser"], ("\n\nUser",), ["Hello", "", ""]),
        (["Hello\n", "\nYou"], ("\n\nUser",), ["Hello", "\n\nYou", ""]),
        (["a#", "b"], ("##",), ["a", "#b", ""]),
        (["a#"], ("##",), ["a", "#"]),
        (["one two"], ("two", "one"), ["", ""]),
        (["plain"], ("",), ["plain", ""]),
    ],
)
def test_stop_sequences(pieces: list[str], stop: tuple[str, ...], expected: list[str]) -> None:
    assert _deltas([piece.encode() for piece in pieces], stop) == expected


def test_nothing_comes_after_a_stop() -> None:
    text = TextAssembler(("x",))
    assert text.push(b"axb") == "a"
    assert text.is_stopped
    assert text.push(b"c") == ""
    assert text.finish() == ""


@given(st.text(), st.lists(st.integers(0, 200)))
def test_text_is_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "ignore")
    assert "".join(_deltas(_chopped(data, cuts))) == data.decode()


@given(st.text("ab\n"), st.text("ab\n", min_size=1, max_size=3), st.lists(st.integers(0, 200)))
def test_text_ends_before_the_first_stop(text: str, stop: str, cuts: list[int]) -> None:
    assert "".join(_deltas(_chopped(text.encode(), cuts), (stop,))) == text.partition(stop)[0]

"""Speakable text, as it streams in, cut into clauses for the voice.

The first clause of an answer is wanted short, so that it is heard early; later
ones long, since a voice's melody spans a sentence. How long is the caller's to
decide, clause by clause: `ClauseSplitter.take` is given a budget of words and
finds the best place to cut within it.

Nothing is lost, doubled or changed: the clauses, joined, are the text up to
white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["sentence", "clause", "cut"]
"""How a clause ends: a finished sentence, a comma or the like, or in mid-phrase."""


@dataclass(frozen=True)
class Clause:
    """A piece of text to speak in one go.

    Attributes:
        text: without white space around it.
        ends: how it ends, which decides the pause after it.
        start, end: its place in the stream that was fed, in characters.
    """

    text: str
    ends: Ending
    start: int
    end: int


@dataclass(frozen=True)
class _Boundary:
    """A place to cut: after `n_words` words and `end` characters of the buffer."""

    end: int
    n_words: float
    ends: Ending
    strength: int  # 3 sentence, 2 clause, 1 before a connecting word, 0 anywhere


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Nothing is cut after these: what follows belongs to them.
_ABBREVIATIONS = _words(
    "mr mrs ms dr prof rev fr hon gen col sgt capt lt maj sen gov pres st mt ft nos vs "
    "figs eq vol ch pp pg eds approx cf ca inc ltd co corp dept univ ave blvd "
    "rd jan feb mar apr jun jul aug sep sept oct nov dec mon tue thu fri jr sr "
    "viz avg u.s u.k ph.d b.c a.d d.c"
)
# These also end sentences, or are words as well: a capital letter after them tells.
_MAY_END_SENTENCE = _words("etc a.m p.m sun sat wed sec min max fig rep al ed est no")

_CONNECTING = _words(
    "and or but nor so yet because since although though while when where whereas whenever "
    "if unless until after before that which who whom whose in on at by for from with without "
    "to into onto about over under between through during against among than as like "
    "including towards toward except plus then"
)
# A clause does not end with one of these: they lean on the next word.
_LEANING = _CONNECTING | _words(
    "a an the of my your his her its our their this these those is are was were be been am "
    "i you he she it we they i'm you're he's she's it's we're they're i'll you'll we'll i'd "
    "i've you've we've not no very really quite too more most some any every each all both "
    "can could will would shall should may might must do does did have has had just also "
    "there's that's what's let's don't can't won't"
)

_MAX_WORD_CHARS = 60
_CJK = r"\u2e80-\u2fff\u3005-\u3007\u3021-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
_CJK_PUNCTUATION = "。！？，、；：…「」『』（）《》【】．～"
_TOKEN = re.compile(
    rf"(?:[{_CJK}][{_CJK_PUNCTUATION}]*|(?:(?![{_CJK}])\S){{1,{_MAX_WORD_CHARS}}})(\s*)"
)
_CJK_CHAR = re.compile(rf"[{_CJK}]")

_OPENING = "([{“«「『（《【"
_CLOSING = ")]}”»」』）》】"
_TRAILING = "\"'’" + _CLOSING
_SENTENCE_MARKS = ".!?。！？．"
_CLAUSE_MARKS = ",;:，；：、…"


class ClauseSplitter:
    """Cuts a stream of speakable text into clauses.

    Feed deltas, then call `finish` once; call `take` whenever a clause is wanted.
    """

    def __init__(self) -> None:
        self._buffer = ""
        self._offset = 0  # of the buffer's first character in the stream
        self._is_finished = False

    def feed(self, delta: str) -> None:
        """Take more text in."""
        self._buffer += delta

    def finish(self) -> None:
        """Nothing more will be fed: what is left may be taken without its ending."""
        self._is_finished = True

    @property
    def is_done(self) -> bool:
        """Finished, and everything was taken."""
        return self._is_finished and not self._buffer.strip()

    def take(self, max_words: int, min_words: int = 1) -> Clause | None:
        """The next clause: the longest within the budget that ends well.

        A sentence's end is preferred, then a comma or the like. Only when
        `max_words` words are there and hold neither does a clause end before a
        connecting word ("and", "with", "that" ...), else between two words.

        Args:
            max_words: at most so many words as spoken (Chinese and Japanese: two characters
                each; numbers: one less than digits), but at least one as written.
            min_words: at least so many, unless the text ends before.
        Returns: None when more text is needed, or nothing is left.
        Raises:
            ValueError: min_words < 1 or max_words < min_words.
        """
        if not 1 <= min_words <= max_words:
            raise ValueError(f"need 1 <= min_words <= max_words, not {min_words}, {max_words}")
        leading = len(self._buffer) - len(self._buffer.lstrip())
        self._buffer = self._buffer[leading:]
        self._offset += leading
        boundary = self._best_boundary(max_words, min_words) if self._buffer else None
        if boundary is None:
            return None
        text = self._buffer[: boundary.end].rstrip()
        clause = Clause(text, boundary.ends, self._offset, self._offset + len(text))
        self._buffer = self._buffer[boundary.end :]
        self._offset += boundary.end
        return clause

    def _best_boundary(self, max_words: int, min_words: int) -> _Boundary | None:
        best: _Boundary | None = None
        longest: _Boundary | None = None  # within the budget, good or not
        is_budget_full = False
        for boundary in self._boundaries():
            if boundary.n_words > max_words and longest is not None:
                is_budget_full = True
                break
            longest = boundary
            is_budget_full = boundary.n_words >= max_words
            if self._is_finished and boundary.end == len(self._buffer):
                ends: Ending = "sentence" if boundary.strength != 2 else "clause"
                return _Boundary(boundary.end, boundary.n_words, ends, 3)
            if boundary.n_words >= min_words and (
                best is None or boundary.strength >= best.strength
            ):
                best = boundary
            if is_budget_full:
                break
        if is_budget_full:
            return best or longest
        return best if best and best.strength >= 2 else None

    def _boundaries(self) -> Iterator[_Boundary]:
        """Each place between two words, in order, as far as the text is settled."""
        tokens = _tokens(self._buffer, self._is_finished)
        current = next(tokens, None)
        n_words = 0.0
        depth = 0
        is_first = True
        while current is not None:
            following = next(tokens, None)
            n_words += _spoken_words(current[0])
            depth = max(0, depth + _depth_change(current[0].rstrip()))
            word = current[0].rstrip()
            gap = current[0][len(word) :]
            next_word = following[0].rstrip() if following else ""
            ends, strength = _ending(word, gap, next_word, is_first)
            if depth and strength > 1:  # inside quotes or brackets: only if need be
                ends, strength = "cut", 1
            if strength == 1 and n_words < 3:
                strength = 0
            yield _Boundary(current[1], n_words, ends, strength)
            current = following
            is_first = False


def _spoken_words(word: str) -> float:
    """How many words a written one is when spoken: numbers are long, Chinese signs are not."""
    if _CJK_CHAR.match(word):
        return 0.5
    return max(1.0, sum(char.isdigit() for char in word) - 1.0)


def _tokens(text: str, is_finished: bool) -> Iterator[tuple[str, int]]:
    """Words with the white space after them, and where they end.

    The last word is left out until white space, or more Chinese, shows that it is whole.
    """
    for match in _TOKEN.finditer(text):
        is_last = match.end() == len(text)
        is_whole = bool(match[1]) or len(match[0]) >= _MAX_WORD_CHARS
        if is_last and not is_whole and not is_finished:
            return
        yield match[0], match.end()


def _depth_change(word: str) -> int:
    """How many quotes and brackets a word opens more than it closes."""
    change = sum(char in _OPENING for char in word) - sum(char in _CLOSING for char in word)
    if word.startswith('"') or re.match(r"\W+\"\w", word):
        change += 1
    if re.search(r'[^\s"(]"\W*$', word):
        change -= 1
    return change


def _ending(word: str, gap: str, next_word: str, is_first: bool) -> tuple[Ending, int]:
    """How good a place for a cut it is after `word`."""
    bare = word.rstrip(_TRAILING)
    if gap.count("\n") >= 2:
        return "sentence", 3
    mark = bare[-1:]
    if bare != word and word[-1] not in _CJK_PUNCTUATION and not next_word[:1].isupper():
        return "cut", _weak_strength(bare, next_word)  # "Really?" she asked
    if mark and mark in _SENTENCE_MARKS and _ends_sentence(bare, next_word, is_first):
        return ("clause", 2) if bare.endswith("..") else ("sentence", 3)
    if "\n" in gap:
        return "clause", 2
    if mark and mark in _CLAUSE_MARKS and not _is_within_date(bare, next_word):
        return "clause", 2
    if word in ("-", "–", "—") or mark == "—":
        return "clause", 2
    return "cut", _weak_strength(bare, next_word)


def _ends_sentence(word: str, next_word: str, is_first: bool) -> bool:
    if word[-1] != "." or word.endswith(".."):
        return True
    stem = word[:-1].lstrip("\"'“‘" + _OPENING)
    key = stem.lower()
    starts_new = next_word.lstrip("\"'“‘" + _OPENING)[:1].isupper()
    if stem == "No":
        return not next_word[:1].isdecimal()
    if key in _MAY_END_SENTENCE:
        return starts_new
    if key in _ABBREVIATIONS:
        return False
    if re.fullmatch(r"(?:[a-z]\.)+[a-z]", key):  # i.e., U.S.A.
        return False
    if len(stem) == 1 and stem.isupper() and stem != "I":  # J. K. Rowling
        return False
    return not (is_first and re.fullmatch(r"\d{1,2}|[a-z]", key))  # "1. First"


def _is_within_date(word: str, next_word: str) -> bool:
    """March 5, 2026: no place for a breath. Unknown yet counts as within."""
    if not re.search(r"\d,$", word):
        return False
    return not next_word or re.match(r"\d{4}\b", next_word) is not None


def _weak_strength(word: str, next_word: str) -> int:
    key = next_word.lower().rstrip(".,;:!?")
    leans = word.lower() in _LEANING
    return 1 if key in _CONNECTING and not leans else (-1 if leans else 0)

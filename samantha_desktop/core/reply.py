"""The answer of one turn while it is being written and spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samantha_desktop.core.history import heard_text
from samantha_desktop.core.sentences import ClauseSplitter
from samantha_desktop.core.speakable import SpeakableFilter
from samantha_desktop.core.verbalize import verbalize


@dataclass(frozen=True)
class SpokenClause:
    """A clause as the voice gets it, numbers and all written out."""

    index: int
    text: str
    n_words: int


class Reply:
    """Collects the language model's text and cuts it into clauses to be spoken.

    Attributes:
        revision: of the transcript it answers.
        question: what it answers.
    """

    def __init__(self, revision: int, question: str, language: str) -> None:
        self.revision = revision
        self.question = question
        self._language = language
        self._written: list[str] = []
        self._filter = SpeakableFilter()
        self._splitter = ClauseSplitter()
        self._clauses: list[str] = []
        self._durations_s: list[float] = []
        self.is_written = False

    @property
    def text(self) -> str:
        """All that was written so far."""
        return "".join(self._written)

    @property
    def n_clauses(self) -> int:
        """How many clauses were taken so far."""
        return len(self._clauses)

    def feed(self, delta: str) -> None:
        """The language model wrote something more."""
        self._written.append(delta)
        self._splitter.feed(self._filter.feed(delta))

    def finish(self) -> None:
        """The language model has ended."""
        self._splitter.feed(self._filter.finish())
        self._splitter.finish()
        self.is_written = True

    def next_clause(self, min_words: int, max_words: int) -> SpokenClause | None:
        """The next clause worth speaking, or None until there is more text."""
        while (clause := self._splitter.take(max_words, min_words)) is not None:
            spoken = verbalize(clause.text, language=self._language, ends=clause.ends)
            if spoken:
                self._clauses.append(clause.text)
                self._durations_s.append(0.0)
                return SpokenClause(len(self._clauses) - 1, spoken, len(spoken.split()))
        return None

    def set_duration(self, index: int, duration_s: float) -> None:
        """A clause turned out to last so long."""
        self._durations_s[index] = duration_s

    def heard(self, heard_s: Sequence[float]) -> str:
        """The words that were heard, given the seconds heard of each clause."""
        fractions = [
            min(1.0, seconds / duration) if duration else 0.0
            for seconds, duration in zip(heard_s, self._durations_s, strict=False)
        ]
        return heard_text(list(zip(self._clauses, fractions, strict=False)))

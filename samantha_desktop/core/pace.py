"""How fast this machine speaks, and what that allows the next clause to be.

The voice computes a clause as a whole, so a clause may only be as long as what
is still being played covers. That is a decision, and here it is made.
"""

from __future__ import annotations

FIXED_S = 0.08
"""Seconds a clause costs whatever its length. Source: `samantha bench tts`, two threads."""

PER_WORD_S = 0.045
"""Seconds a word costs. Source: the same measurement."""

FIRST_CLAUSE_MAX_WORDS = 4
FIRST_CLAUSE_MIN_WORDS = 2
LATER_CLAUSE_MIN_WORDS = 5
"""Shorter clauses sound chopped: asked for when there is time to wait for more."""
CLAUSE_MAX_WORDS = 24
"""Longer clauses gain no prosody and delay what comes after them."""

COMFORTABLE_S = 1.6
"""With this much speech in hand nothing need be cut short."""

UNNOTICED_PAUSE_S = 0.25
"""A pause between clauses that the ear takes for breath."""

_FOLLOW = 0.3
"""Share of each new measurement in the running estimate."""


class Pace:
    """A running estimate of the cost of a clause, in seconds of computing."""

    def __init__(self) -> None:
        self._scale = 1.0

    def observe(self, n_words: int, took_s: float) -> None:
        """Learn from a clause of `n_words` that took `took_s` to synthesize."""
        ratio = took_s / (FIXED_S + PER_WORD_S * max(1, n_words))
        self._scale += _FOLLOW * (min(5.0, max(0.2, ratio)) - self._scale)

    def clause_words(self, playback_s: float, is_first: bool) -> tuple[int, int]:
        """(shortest, longest) clause worth synthesizing now, in words.

        Args:
            playback_s: seconds of speech in hand that were not heard yet.
            is_first: nothing was spoken yet: the person is waiting in silence.
        """
        if is_first:
            return FIRST_CLAUSE_MIN_WORDS, FIRST_CLAUSE_MAX_WORDS
        is_comfortable = playback_s >= COMFORTABLE_S
        shortest = LATER_CLAUSE_MIN_WORDS if is_comfortable else FIRST_CLAUSE_MIN_WORDS
        spare_s = playback_s + UNNOTICED_PAUSE_S
        affordable = int((spare_s / self._scale - FIXED_S) / PER_WORD_S)
        # When it is too late anyway, a clause that is too short only adds another gap.
        return shortest, min(CLAUSE_MAX_WORDS, max(FIRST_CLAUSE_MAX_WORDS, affordable))

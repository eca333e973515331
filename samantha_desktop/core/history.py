"""What was said so far, as much of it as the language model is to keep in mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from samantha_desktop.core.ports import ChatMessage

TRIM_TO = 0.6
"""Share of the budget that is left when turns are forgotten. Dropping one turn each time
would change the beginning of every prompt, and the model would compute all of it anew at
every turn; dropping many at once leaves the cached beginning as it is for many turns."""

NOTHING_HEARD = "…"
"""Stands for an answer of which nothing was heard, so that roles still alternate."""


@dataclass(frozen=True)
class Turn:
    """A question and its answer.

    Attributes:
        user_text: what the person said.
        assistant_text: what the person heard of the answer.
        was_interrupted: the answer was longer than what was heard.
    """

    user_text: str
    assistant_text: str
    was_interrupted: bool = False

    def messages(self) -> tuple[ChatMessage, ChatMessage]:
        """As the language model takes it."""
        return (
            ChatMessage("user", self.user_text),
            ChatMessage("assistant", self.assistant_text.strip() or NOTHING_HEARD),
        )


@dataclass(frozen=True)
class History:
    """The turns of a conversation, oldest first."""

    turns: tuple[Turn, ...] = ()

    def with_turn(
        self, user_text: str, assistant_text: str, *, was_interrupted: bool = False
    ) -> History:
        """The history one turn later."""
        turn = Turn(user_text, assistant_text, was_interrupted)
        return replace(self, turns=(*self.turns, turn))

    def messages(self) -> tuple[ChatMessage, ...]:
        """As the language model takes them."""
        return tuple(message for turn in self.turns for message in turn.messages())

    def trimmed(
        self, budget_tokens: int, count_tokens: Callable[[Sequence[ChatMessage]], int]
    ) -> History:
        """The same when it fits the budget; else without its oldest turns, well below it.

        Args:
            budget_tokens: the most that the turns may have together.
            count_tokens: tokens of messages; never fewer for more of them.
        """
        if not self.turns or count_tokens(self.messages()) <= budget_tokens:
            return self
        target_tokens = budget_tokens * TRIM_TO
        low, high = 1, len(self.turns)
        while low < high:
            middle = (low + high) // 2
            rest = replace(self, turns=self.turns[middle:])
            if count_tokens(rest.messages()) <= target_tokens:
                high = middle
            else:
                low = middle + 1
        return replace(self, turns=self.turns[low:])


def heard_text(clauses: Sequence[tuple[str, float]]) -> str:
    """What was heard of a reply: whole words up to where the sound ended.

    Args:
        clauses: each clause as written, with the fraction [0, 1] of its sound that was
            heard. Nothing is taken after the first that was not heard to its end.
    """
    result = ""
    for text, fraction in clauses:
        text = text.strip()
        heard = text if fraction >= 1.0 else _whole_words(text, int(fraction * len(text)))
        if heard:
            is_spaced = result and not (_is_unspaced(result[-1]) or _is_unspaced(heard[0]))
            result += f" {heard}" if is_spaced else heard
        if heard != text:
            break
    return result


def _whole_words(text: str, n_characters: int) -> str:
    """The whole words within the first characters."""
    end = min(n_characters, len(text))
    while 0 < end < len(text) and not _is_word_boundary(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip()


def _is_word_boundary(left: str, right: str) -> bool:
    return left.isspace() or right.isspace() or _is_unspaced(left)


def _is_unspaced(character: str) -> bool:
    """Chinese and Japanese, which put no spaces between words: a character counts as one.

    Source: the Unicode blocks from CJK symbols to unified ideographs, and full-width forms.
    """
    return (
        "\u3000" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\uff00" <= character <= "\uffef"
        or "\U00020000" <= character <= "\U0003ffff"
    )

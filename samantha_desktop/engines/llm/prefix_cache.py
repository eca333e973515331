"""What the model has computed already, so that only what is new is computed again.

The cache mirrors the tokens in llama.cpp's KV memory. Between calls nothing is
reset: a new prompt keeps the part it shares with the old one, and only the rest is
removed and computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from samantha_desktop.core.ports import IsCancelled, never_cancelled


class Decoder(Protocol):
    """The part of the native model that the cache drives."""

    def decode(self, tokens: Sequence[int], *, needs_logits: bool) -> None:
        """Append tokens to the memory. Raises EngineError."""

    def keep(self, n_tokens: int) -> bool:
        """Remove all but the first tokens. False: this memory cannot be cut (and is untouched)."""

    def clear(self) -> None:
        """Empty the memory."""


class PrefixCache:
    """Mirrors the tokens in the memory of a decoder.

    Args:
        decoder: whose memory it is; nobody else may change it.
        chunk_tokens: how many tokens are computed between two looks at `is_cancelled`.
    """

    def __init__(self, decoder: Decoder, chunk_tokens: int) -> None:
        self._decoder = decoder
        self._chunk_tokens = chunk_tokens
        self._tokens: list[int] = []
        self._has_logits = False

    def compute(
        self, prompt: Sequence[int], *, is_cancelled: IsCancelled = never_cancelled
    ) -> tuple[int, bool]:
        """Make the memory hold exactly the prompt, with the logits of its last token.

        Returns: how many tokens were computed, and whether it came to the end
        (False: cancelled; what was computed so far stays and is used next time).
        """
        n_kept = common_prefix(self._tokens, prompt)
        if n_kept == len(prompt) == len(self._tokens) and self._has_logits:
            return 0, True
        # The logits belong to the last token, so that one is computed in any case.
        self._cut(min(n_kept, len(prompt) - 1))
        n_before = len(self._tokens)
        while len(self._tokens) < len(prompt):
            if is_cancelled():
                return len(self._tokens) - n_before, False
            chunk = prompt[len(self._tokens) : len(self._tokens) + self._chunk_tokens]
            self._decode(chunk, needs_logits=len(self._tokens) + len(chunk) == len(prompt))
        return len(self._tokens) - n_before, True

    def holds(self, prompt: Sequence[int]) -> bool:
        """Whether the memory begins with the whole prompt."""
        return common_prefix(self._tokens, prompt) == len(prompt)

    def clear(self) -> None:
        """Forget everything."""
        self._cut(0)

    def append(self, token: int) -> None:
        """Compute one more token, after `compute` or `append`."""
        self._decode([token], needs_logits=True)

    def _decode(self, tokens: Sequence[int], *, needs_logits: bool) -> None:
        # Until it has succeeded nobody knows what the memory holds.
        held, self._tokens, self._has_logits = self._tokens, [], False
        try:
            self._decoder.decode(tokens, needs_logits=needs_logits)
        except BaseException:
            self._decoder.clear()
            raise
        held.extend(tokens)
        self._tokens, self._has_logits = held, needs_logits

    def _cut(self, n_tokens: int) -> None:
        if n_tokens == len(self._tokens):
            return
        self._has_logits = False
        if n_tokens > 0 and self._decoder.keep(n_tokens):
            del self._tokens[n_tokens:]
        else:
            # Recurrent models hold one state for all tokens: there is no way back but anew.
            self._decoder.clear()
            self._tokens.clear()


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens two sequences share at their beginning."""
    n_same = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        n_same += 1
    return n_same

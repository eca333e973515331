"""From tokens' bytes to text that may be shown: whole characters, cut at stop sequences."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextAssembler:
    """Turns the bytes of one token after the other into deltas of whole characters.

    What might still become a stop sequence is held back until it is clear, and
    bytes that are no UTF-8 are dropped: a model can produce them, an ear cannot hear them.

    Args:
        stop: sequences that end the text; they are not part of it.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(sequence for sequence in stop if sequence)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._pending = ""
        self.is_stopped = False

    def push(self, piece: bytes) -> str:
        """Take a token's bytes; return what is certain by now. Nothing after a stop."""
        if self.is_stopped:
            return ""
        self._pending += self._decoder.decode(piece)
        found = [at for at in map(self._pending.find, self._stop) if at >= 0]
        if found:
            self.is_stopped = True
            text, self._pending = self._pending[: min(found)], ""
            return text
        n_held = self._held_characters()
        n_certain = len(self._pending) - n_held
        text, self._pending = self._pending[:n_certain], self._pending[n_certain:]
        return text

    def finish(self) -> str:
        """Return what was held back for a stop sequence that did not come.

        Half a character is not returned.
        """
        text, self._pending = self._pending, ""
        return text

    def _held_characters(self) -> int:
        """Length of the longest end of the text that begins a stop sequence."""
        longest = max(map(len, self._stop), default=1) - 1
        for length in range(min(longest, len(self._pending)), 0, -1):
            end = self._pending[-length:]
            if any(sequence.startswith(end) for sequence in self._stop):
                return length
        return 0

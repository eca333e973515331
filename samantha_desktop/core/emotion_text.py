"""What the emotion reader is given to read, in training and in use alike."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, TypeAlias

Unreadable: TypeAlias = Literal["empty", "no_words", "other_script"]
"""Why a text says nothing to a reader of English: nothing in it; only emoji, digits or
marks; mostly letters that are not Latin."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʹʼ´`＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
    }
)
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]")


def normalised(text: str) -> str:
    """Quotes as a keyboard has them, no control characters, single spaces.

    The same words typed on a telephone and on a keyboard are then the same tokens.
    """
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN)
    # Cc: control characters part words; Cf and Cs: joiners, direction marks and halves of
    # characters are no part of any.
    kept = (
        " " if kind == "Cc" else character
        for character in plain
        if (kind := unicodedata.category(character)) not in ("Cf", "Cs")
    )
    return " ".join("".join(kept).split())


def why_unreadable(text: str) -> Unreadable | None:
    """Why there is nothing to judge in a text, however sure a model may be; None: there is."""
    if not normalised(text):
        return "empty"
    n_letters = len(_LETTER.findall(text))
    if n_letters == 0:
        return "no_words"
    return "other_script" if 2 * len(_LATIN.findall(text)) < n_letters else None

"""The encoder's tokenizer, taught what people type: emoji, and the placeholders of the data.

The encoder's vocabulary has about a thousand unused places. Emoji that the training
sentences hold are given some of them, because without a token of its own every emoji
is the same unknown word.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PLACEHOLDERS = {"[NAME]": "someone", "[RELIGION]": "religion"}
MAX_EMOJI = 200
_FACES = tuple(chr(point) for point in range(0x1F600, 0x1F650))
"""Unicode's block of emoticons: known by their names' words even where no sentence has them."""


@dataclass(frozen=True)
class NewToken:
    """A token in a place of the vocabulary that was unused.

    Attributes:
        id: its place.
        text: what it stands for.
        meaning: words whose vectors it starts from.
    """

    id: int
    text: str
    meaning: str


def emoji_in(texts: Sequence[str], min_count: int = 2) -> list[str]:
    """The emoji of these texts, the most frequent first, skin tones and signs left out."""
    counts = Counter(
        letter for text in texts for letter in set(text) if unicodedata.category(letter) == "So"
    )
    return [letter for letter, count in counts.most_common(MAX_EMOJI) if count >= min_count]


def teach_tokenizer(path: Path, texts: Sequence[str]) -> tuple[dict[str, Any], list[NewToken]]:
    """A tokenizer document with the new tokens, and what these are.

    Args:
        path: the encoder's `tokenizer.json` (WordPiece).
        texts: training sentences.
    """
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = document["model"]["vocab"]
    unused = iter(sorted(i for token, i in vocabulary.items() if token.startswith("[unused")))
    token_of = {i: token for token, i in vocabulary.items()}
    meanings = _PLACEHOLDERS | {
        emoji: unicodedata.name(emoji, "symbol").lower() for emoji in (*emoji_in(texts), *_FACES)
    }
    new_tokens = []
    for text, meaning in meanings.items():
        if text in vocabulary:
            continue
        new = NewToken(next(unused), text, meaning)
        del vocabulary[token_of[new.id]]
        vocabulary[text] = new.id
        new_tokens.append(new)
        document["added_tokens"].append(
            {
                "id": new.id,
                "content": text,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": False,
            }
        )
    document["added_tokens"].sort(key=lambda token: token["id"])
    # How long a text may be and how a batch is filled up is for who uses it to say.
    document["truncation"] = document["padding"] = None
    return document, new_tokens

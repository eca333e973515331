"""Text to the phonemes that Kokoro was trained on, by eSpeak NG."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from samantha_desktop.core.sentences import ClauseSplitter

if TYPE_CHECKING:
    from phonemizer.backend import EspeakBackend

LANGUAGES = {
    "a": "en-us",
    "b": "en-gb",
    "e": "es",
    "f": "fr-fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-br",
    "z": "cmn",
}
"""eSpeak's language by the first letter of a voice's name. Source: Kokoro's VOICES.md."""

_PIECE_WORDS = 40
_PUNCTUATION = str.maketrans(
    {mark: f"{plain} " for mark, plain in zip("。！？，、；：", ".!?,,;:", strict=True)}
)  # Kokoro knows none of these
_JOINERS = "\u200c\u200d"  # part of the spelling in Hindi


class Phonemizer:
    """Makes token numbers of text. Not thread-safe, as eSpeak NG is not."""

    def __init__(self) -> None:
        from kokoro_onnx.tokenizer import Tokenizer

        self._tokenizer = Tokenizer()  # finds eSpeak NG's library and data

    def pieces(self, text: str, language: str) -> Iterator[tuple[str, list[int]]]:
        """Pieces that the model takes at once, lazily: phonemes, and their token numbers.

        A clause is one piece. Text without anything to say gives none.

        Args:
            language: a name of eSpeak NG's.
        """
        from kokoro_onnx.chunker import split_phonemes

        splitter = ClauseSplitter()
        splitter.feed(_plain(text))
        splitter.finish()
        while (clause := splitter.take(_PIECE_WORDS)) is not None:
            if not any(char.isalnum() for char in clause.text):
                continue
            for phonemes in split_phonemes(self._phonemes(clause.text, language)):
                if any(char.isalpha() for char in phonemes):
                    yield phonemes, self._tokenizer.tokenize(phonemes)

    def _phonemes(self, text: str, language: str) -> str:
        phonemes = "".join(_espeak(language).phonemize([" ".join(text.split())], strip=True))
        return "".join(char for char in phonemes if char in self._tokenizer.vocab).strip()


@cache
def _espeak(language: str) -> EspeakBackend:
    """ESpeak NG for a language: once per process, since phonemizer frees none before its end."""
    from phonemizer.backend import EspeakBackend

    return EspeakBackend(
        language,
        preserve_punctuation=True,
        with_stress=True,
        # A foreign word is announced by "(en)", which would be spoken.
        language_switch="remove-flags",
    )


def _plain(text: str) -> str:
    """Without what has no sound and confuses eSpeak NG: controls, marks of direction, halves."""
    plain = "".join(char for char in text if _has_sound(char))
    return plain.translate(_PUNCTUATION)


def _has_sound(char: str) -> bool:
    return unicodedata.category(char)[0] != "C" or char in "\t\n\r" + _JOINERS

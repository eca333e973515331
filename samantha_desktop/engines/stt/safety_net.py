"""Judges what Whisper wrote: is it worth believing, and was it said at all?

Pure decisions. A shorter encoder window saves most of the work, but Whisper was
trained on 30 s: now and then it does not notice the end and repeats itself.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

SPARE_TOKENS = 12
TOKENS_PER_S = 14
"""Most tokens that speech gives. English at its fastest measured 6 a second, its three
special tokens aside; scripts that Whisper spells out in bytes need more. What needs still
more is recognised in the full window, where Whisper's own limit holds."""

MAX_COMPRESSION_RATIO = 2.4
"""Text that packs better repeats itself. Source: Radford et al., Robust Speech Recognition
via Large-Scale Weak Supervision (2022), section 4.5; the reference implementation's value."""

MIN_AVERAGE_LOG_PROBABILITY = -1.75
"""The paper takes -1, but single words that were right went down to -1.54 here."""

SILENCE_NO_SPEECH_PROBABILITY = 0.8
SILENCE_LOG_PROBABILITY = -1.0
"""The paper's rule for silence, with 0.6; a softly spoken, right "Stop." had 0.62 here."""

INVENTION_NO_SPEECH_PROBABILITY = 0.6
INVENTIONS = frozenset(
    {
        "you",
        "thank you",
        "thank you very much",
        "thank you for watching",
        "thank you so much for watching",
        "thanks for watching",
        "thanks for watching and see you next time",
        "please subscribe",
        "please subscribe to my channel",
        "subtitles by the amara org community",
        "bye",
        "bye bye",
        "okay",
        "so",
        "and",
        "im sorry",
    }
)
"""What Whisper, trained on subtitles, writes when it hears nothing."""

_SAID_THRICE_WORDS = 1
_SAID_TWICE_WORDS = 3
_LONGEST_PHRASE_WORDS = 24


@dataclass(frozen=True)
class Decoding:
    """What the decoder wrote for one passage.

    Attributes:
        text: stripped, without special tokens.
        is_cut_short: it did not end by itself, but at the limit of tokens.
        last_start_s: where its last segment begins, in seconds of the passage.
        average_log_probability: per token, 0 is certain.
        no_speech_probability: [0, 1].
    """

    text: str
    is_cut_short: bool = False
    last_start_s: float = 0.0
    average_log_probability: float = 0.0
    no_speech_probability: float = 0.0


def token_limit(audio_s: float) -> int:
    """How many tokens a passage of that length may take before it counts as a loop."""
    return SPARE_TOKENS + round(TOKENS_PER_S * audio_s)


def doubt(decoding: Decoding, audio_s: float) -> str:
    """Why a decoding should not be believed without a second look; empty: no reason."""
    if decoding.is_cut_short:
        return "more tokens than fit its length"
    if decoding.last_start_s > 0.0 and decoding.last_start_s >= audio_s:
        return "words after the end"
    if is_repetitive(decoding.text):
        return "repeats itself"
    if decoding.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY:
        return "hardly likely"
    return ""


def is_repetitive(text: str) -> bool:
    """Whether a phrase follows itself: any thrice, one of three words or more twice."""
    packed = text.encode()
    # Scripts without spaces have no words to compare. Short texts do not pack anyway.
    if packed and len(packed) / len(zlib.compress(packed)) > MAX_COMPRESSION_RATIO:
        return True
    words = _words(text)
    return _follows_itself(words, 3, _SAID_THRICE_WORDS) or _follows_itself(
        words, 2, _SAID_TWICE_WORDS
    )


def is_invented(decoding: Decoding) -> bool:
    """Whether nothing was said, and Whisper wrote something all the same."""
    silence = decoding.no_speech_probability
    if (
        silence > SILENCE_NO_SPEECH_PROBABILITY
        and decoding.average_log_probability < SILENCE_LOG_PROBABILITY
    ):
        return True
    return silence > INVENTION_NO_SPEECH_PROBABILITY and " ".join(_words(decoding.text)) in (
        INVENTIONS
    )


def most_believable(
    decodings: Iterable[Decoding], audio_s: float, other_window_text: str = ""
) -> Decoding:
    """The first without doubt; else the likeliest, those that do not repeat first.

    Args:
        decodings: looked at one after the other, no further than needed; at least one.
        audio_s: length of the passage.
        other_window_text: what the short window gave. Two windows do not invent the same
            loop: what both say was said, as often as they say it.
    """
    tried = []
    for decoding in decodings:
        is_confirmed = not decoding.is_cut_short and decoding.text == other_window_text
        if is_confirmed or not doubt(decoding, audio_s):
            return decoding
        tried.append(decoding)
    return max(
        tried,
        key=lambda d: (
            not (d.is_cut_short or is_repetitive(d.text)),
            not d.is_cut_short,
            d.average_log_probability,
        ),
    )


def _words(text: str) -> list[str]:
    return re.sub(r"[^\w\s]", "", text.lower()).split()


def _follows_itself(words: list[str], n_times: int, n_least_words: int) -> bool:
    longest = min(_LONGEST_PHRASE_WORDS, len(words) // n_times)
    for n_words in range(n_least_words, longest + 1):
        n_alike = 0
        for word, later in zip(words, words[n_words:], strict=False):
            n_alike = n_alike + 1 if word == later else 0
            if n_alike == n_words * (n_times - 1):
                return True
    return False

"""What single words, links and table rows of a written answer sound like."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_KEPT_SYMBOLS = frozenset("°℃℉№^")
URL = re.compile(r"(?:(?:https?|ftp)://|www\.)[^\s<>\"]+", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}")
_PLAIN_CODE = re.compile(r"[\w.+#-]+(?: [\w.+#-]+){0,2}")


def host_of(url: str) -> str:
    """What is said for a URL: its host without "www", or "a link"."""
    try:
        host = urlsplit(url if "://" in url else f"https://{url}").hostname or ""
    except ValueError:
        return "a link"
    host = host.removeprefix("www.")
    return host if _HOST.fullmatch(host) else "a link"


def url_to_speech(match: re.Match[str]) -> str:
    """What is said for a match of `URL`; the sentence's punctuation after it stays."""
    url = match[0]
    rest = url.rstrip(".,;:!?'*_~)]}")
    if "(" in rest and url[len(rest) : len(rest) + 1] == ")":
        rest += ")"
    return host_of(rest) + url[len(rest) :]


def code_to_speech(code: str) -> str:
    """Inline code is said when it is plain words: a name, a key, a short command."""
    code = code.strip().removesuffix("()")
    return code.replace("_", " ") if _PLAIN_CODE.fullmatch(code) else ""


def row_to_speech(row: str) -> str:
    """The cells of a table's row as a list; nothing for the line below the head."""
    cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
    if all(re.fullmatch(r"[-:\s]*", cell) for cell in cells):
        return ""
    return ", ".join(cell for cell in cells if cell)


def is_spoken(char: str, before: str) -> bool:
    """Whether a character can be said; `before` is the raw character before it."""
    category = unicodedata.category(char)
    if char in "\u200c\u200d":  # joiners: part of the spelling in Persian and Hindi
        return before != "" and unicodedata.category(before)[0] in "LM"
    if 0xFE00 <= ord(char) <= 0xFE0F or char == "\u20e3":
        return False
    return category not in {"So", "Sk", "Cc", "Cf", "Cs", "Co", "Cn"} or char in _KEPT_SYMBOLS


def without_emphasis(word: str) -> str:
    """A word without the marks for bold, italic and struck out; 2*3 stays."""
    word = re.sub(r"\*{2,}|_{2,}|~~", "", word)
    word = re.sub(r"(?<!\w)\*|\*(?!\w)|(?<=[^\W\d])\*|\*(?=[^\W\d])", "", word)
    word = re.sub(r"(?<![^\W_])_|_(?![^\W_])", "", word)
    return word.replace("_", " ")


def closing_bracket(text: str, start: int, opening: str, closing: str) -> int:
    """Index of the bracket that closes the one at `start`, or -1."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] == opening:
            depth += 1
        elif text[index] == closing:
            depth -= 1
            if depth == 0:
                return index
    return -1

"""What of a written answer is said aloud.

Language models write markdown, code, links, emoji and, some of them, their
thinking. `SpeakableFilter` takes their deltas and lets out only what a voice
should say; numbers and abbreviations are left to `core.verbalize`, cutting into
clauses to `core.sentences`. Captions show the original text.

The filter decides character by character, so how the text was cut into deltas
cannot change the result. It holds back at most one word, or one construct whose
end has not come yet (a link, inline code, a table row), each up to a limit.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Literal

from samantha_desktop.core.speakable_words import (
    URL,
    closing_bracket,
    code_to_speech,
    is_spoken,
    row_to_speech,
    url_to_speech,
    without_emphasis,
)

_State = Literal["line start", "inline", "fence", "hidden"]

HIDDEN_TAGS = frozenset(
    {
        "think", "thinking", "thought", "reasoning", "reflection", "analysis", "scratchpad",
        "tool_call", "tool_response", "function_call", "script", "style",
    }
)  # fmt: skip
"""Tags whose content is not for the ear. Qwen, DeepSeek, Hermes and others write them."""

_MAX_WORD_CHARS = 2000
_MAX_CODE_CHARS = 300
_MAX_LINK_TEXT_CHARS = 300
_MAX_LINK_CHARS = 2000
_MAX_TAG_CHARS = 300
_MAX_ROW_CHARS = 4000

_CJK = re.compile(r"[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_RULE = re.compile(r"[-*_=+|:•\s]*")
_NUMBERED = re.compile(r"(\d{1,3})[.)]")
_TAG = re.compile(
    r"""</?([a-z][\w:-]*)(\s+[\w:-]+(\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?)*\s*/?>""", re.IGNORECASE
)
_SPECIAL_TOKEN = re.compile(r"<[|｜][^<>]*[|｜]>|<!--.*-->")
_AUTOLINK = re.compile(r"<((?:https?|ftp|mailto):[^\s<>]+|[^\s<>@]+@[^\s<>@]+)>", re.IGNORECASE)
_EMOTICON = re.compile(r"(?:[:;=8][-'^o]?[()\[\]DPpOo/\\|*3]+|<3+|\^_*\^|[xX]D+)[.!?]?")
_CITATION = re.compile(r"\^[^\]]*|\d{1,3}(?:\s?[,–-]\s?\d{1,3})*")


def speakable_text(text: str) -> str:
    """What of a whole text is said aloud, see `SpeakableFilter`."""
    speakable = SpeakableFilter()
    return speakable.feed(text) + speakable.finish()


class SpeakableFilter:
    """Lets the speakable part of a stream of text through.

    Feed deltas, then call `finish` once. What the calls return, joined, is the
    spoken text: single spaces between words, one newline at a line's end, two at
    a paragraph's; headings, list items and table rows end with a full stop.
    """

    def __init__(self) -> None:
        self._state: _State = "line start"
        self._raw = ""  # taken in and not decided yet
        self._word = ""  # decided and waiting for its end
        self._before = ""  # the raw character before `_raw`
        self._out: list[str] = []
        self._last = "\n"  # the last character let out
        self._newlines = 0  # how many of them in a row
        self._digit_before_gap = False
        self._is_item = False  # this line is a heading, list item or table row
        self._list_number = 0
        self._fence = ""
        self._hidden_end = ""
        self._n_in = 0
        self._n_out = 0
        self._ends_out: list[int] = []
        self._ends_in: list[int] = []

    # ------------------------------------------------------------------ public

    def feed(self, delta: str) -> str:
        """Take a delta in; returns what can be said now (may be empty)."""
        for char in delta.replace("\r", ""):
            self._raw += char
            self._n_in += 1
            self._settle()
        return self._take_out()

    def finish(self) -> str:
        """The text has ended; returns the rest of what can be said."""
        if self._state in ("line start", "inline") and self._raw:
            self._raw += "\n"
            self._n_in += 1
            self._settle()
            self._n_in -= 1
        if self._state in ("line start", "inline"):
            while self._raw:  # an end that never came: the mark is dropped, its text said
                self._literal()
                self._settle()
            self._end_line("")
        return self._take_out().rstrip("\n")

    def original_position(self, position: int) -> int:
        """Where in the original text (without carriage returns) a place of the spoken text lies.

        Args:
            position: characters of the spoken text, e.g. a `Clause.end`.
        Returns: characters of the original, to the end of the word that lies there.
        """
        if position <= 0:
            return 0
        index = bisect_left(self._ends_out, position)
        return self._ends_in[index] if index < len(self._ends_in) else self._n_in

    # --------------------------------------------------------------- deciding

    def _settle(self) -> None:
        """Decide as much of `_raw` as can be."""
        while self._raw:
            if self._state == "line start":
                has_decided = self._line_start()
            elif self._state == "inline":
                has_decided = self._inline()
            elif self._state == "fence":
                has_decided = self._inside_fence()
            else:
                has_decided = self._inside_hidden()
            if not has_decided:
                return

    def _line_start(self) -> bool:
        text = self._raw.lstrip(" \t")
        if not text:
            return False
        first = text[0]
        if first == "\n":
            self._consume(len(self._raw))
            self._end_line("\n")
        elif first in "-*+_=•":
            return self._rule_or_bullet(text)
        elif first == "#":
            if re.fullmatch("#{1,6}", text):
                return False
            if mark := re.match(r"#{1,6}[ \t]", text):
                self._begin_item(text, mark.end())
            else:
                self._state = "inline"
        elif first == ">":
            self._raw = text[1:]
            self._before = first
        elif first.isdecimal():
            return self._number_or_text(text)
        elif first in "`~":
            return self._fence_or_text(text, first)
        elif first == "|":
            return self._table_row(text)
        else:
            self._state = "inline"
        return True

    def _rule_or_bullet(self, text: str) -> bool:
        if text[-1] != "\n" and _RULE.fullmatch(text):
            return False
        if _RULE.fullmatch(text):  # a rule, an underline, the line below a table's head
            self._consume(len(self._raw))
        elif mark := re.match(r"[-*+•][ \t]+", text):
            self._begin_item(text, mark.end())
            self._state = "line start"
        else:
            self._state = "inline"
        return True

    def _number_or_text(self, text: str) -> bool:
        if re.fullmatch(r"\d{1,3}[.)]?", text):
            return False
        mark = _NUMBERED.match(text)
        number = int(mark[1]) if mark else -1
        # Only a real list: an answer may well begin with "42. ".
        if mark and text[mark.end()] in " \t" and number in (1, self._list_number + 1):
            self._list_number = number
            self._begin_item(text, mark.end() + 1)
            self._state = "line start"
        else:
            self._state = "inline"
        return True

    def _fence_or_text(self, text: str, mark: str) -> bool:
        run = len(text) - len(text.lstrip(mark))
        if run < 3:
            if run == len(text):
                return False
            self._state = "inline"
        elif mark == "`" and "`" in text[run:]:
            self._state = "inline"  # ```code``` within a line
        elif text[-1] == "\n" or len(text) > _MAX_CODE_CHARS:
            self._begin_fence(mark * run)
        else:
            return False
        return True

    def _table_row(self, text: str) -> bool:
        if text[-1] != "\n" and len(text) < _MAX_ROW_CHARS:
            return False
        row = row_to_speech(text)
        self._raw = ""
        if row:
            self._is_item = True
            self._raw = f"{row}\n" if text[-1] == "\n" else row
            self._state = "inline"
        return True

    def _begin_item(self, text: str, start: int) -> None:
        self._raw = text[start:]
        self._before = " "
        self._is_item = True
        self._state = "inline"

    def _begin_fence(self, fence: str) -> None:
        self._flush_word()
        self._fence = fence
        self._raw = ""
        self._state = "fence"

    def _inside_fence(self) -> bool:
        if self._raw[-1] != "\n":
            # Long lines need no memory: a closing fence is short.
            self._raw = self._raw[: len(self._fence) + _MAX_CODE_CHARS]
            return False
        line = self._raw.strip()
        self._raw = ""
        if line.startswith(self._fence) and not line.strip(self._fence[0]):
            self._state = "line start"
            self._before = "\n"
        return False

    def _inside_hidden(self) -> bool:
        if self._raw.lower().endswith(self._hidden_end):
            self._raw = ""
            self._state = "line start" if self._last == "\n" else "inline"
            self._before = " "
        else:
            self._raw = self._raw[-len(self._hidden_end) :]
        return False

    # ----------------------------------------------------------------- inline

    def _inline(self) -> bool:
        char = self._raw[0]
        if char == "\n":
            self._consume(1)
            self._end_line("\n")
            self._state = "line start"
        elif char.isspace():
            self._consume(1)
            self._flush_word()
            self._gap(" ")
        elif char == "`":
            return self._code()
        elif char == "[":
            return self._link()
        elif char == "!" or char == "\\":
            return self._before_mark(char)
        elif char == "<":
            return self._tag()
        else:
            self._literal()
        return True

    def _before_mark(self, char: str) -> bool:
        if len(self._raw) < 2:
            return False
        following = self._raw[1]
        if char == "!" and following == "[":  # an image is said by its description
            self._consume(1)
        elif char == "\\" and not following.isalnum() and not following.isspace():
            self._consume(1)
            self._literal()
        else:
            self._literal()
        return True

    def _code(self) -> bool:
        run = len(self._raw) - len(self._raw.lstrip("`"))
        if run == len(self._raw):
            return False
        mark = "`" * run
        closing = re.search(rf"(?<!`){mark}(?!`|\Z)", self._raw[run:])
        if closing:
            code = self._raw[run : run + closing.start()]
            self._consume(run + closing.end())
            self._word += code_to_speech(code)
        elif self._raw[-1] == "\n" and run >= 3:
            self._consume(len(self._raw))
            self._begin_fence(mark)
        elif self._raw[-1] == "\n" or len(self._raw) > _MAX_CODE_CHARS:
            self._consume(run)
        else:
            return False
        return True

    def _link(self) -> bool:
        text_end = closing_bracket(self._raw, 0, "[", "]")
        if text_end < 0:
            if self._raw[-1] == "\n" or len(self._raw) > _MAX_LINK_TEXT_CHARS:
                self._consume(1)
                return True
            return False
        if text_end + 1 == len(self._raw):
            return False
        text = self._raw[1:text_end]
        end = text_end + 1
        opening = self._raw[end]
        if _CITATION.fullmatch(text) and opening != "(":
            text = ""
        elif opening in "([":
            close = closing_bracket(self._raw, end, opening, ")" if opening == "(" else "]")
            if close < 0 and self._raw[-1] != "\n" and len(self._raw) < _MAX_LINK_CHARS:
                return False
            end = close + 1 if close > 0 else end
        elif text in (" ", "x", "X"):  # the box of a task
            text = ""
        if text == "THINK":
            self._hide("[/think]")
            return True
        self._raw = text + self._raw[end:]
        self._before = "["
        return True

    def _tag(self) -> bool:
        if len(self._raw) < 2:
            return False
        if not (self._raw[1].isalnum() or self._raw[1] in "/|｜!"):
            self._literal()
            return True
        last = self._raw[-1]
        if last != ">":
            if last in "<\n" or len(self._raw) > _MAX_TAG_CHARS:
                self._literal()
                return True
            return False
        if autolink := _AUTOLINK.fullmatch(self._raw):
            self._raw = ""
            self._word += autolink[1].removeprefix("mailto:")
        elif tag := _TAG.fullmatch(self._raw):
            name = tag[1].lower()
            if name in HIDDEN_TAGS and tag[0][1] != "/" and tag[0][-2] != "/":
                self._hide(f"</{name}>")
            else:
                self._raw = ""
                self._flush_word_if(name in {"br", "p", "li", "div", "td", "tr"})
        elif _SPECIAL_TOKEN.fullmatch(self._raw):
            self._raw = ""
        else:
            self._literal()
        return True

    def _hide(self, end: str) -> None:
        self._flush_word()
        self._hidden_end = end
        self._raw = ""
        self._state = "hidden"

    # ----------------------------------------------------------------- output

    def _consume(self, n_chars: int) -> None:
        self._before = self._raw[n_chars - 1]
        self._raw = self._raw[n_chars:]

    def _literal(self) -> None:
        """The first character stands for itself."""
        char = self._raw[0]
        if char == "\n" or char.isspace():
            self._flush_word()
            self._gap(" ")
        elif _CJK.match(char):  # written without spaces: nothing to wait for
            self._flush_word()
            self._emit(char)
        elif is_spoken(char, self._before):
            self._word += char
        self._consume(1)
        if len(self._word) >= _MAX_WORD_CHARS:
            self._flush_word()

    def _flush_word_if(self, is_break: bool) -> None:
        if is_break:
            self._flush_word()
            self._gap(" ")

    def _flush_word(self) -> None:
        word, self._word = self._word, ""
        if word == "*" and self._digit_before_gap:
            self._emit("*")
            return
        if _EMOTICON.fullmatch(word):
            return
        word = without_emphasis(URL.sub(url_to_speech, word)).strip(" ")
        if word in ("|", "~"):
            return
        if word:
            self._emit(word)

    def _gap(self, gap: str) -> None:
        if not self._last.isspace():
            self._digit_before_gap = self._last.isdecimal()
            self._emit(gap)

    def _end_line(self, newline: str) -> None:
        self._flush_word()
        spoken_to_end = self._last.isalnum() or self._last in ")]\"'”’%°"
        if self._is_item and spoken_to_end:
            self._emit(".")
        self._is_item = False
        if newline and self._n_out and not self._paragraph_ended():
            self._emit(newline)
        self._state = "line start"
        self._before = "\n"

    def _paragraph_ended(self) -> bool:
        return self._last == "\n" and self._newlines >= 2

    def _emit(self, text: str) -> None:
        self._out.append(text)
        self._newlines = self._newlines + 1 if text == "\n" else 0
        self._last = text[-1]
        self._n_out += len(text)
        self._ends_out.append(self._n_out)
        self._ends_in.append(max(0, self._n_in - len(self._raw)))

    def _take_out(self) -> str:
        out = "".join(self._out)
        self._out.clear()
        return out

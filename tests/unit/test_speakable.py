"""What of a written answer is spoken, however it was cut into deltas."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samantha_desktop.core.speakable import SpeakableFilter, speakable_text

ANSWER = """# Plan for *today*

Hello **world**! See [the docs](https://a.example/b_(c)) or https://www.example.com/x?y=1.

1. Use `pip` first
2. Then ``x = [1]`` 😀

```python
print("never said")
```

<think>not this
</think>| Name | Age |
|------|----:|
| Ada  | 36  |

- [x] done[1]
> It's 3 * 4 = 12, a_b and 2*3 <b>bold</b> <3
***
你好，**世界**。"""


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Plain words, as they are.", "Plain words, as they are."),
        (
            "**bold**, *italic*, __bold__, _italic_ and ~~gone~~",
            "bold, italic, bold, italic and gone",
        ),
        ("un**believ**able", "unbelievable"),
        ("***both***!", "both!"),
        ("two *words here* and **two more**.", "two words here and two more."),
        ("a snake_case name", "a snake case name"),
        ("2*3 and 3 * 4 is 12", "2*3 and 3 * 4 is 12"),
        ("# Title\nText", "Title.\nText"),
        ("### Why?\nText", "Why?\nText"),
        ("#1 of #tags", "#1 of #tags"),
        ("- one\n- two", "one.\ntwo."),
        ("* one\n+ two\n• three", "one.\ntwo.\nthree."),
        ("  - nested", "nested."),
        ("1. first\n2. second", "first.\nsecond."),
        ("1) first\n2) second", "first.\nsecond."),
        ("42. That is the answer", "42. That is the answer"),
        ("3.5 litres", "3.5 litres"),
        ("-5 degrees", "-5 degrees"),
        ("- [ ] to do\n- [x] done", "to do.\ndone."),
        ("> quoted\n> more", "quoted\nmore"),
        ("before\n\n---\n\nafter", "before\n\nafter"),
        ("Head\n====\nText", "Head\nText"),
        ("[text](https://a.example) end", "text end"),
        ("[two words](a_(b)), end", "two words, end"),
        ("![a cat](cat.png) sleeps", "a cat sleeps"),
        ("[text][ref] and [note]", "text and note"),
        ("known [1], and more [2, 3][^4].", "known , and more ."),
        ("go to https://www.example.com/a?b=c, please", "go to example.com, please"),
        ("(www.example.org)", "(example.org)"),
        ("<https://example.org/x>!", "example.org!"),
        ("see http://127.0.0.1:8080/x", "see a link"),
        ("write to ada@example.org", "write to ada@example.org"),
        ("use `pip` now", "use pip now"),
        ("call `print()`", "call print"),
        ("run `pip install rich`.", "run pip install rich."),
        ("skip `x = [i for i in y]` this", "skip this"),
        ("``a`` b", "a b"),
        ("a\n```python\nprint(1)\n```\nb", "a\nb"),
        ("a\n~~~\ncode ``` code\n~~~\nb", "a\nb"),
        ("so: ```py\nx\n```\nb", "so: b"),
        ("```one line``` b", "one line b"),
        ("a\n```\nnever closed", "a"),
        ("<think>no\n\nno</think>\n\nyes", "yes"),
        ("<thinking>no</thinking>yes", "yes"),
        ("a <THINK>b</THINK> c", "a c"),
        ("[THINK]no[/THINK]yes", "yes"),
        ("<tool_call>{}</tool_call>yes", "yes"),
        ("<think>never closed", ""),
        ("yes</think> more", "yes more"),
        ("end<|im_end|>", "end"),
        ("<b>bold</b> and<br>next", "bold and next"),
        ("a < b and c > d", "a < b and c > d"),
        ("x <y z", "x <y z"),
        ("| A | B |\n|---|:-:|\n| 1 | 2 |\n", "A, B.\n1, 2."),
        ("Nice 😀👍🏽! Go 👩‍🚀 🇩🇪", "Nice ! Go"),
        ("Well done!🎉 Next", "Well done! Next"),
        ("© ★ 20 °C", "20 °C"),
        ("thanks :) or ;-) or <3 yes", "thanks or or yes"),
        ("a\u202eb\u200b\x07c\u00add", "abcd"),
        ("हिन्\u200dदी", "हिन्\u200dदी"),
        ("one  \t two\r\nthree\n\n\n\nfour", "one two\nthree\n\nfour"),
        (r"\*not bold\* 1\. x", "not bold 1. x"),
        ("**never closed", "never closed"),
        ("[never closed", "never closed"),
        ("`never closed", "never closed"),
        ("你好，**世界**。", "你好，世界。"),
        ("", ""),
        ("\n\n", ""),
        ("😀", ""),
    ],
)
def test_what_is_said(written: str, spoken: str) -> None:
    assert speakable_text(written).strip() == spoken


MARKS = st.text(st.sampled_from("a1 \n*_`#[]()<>!|~-.\\=/😀你。") | st.characters(), max_size=60)


@given(st.lists(MARKS | st.sampled_from(["<think>", "</think>", "```", "http://", ANSWER[:200]])))
@example(list(ANSWER))
@example([ANSWER[:77], ANSWER[77:300], ANSWER[300:]])
def test_how_it_is_cut_changes_nothing(deltas: list[str]) -> None:
    text = "".join(deltas)
    by_delta, by_char = SpeakableFilter(), SpeakableFilter()
    in_deltas = "".join([*map(by_delta.feed, deltas), by_delta.finish()])
    in_chars = "".join([*map(by_char.feed, text), by_char.finish()])
    assert in_deltas == in_chars == speakable_text(text)
    assert "<think>" not in in_deltas


@given(st.text(st.characters(categories=["L", "N"]) | st.sampled_from(" ,.?!"), max_size=200))
def test_plain_text_passes_up_to_white_space(text: str) -> None:
    assert speakable_text(text).split() == text.split()


def test_words_come_out_as_soon_as_they_are_whole() -> None:
    speakable = SpeakableFilter()
    assert speakable.feed("Hel") == ""
    assert speakable.feed("lo, wor") == "Hello, "
    assert speakable.feed("ld. ") == "world. "
    assert speakable.finish() == ""


def test_places_in_the_original_are_found_again() -> None:
    speakable = SpeakableFilter()
    original = "**Hello** dear [friend](https://a.example), how are you?"
    spoken = speakable.feed(original) + speakable.finish()
    assert spoken == "Hello dear friend, how are you?"
    assert speakable.original_position(0) == 0
    assert original[: speakable.original_position(len("Hello"))].rstrip() == "**Hello**"
    assert original[: speakable.original_position(len("Hello dear"))].rstrip().endswith("dear")
    assert (
        original[: speakable.original_position(len("Hello dear friend,"))].rstrip().endswith("),")
    )
    assert speakable.original_position(len(spoken)) == len(original)


@pytest.mark.parametrize("text", ["a" * 100_000, "[" * 20_000, "`" * 20_000, "| a " * 20_000])
def test_long_text_without_an_end_is_no_burden(text: str) -> None:
    speakable = SpeakableFilter()
    spoken = speakable.feed(text)
    assert len(spoken) + len(speakable.finish()) <= len(text)

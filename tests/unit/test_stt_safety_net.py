"""What the recogniser believes of Whisper's text: pure decisions."""

from collections.abc import Iterator

import pytest

from samantha_desktop.engines.stt.safety_net import (
    Decoding,
    doubt,
    is_invented,
    is_repetitive,
    most_believable,
    token_limit,
)


@pytest.mark.parametrize(
    "text",
    [
        "Stop stop stop stop",
        "No thanks. No thanks. No thanks.",
        "Tell me a joke. Tell me a joke.",
        "What time is it? What time is it? What time",
        "Turn the music down a little. Please. Turn the music down a little. Please.",
        "So I said turn it off, please turn it off, please and left",
        "ありがとうございました" * 12,
        "哈" * 80,
    ],
)
def test_loops_are_seen(text: str) -> None:
    assert is_repetitive(text)
    assert doubt(Decoding(text), 5.0) == "repeats itself"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes.",
        "No, no, I am fine.",
        "That that is, is.",
        "Thank you, thank you!",
        "What time is it in Berlin, and what time is it in Tokyo?",
        "Do you think that people are happier in the countryside or in the city?",
        "The more the merrier.",
        "今日はいい天気ですね",
    ],
)
def test_speech_is_no_loop(text: str) -> None:
    assert not is_repetitive(text)
    assert doubt(Decoding(text, average_log_probability=-0.3), 5.0) == ""


@pytest.mark.parametrize(
    ("decoding", "reason"),
    [
        (Decoding("What is", is_cut_short=True), "more tokens than fit its length"),
        (Decoding("Hello. Bye.", last_start_s=2.0), "words after the end"),
        (Decoding("Hello. Bye.", last_start_s=1.9), ""),
        (Decoding("Hello."), ""),
        (Decoding("Grgl.", average_log_probability=-1.8), "hardly likely"),
        # A single word that was right, as measured.
        (Decoding("Stop!", average_log_probability=-1.54), ""),
    ],
)
def test_doubts(decoding: Decoding, reason: str) -> None:
    assert doubt(decoding, 2.0) == reason


def test_quick_speech_fits_the_limit_and_a_loop_does_not() -> None:
    assert token_limit(10.0) > 6 * 10 + 3
    assert token_limit(1.5) < 62  # "Stop Stop Stop ..."
    assert token_limit(0.0) > 5


@pytest.mark.parametrize(
    ("text", "log_probability", "no_speech", "is_it"),
    [
        ("you", -1.4, 0.92, True),
        (" Thank you.", -1.2, 0.65, True),
        ("Thanks for watching!", -0.3, 0.7, True),
        ("I'm going to put the oil in the pan.", -1.7, 0.85, True),
        # Said by a person.
        ("Thank you.", -0.4, 0.1, False),
        ("you", -0.9, 0.3, False),
        ("Stop.", -1.45, 0.62, False),
        ("What is the capital of Portugal?", -0.2, 0.65, False),
        ("What is the capital of Portugal?", -0.2, 0.9, False),
    ],
)
def test_inventions(text: str, log_probability: float, no_speech: float, is_it: bool) -> None:
    decoding = Decoding(
        text, average_log_probability=log_probability, no_speech_probability=no_speech
    )
    assert is_invented(decoding) is is_it


def test_no_more_is_tried_than_needed() -> None:
    def attempts() -> Iterator[Decoding]:
        yield Decoding("Stop. Stop. Stop.")
        yield Decoding("Stop.")
        pytest.fail("tried on")

    assert most_believable(attempts(), 2.0).text == "Stop."


def test_what_both_windows_say_was_said() -> None:
    again = Decoding("Who's there now? Who's there now?")
    other = Decoding("Who's there?", average_log_probability=-3.0)
    assert most_believable([again, other], 3.0, again.text) is again
    cut = Decoding(again.text, is_cut_short=True)
    assert most_believable([cut, other], 3.0, again.text) is other


def test_of_doubtful_ones_a_loop_is_the_last_choice() -> None:
    endless = Decoding("a b " * 50, is_cut_short=True, average_log_probability=-0.01)
    loop = Decoding("go on go on go on", average_log_probability=-0.1)
    unlikely = Decoding("go on", average_log_probability=-2.0)
    more_unlikely = Decoding("gone", average_log_probability=-3.0)
    assert most_believable([endless, loop, more_unlikely, unlikely], 1.0) is unlikely
    assert most_believable([endless, loop], 1.0) is loop

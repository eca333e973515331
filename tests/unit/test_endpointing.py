"""Speech probabilities to events, over virtual samples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.endpointing import (
    Endpointer,
    EndpointEvent,
    EndpointingOptions,
    PauseBegan,
    SpeechBegan,
    SpeechWentOn,
    TurnEnded,
)
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.ports import FRAME_SAMPLES

W = FRAME_SAMPLES
# One window is 32 ms: speech after 2, a pause after 3, the end of a turn after 10.
OPTIONS = EndpointingOptions(min_speech_ms=64, pause_ms=96, turn_end_ms=320)

_LETTERS = {"s": 0.9, ".": 0.05, "~": 0.42}


def events_of(picture: str, options: EndpointingOptions = OPTIONS) -> list[EndpointEvent]:
    """One window per letter: s speech, . silence, ~ in between."""
    endpointer = Endpointer(options)
    steps = (endpointer.step(_LETTERS[c], i * W) for i, c in enumerate(picture))
    return [event for event in steps if event is not None]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("....", []),
        ("..ss", [SpeechBegan(2 * W)]),
        ("..s..s..s", []),  # clicks
        ("sss..s", [SpeechBegan(0)]),  # too short to be a pause
        ("sss...", [SpeechBegan(0), PauseBegan(3 * W)]),
        ("sss...ss", [SpeechBegan(0), PauseBegan(3 * W), SpeechWentOn(6 * W)]),
        ("sss...s..", [SpeechBegan(0), PauseBegan(3 * W)]),  # a click in the pause
        ("sss..........", [SpeechBegan(0), PauseBegan(3 * W), TurnEnded(3 * W)]),
        # A click in the pause does not put off the turn's end ...
        ("sss....s.....", [SpeechBegan(0), PauseBegan(3 * W), TurnEnded(3 * W)]),
        # ... and a word that has just begun does.
        ("sss.........ss", [SpeechBegan(0), PauseBegan(3 * W), SpeechWentOn(12 * W)]),
        ("ss~~~~~~~~~~~~", [SpeechBegan(0)]),  # in between: goes on
        ("~~~~~~~~~~", []),
        ("ss.~~", [SpeechBegan(0), PauseBegan(2 * W)]),
        ("s~", [SpeechBegan(0)]),
    ],
)
def test_events(picture: str, expected: list[EndpointEvent]) -> None:
    assert events_of(picture) == expected


def test_after_a_turn_comes_another() -> None:
    picture = "ss" + "." * 10
    assert [type(e) for e in events_of(picture * 2)] == [SpeechBegan, PauseBegan, TurnEnded] * 2


def test_a_gap_in_the_stream_is_time_that_passed() -> None:
    endpointer = Endpointer(OPTIONS)
    endpointer.step(0.9, 0)
    assert endpointer.step(0.9, W) == SpeechBegan(0)
    assert endpointer.step(0.0, 2 * W) is None
    assert endpointer.step(0.0, 9 * W) == PauseBegan(2 * W)


def test_by_default_a_pause_is_noticed_within_a_tenth_of_a_second() -> None:
    endpointer = Endpointer()
    picture = "ssssssss....."
    at = [
        i
        for i, c in enumerate(picture)
        if isinstance(endpointer.step(_LETTERS[c], i * W), PauseBegan)
    ]
    assert at == [10]  # the third silent window


@pytest.mark.parametrize(
    "wrong",
    [
        {"speech_threshold": 0.3, "silence_threshold": 0.4},
        {"silence_threshold": 0.0},
        {"speech_threshold": 1.0},
        {"pause_ms": 0},
        {"pause_ms": 800},
        {"min_speech_ms": -1},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        EndpointingOptions(**wrong)  # type: ignore[arg-type]


_FOLLOWERS = {
    None: {SpeechBegan},
    SpeechBegan: {PauseBegan},
    PauseBegan: {SpeechWentOn, TurnEnded},
    SpeechWentOn: {PauseBegan},
    TurnEnded: {SpeechBegan},
}


@given(
    windows=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), max_size=200),
    min_speech_ms=st.integers(0, 200),
    pause_ms=st.integers(1, 300),
    longer_ms=st.integers(0, 600),
)
def test_any_stream_gives_a_story_that_holds_together(
    windows: list[tuple[float, int]],
    min_speech_ms: int,
    pause_ms: int,
    longer_ms: int,
) -> None:
    options = EndpointingOptions(
        min_speech_ms=min_speech_ms, pause_ms=pause_ms, turn_end_ms=pause_ms + longer_ms
    )
    endpointer = Endpointer(options)
    previous: type | None = None
    last_position = now = 0
    for probability, gap in windows:
        start = now + gap * W
        now = start + W
        event = endpointer.step(probability, start)
        if event is None:
            continue
        assert type(event) in _FOLLOWERS[previous]
        begins = isinstance(event, SpeechBegan | SpeechWentOn)
        position = event.start_sample if begins else event.speech_end_sample  # type: ignore[union-attr]
        assert last_position <= position <= start
        if isinstance(event, TurnEnded):
            assert position == last_position  # the pause's own
        needed_ms = {PauseBegan: pause_ms, TurnEnded: pause_ms + longer_ms}.get(
            type(event), min_speech_ms
        )
        assert (now - position) / 16 >= needed_ms
        previous, last_position = type(event), position

"""Readings, moods over virtual time, and what a mood changes."""

from dataclasses import replace
from itertools import combinations, pairwise
from json import dumps

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantha_desktop.core.emotions import LABELS, group_probabilities
from samantha_desktop.core.mood import (
    MOODS,
    NOT_SURE,
    SAMANTHA_PACE,
    EmotionReading,
    Mood,
    echo,
    read_emotion,
)
from samantha_desktop.core.mood_effects import (
    COLOURS,
    DARK_BACKGROUND,
    LIGHT_BACKGROUND,
    OWN_WORDS,
    USER_WORDS,
    look_of,
    speech_style,
    tone_guidance,
)

TURN_S = 10.0
"""From one turn to the next."""


def words(voice_arousal: float | None = None, **labels: float) -> EmotionReading:
    """What is read in words to which the classifier gives these labels."""
    row = np.array([labels.get(label, 0.0) for label in LABELS], dtype=np.float32)
    return read_emotion(row, group_probabilities(row[None])[0], voice_arousal=voice_arousal)


SAD = words(sadness=0.9, neutral=0.05)
ANGRY = words(anger=0.9)
HAPPY = words(joy=0.9, neutral=0.05)
YES = words(neutral=0.8)
UNCLEAR = words(joy=0.3, sadness=0.3, neutral=0.2)


def told(*readings: EmotionReading, mood: Mood | None = None) -> Mood:
    """The mood after these turns."""
    mood = mood or Mood()
    for reading in readings:
        mood = mood.after(reading, mood.at_s + TURN_S)
    return mood


# ----------------------------------------------------------------------- readings


def test_the_most_probable_group_and_labels_are_named() -> None:
    reading = words(grief=0.7, sadness=0.4, love=0.2, neutral=0.1)
    assert reading.group == "sadness"
    assert reading.confidence == pytest.approx(1 - 0.3 * 0.6)
    assert [label.name for label in reading.labels] == ["grief", "sadness", "love"]
    assert reading.valence < -0.4
    assert reading.source == "words"


def test_what_is_less_probable_than_not_is_not_claimed() -> None:
    assert words(joy=0.49).group == NOT_SURE
    assert words(joy=0.51).group == "joy"


def test_what_could_not_be_judged_says_nothing() -> None:
    nothing = words()
    assert nothing == EmotionReading()
    assert (nothing.source, nothing.group, nothing.arousal) == ("none", NOT_SURE, 0.0)
    heard = words(voice_arousal=0.7)
    assert (heard.source, heard.group, heard.arousal) == ("voice", NOT_SURE, 0.7)


def test_the_voice_moves_arousal_and_nothing_else() -> None:
    silent, excited = words(joy=0.9), words(joy=0.9, voice_arousal=0.8)
    assert excited.source == "words and voice"
    assert silent.arousal < excited.arousal < 0.8
    assert (excited.groups, excited.valence) == (silent.groups, silent.valence)


@pytest.mark.parametrize(
    ("reading", "contrast"),
    [
        (words(joy=0.9, voice_arousal=-0.6), "flat voice"),
        (words(joy=0.9, voice_arousal=-0.2), "none"),  # as sentences vary
        (words(joy=0.9, voice_arousal=0.6), "none"),
        (words(sadness=0.9, voice_arousal=0.7), "excited voice"),
        (words(sadness=0.9, voice_arousal=-0.7), "none"),
        (words(anger=0.9, voice_arousal=0.0), "none"),  # as they always speak
        (words(neutral=0.9, voice_arousal=-0.9), "none"),
        (words(joy=0.3, voice_arousal=-0.9), "none"),
        (words(joy=0.9), "none"),
    ],
)
def test_a_voice_that_contradicts_the_words_is_noticed(
    reading: EmotionReading, contrast: str
) -> None:
    assert reading.contrast == contrast
    assert reading.is_mixed == (contrast != "none")


def test_documents_are_json() -> None:
    reading = replace(words(joy=0.9, voice_arousal=-0.6), language="de", is_translated=True)
    assert reading.document()["mood"] == "joy"
    assert reading.document()["contrast"] == "flat voice"
    mood = told(reading)
    dumps([reading.document(), mood.document(), look_of(mood).document()], allow_nan=False)


# -------------------------------------------------------------------------- moods


@pytest.mark.parametrize(
    ("readings", "name"),
    [
        ((), "neutral"),
        ((SAD,), "sadness"),
        ((words(joy=0.6, neutral=0.3),), "joy"),
        ((YES,), "neutral"),
        ((UNCLEAR,), NOT_SURE),
        ((words(),), NOT_SURE),
        ((SAD, YES), "sadness"),  # one yes in tears
        ((SAD, YES, YES), "neutral"),
        ((SAD, UNCLEAR), "sadness"),
        ((SAD, UNCLEAR, UNCLEAR), NOT_SURE),
        ((SAD, HAPPY), "joy"),  # good news
        ((SAD, SAD, SAD, SAD, HAPPY), "sadness"),
        ((SAD, SAD, SAD, SAD, HAPPY, HAPPY), "joy"),
        ((ANGRY, YES, ANGRY), "anger"),
    ],
)
def test_moods(readings: tuple[EmotionReading, ...], name: str) -> None:
    assert told(*readings).name == name


def test_a_mixed_reading_is_kept_and_counts_less() -> None:
    mixed = words(joy=0.9, voice_arousal=-0.6)
    mood = told(mixed)
    assert (mood.name, mood.contrast) == ("joy", "flat voice")
    assert told(SAD, mixed).weight < told(SAD, HAPPY).weight
    assert told(mixed, HAPPY).contrast == "none"
    assert (told(SAD, SAD, mixed).name, told(SAD, SAD, mixed).contrast) == ("sadness", "none")
    assert mood.at(mood.at_s + 60.0).contrast == "flat voice"
    assert mood.at(mood.at_s + 3600.0).contrast == "none"


def test_a_mood_lasts_for_minutes_and_not_for_half_an_hour() -> None:
    mood = told(SAD)
    assert mood.at(mood.at_s + 180.0).name == "sadness"
    assert mood.at(mood.at_s + 1800.0).name == "neutral"
    assert told(SAD, SAD, SAD, SAD).at(1800.0).name == "neutral"


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    mood = told(SAD)
    assert mood.at(0.0) == mood
    assert mood.after(SAD, 0.0).at_s == mood.at_s


PROBABILITY = st.floats(0.0, 1.0, width=32)
READINGS = st.builds(
    lambda row, voice: words(voice, **dict(zip(LABELS, row, strict=True))),
    st.lists(PROBABILITY, min_size=len(LABELS), max_size=len(LABELS)),
    st.none() | st.floats(-1.0, 1.0),
)
TALKS = st.lists(st.tuples(READINGS, st.floats(0.0, 1e7)), max_size=8)


@settings(deadline=None)
@given(TALKS)
def test_moods_are_bounded_and_the_same_for_the_same(
    talk: list[tuple[EmotionReading, float]],
) -> None:
    user, again, own = Mood(), Mood(), Mood(pace=SAMANTHA_PACE)
    for reading, pause_s in talk:
        user = user.after(reading, user.at_s + pause_s)
        again = again.after(reading, again.at_s + pause_s)
        own = own.after(echo(reading), own.at_s + pause_s)
        assert user == again
        for mood in (user, own, user.at(user.at_s + pause_s)):
            assert mood.name in MOODS
            assert 0.0 <= mood.probability <= 1.0 + 1e-9
            assert max(abs(mood.valence), abs(mood.arousal)) <= 1.0 + 1e-9


@settings(deadline=None)
@given(TALKS)
def test_every_mood_is_forgotten(talk: list[tuple[EmotionReading, float]]) -> None:
    for mood in (Mood(), Mood(pace=SAMANTHA_PACE)):
        for reading, pause_s in talk:
            mood = mood.after(reading, mood.at_s + pause_s)
        later = mood.at(mood.at_s + 24 * 3600.0)
        assert later.name == "neutral"
        assert not later.is_mixed
        assert later.valence == pytest.approx(0.0, abs=1e-6)
        assert later.probability == pytest.approx(1.0, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(PROBABILITY, min_size=len(LABELS), max_size=len(LABELS)),
    st.integers(0, 2**32 - 1),
)
def test_noise_makes_no_mood_flicker(row: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    mood, names = Mood(), []
    labels = np.array(row, dtype=np.float32) ** 4  # mostly improbable, as labels are
    groups = group_probabilities(labels[None])[0]
    for _ in range(60):
        noisy = np.clip(groups + rng.uniform(-0.1, 0.1, groups.size), 0.0, 1.0)
        mood = mood.after(read_emotion(labels, noisy), mood.at_s + TURN_S)
        names.append(mood.name)
    settled = names[5:]
    assert sum(one != other for one, other in pairwise(settled)) <= 1


@settings(deadline=None)
@given(st.lists(READINGS, min_size=1, max_size=10))
def test_samantha_is_never_angry_disgusted_afraid_or_unsure_of_herself(
    readings: list[EmotionReading],
) -> None:
    own = Mood(pace=SAMANTHA_PACE)
    for reading in readings:
        own = own.after(echo(reading), own.at_s + TURN_S)
        assert own.name in ("joy", "sadness", "surprise", "neutral")
        assert abs(own.valence) <= 0.5
        assert own.arousal <= 0.5


def test_samantha_stays_calm_when_the_user_rages_and_is_glad_after_them() -> None:
    own = Mood(pace=SAMANTHA_PACE)
    raging = told(*[echo(ANGRY)] * 10, mood=own)
    assert (raging.name, raging.arousal <= 0.0) == ("neutral", True)
    weak = words(joy=0.7, neutral=0.2)
    assert (told(weak).name, told(echo(weak), mood=own).name) == ("joy", "neutral")
    assert told(*[echo(weak)] * 4, mood=own).name == "joy"


# ------------------------------------------------------------------------- effects


@pytest.mark.parametrize("name", MOODS)
def test_every_mood_has_a_colour_and_words(name: str) -> None:
    mood = Mood(name=name)
    look = look_of(mood)
    assert look.word
    assert look.colour == COLOURS[name]
    assert look_of(mood, OWN_WORDS).word
    assert len(set(USER_WORDS.values())) == len(MOODS)
    assert bool(tone_guidance(mood)) == (name not in ("neutral", NOT_SURE))
    assert len(tone_guidance(replace(mood, contrast="flat voice")).split()) <= 30
    style = speech_style(mood)
    assert 0.85 <= style.speed <= 1.1
    assert 0.8 <= style.pause <= 1.5


def test_a_contradiction_is_shown_and_answered() -> None:
    mood = replace(Mood(name="joy"), contrast="flat voice")
    assert look_of(mood).word == "happy words, flat voice"
    assert "really are" in tone_guidance(mood)
    assert speech_style(mood).speed == 1.0
    assert speech_style(Mood(name="joy")).speed > 1.0


def test_samantha_speaks_slowest_and_with_the_longest_pauses_to_the_sad() -> None:
    styles = {name: speech_style(Mood(name=name)) for name in MOODS}
    assert min(MOODS, key=lambda name: styles[name].speed) == "sadness"
    assert max(MOODS, key=lambda name: styles[name].pause) == "sadness"


def test_excitement_quickens_the_orb_and_never_to_a_flicker() -> None:
    calm, usual, excited = (look_of(Mood(arousal=value)).movement for value in (-1.0, 0.0, 1.0))
    assert calm.rate_hz < usual.rate_hz < excited.rate_hz < 1.0
    assert 0.0 < calm.amplitude < usual.amplitude < excited.amplitude < 0.2


# ------------------------------------------------------------------------- colours

# Linear RGB as eyes without one kind of cone see it. Source: Machado, Oliveira and
# Fernandes, "A physiologically-based model for simulation of color vision deficiency",
# IEEE TVCG 15, 2009, severity 1.0.
EYES = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Linear RGB to OKLab, in which equal distances look equal. Source: B. Ottosson, "A
# perceptual color space for image processing", 2020. About 0.02 is just noticed.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    """Linear RGB of "#RRGGBB". Source: IEC 61966-2-1 (sRGB)."""
    values = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def seen(colour: str, eyes: str) -> np.ndarray:
    """OKLab of a colour as these eyes see it."""
    rgb = np.clip(np.asarray(EYES[eyes]) @ linear(colour), 0.0, 1.0)
    return TO_LAB @ np.cbrt(TO_CONES @ rgb)


def contrast(one: str, other: str) -> float:
    """Contrast ratio. Source: WCAG 2.2."""
    light = [float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)) for colour in (one, other)]
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", ["on_dark", "on_light"])
def test_no_two_colours_look_alike_to_any_eyes(theme: str, eyes: str) -> None:
    shown = {name: seen(getattr(COLOURS[name], theme), eyes) for name in MOODS}
    distances = {
        pair: float(np.linalg.norm(shown[pair[0]] - shown[pair[1]]))
        for pair in combinations(MOODS, 2)
    }
    closest = min(distances, key=lambda pair: distances[pair])
    assert distances[closest] >= 0.1, closest


def test_the_simulation_can_tell_that_colours_are_alike() -> None:
    red, green = "#C04000", "#707000"
    assert np.linalg.norm(seen(red, "normal") - seen(green, "normal")) > 0.15
    assert np.linalg.norm(seen(red, "deuteranopia") - seen(green, "deuteranopia")) < 0.1


@pytest.mark.parametrize("name", MOODS)
def test_every_colour_stands_out_from_its_background(name: str) -> None:
    assert contrast(COLOURS[name].on_dark, DARK_BACKGROUND) >= 3.0
    assert contrast(COLOURS[name].on_light, LIGHT_BACKGROUND) >= 3.0

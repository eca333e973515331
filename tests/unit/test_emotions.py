"""Labels, groups and places of emotions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from samantha_desktop.core.emotions import (
    AROUSAL,
    DIALOGUE_GROUP,
    EKMAN_GROUP,
    GROUP_WORDS,
    GROUPS,
    LABEL_WORDS,
    LABELS,
    VALENCE,
    group_probabilities,
    valence_and_arousal,
)

PROBABILITIES = arrays(
    np.float32, st.tuples(st.integers(0, 3), st.just(28)), elements=st.floats(0, 1, width=32)
)


def row(**probabilities: float) -> np.ndarray:
    return np.array([[probabilities.get(label, 0.0) for label in LABELS]], dtype=np.float32)


def test_the_labels_are_those_of_goemotions_in_its_order() -> None:
    assert len(LABELS) == 28
    assert LABELS[:-1] == tuple(sorted(LABELS[:-1]))
    assert LABELS[-1] == "neutral"


def test_every_label_has_a_group_a_place_and_a_word_of_its_own() -> None:
    for table in (EKMAN_GROUP, DIALOGUE_GROUP, VALENCE, AROUSAL, LABEL_WORDS):
        assert tuple(table) == LABELS
    assert set(EKMAN_GROUP.values()) == set(DIALOGUE_GROUP.values()) == set(GROUPS)
    assert all(-1 <= value <= 1 for value in (*VALENCE.values(), *AROUSAL.values()))
    assert len(set(LABEL_WORDS.values())) == 28
    assert tuple(GROUP_WORDS) == GROUPS


def test_the_two_mappings_differ_where_a_talk_holds_no_emotion() -> None:
    moved = {label for label in LABELS if EKMAN_GROUP[label] != DIALOGUE_GROUP[label]}
    assert moved == {
        *("approval", "realization", "curiosity", "confusion"),
        *("disapproval", "desire", "caring", "optimism"),
    }
    assert {DIALOGUE_GROUP[label] for label in moved} == {"neutral"}


def test_the_paper_counts_twelve_labels_of_joy() -> None:
    sizes = {group: list(EKMAN_GROUP.values()).count(group) for group in GROUPS}
    assert sizes == {
        "anger": 3,
        "disgust": 1,
        "fear": 2,
        "joy": 12,
        "sadness": 5,
        "surprise": 4,
        "neutral": 1,
    }


@pytest.mark.parametrize(
    ("probabilities", "group", "expected"),
    [
        ({"sadness": 0.5, "grief": 0.5}, "sadness", 0.75),
        ({"sadness": 0.5, "grief": 0.5}, "joy", 0.0),
        ({"curiosity": 0.6}, "neutral", 0.6),
        ({"fear": 1.0, "nervousness": 0.3}, "fear", 1.0),
    ],
)
def test_one_label_is_enough_for_its_group(
    probabilities: dict[str, float], group: str, expected: float
) -> None:
    found = group_probabilities(row(**probabilities))[0, GROUPS.index(group)]
    assert found == pytest.approx(expected)


def test_the_papers_mapping_can_be_asked_for() -> None:
    found = group_probabilities(row(curiosity=0.6), EKMAN_GROUP)[0]
    assert found[GROUPS.index("surprise")] == pytest.approx(0.6)
    assert found[GROUPS.index("neutral")] == 0.0


@given(PROBABILITIES)
def test_a_group_is_as_probable_as_its_strongest_label_at_least(labels: np.ndarray) -> None:
    groups = group_probabilities(labels)
    assert groups.shape == (len(labels), 7)
    assert ((groups >= 0) & (groups <= 1)).all()
    for column, group in enumerate(GROUPS):
        members = [DIALOGUE_GROUP[label] == group for label in LABELS]
        assert (groups[:, column] >= labels[:, members].max(axis=1, initial=0.0) - 1e-6).all()


@given(PROBABILITIES)
def test_valence_and_arousal_stay_on_the_plane(labels: np.ndarray) -> None:
    places = valence_and_arousal(labels)
    assert places.shape == (len(labels), 2)
    assert (np.abs(places) <= 1).all()


def test_a_sure_label_lies_at_its_place_and_an_unsure_one_nearer_to_the_middle() -> None:
    sure, unsure = valence_and_arousal(row(grief=1.0))[0], valence_and_arousal(row(grief=0.5))[0]
    assert sure == pytest.approx([VALENCE["grief"], AROUSAL["grief"]])
    assert unsure == pytest.approx(sure / 2)
    assert valence_and_arousal(row())[0] == pytest.approx([0, 0])

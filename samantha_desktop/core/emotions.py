"""The emotions that are told apart: 28 labels, 7 groups, and where they lie.

Labels and their order are those of GoEmotions (arXiv 2005.00547), on which the
classifier is trained. A label is independent of the others: a sentence may hold
joy and surprise, or none of the 28.

There are two ways from a label to a group:

- `EKMAN_GROUP` is the paper's, made for comments in a forum and used to compare
  with its figures.
- `DIALOGUE_GROUP` is the same, except for eight labels that in a talk are hardly an
  emotion (to agree, to ask, to see a point, to wish well) and count as neutral there.
  Source: our own, chosen because it fits spoken dialogue better (weighted F1 on MELD
  .454 instead of .426, on DailyDialog .796 instead of .499, the model being the same).

Valence (-1 unpleasant ... 1 pleasant) and arousal (-1 calm ... 1 excited) place a
label on the plane of Russell's circumplex of affect (Journal of Personality and Social
Psychology 39, 1980). It has terms for eight of the labels (happy, excited, astonished,
afraid, tense, angry, annoyed, sad): those lie in its quadrants and in its order. All
figures, rounded to a tenth, and the places of the other twenty are our own: a rough map
to draw with, not a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GROUPS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
"""Ekman's six and neutral: the columns of `group_probabilities`."""


class _Place(NamedTuple):
    ekman: str
    dialogue: str
    valence: float
    arousal: float
    word: str


# fmt: off
_PLACES = {
    "admiration":     _Place("joy", "joy", 0.6, 0.2, "full of admiration"),
    "amusement":      _Place("joy", "joy", 0.7, 0.5, "amused"),
    "anger":          _Place("anger", "anger", -0.6, 0.8, "angry"),
    "annoyance":      _Place("anger", "anger", -0.5, 0.4, "annoyed"),
    "approval":       _Place("joy", "neutral", 0.4, 0.0, "in agreement"),
    "caring":         _Place("joy", "neutral", 0.5, -0.1, "caring"),
    "confusion":      _Place("surprise", "neutral", -0.2, 0.2, "confused"),
    "curiosity":      _Place("surprise", "neutral", 0.2, 0.3, "curious"),
    "desire":         _Place("joy", "neutral", 0.3, 0.4, "longing"),
    "disappointment": _Place("sadness", "sadness", -0.5, -0.2, "disappointed"),
    "disapproval":    _Place("anger", "neutral", -0.4, 0.2, "disapproving"),
    "disgust":        _Place("disgust", "disgust", -0.7, 0.4, "disgusted"),
    "embarrassment":  _Place("sadness", "sadness", -0.4, 0.3, "embarrassed"),
    "excitement":     _Place("joy", "joy", 0.6, 0.8, "excited"),
    "fear":           _Place("fear", "fear", -0.6, 0.7, "afraid"),
    "gratitude":      _Place("joy", "joy", 0.7, 0.1, "grateful"),
    "grief":          _Place("sadness", "sadness", -0.9, -0.3, "grieving"),
    "joy":            _Place("joy", "joy", 0.8, 0.4, "happy"),
    "love":           _Place("joy", "joy", 0.8, 0.3, "loving"),
    "nervousness":    _Place("fear", "fear", -0.4, 0.6, "nervous"),
    "optimism":       _Place("joy", "neutral", 0.5, 0.3, "hopeful"),
    "pride":          _Place("joy", "joy", 0.6, 0.4, "proud"),
    "realization":    _Place("surprise", "neutral", 0.0, 0.2, "struck by a thought"),
    "relief":         _Place("joy", "joy", 0.5, -0.4, "relieved"),
    "remorse":        _Place("sadness", "sadness", -0.6, -0.1, "sorry"),
    "sadness":        _Place("sadness", "sadness", -0.7, -0.4, "sad"),
    "surprise":       _Place("surprise", "surprise", 0.1, 0.8, "surprised"),
    "neutral":        _Place("neutral", "neutral", 0.0, 0.0, "neutral"),
}
# fmt: on

LABELS = tuple(_PLACES)
"""The 28 labels of GoEmotions, in its order: the columns of the classifier."""

EKMAN_GROUP: Mapping[str, str] = MappingProxyType({k: p.ekman for k, p in _PLACES.items()})
"""Label to group as in the paper. Source: arXiv 2005.00547, the Ekman mapping."""

DIALOGUE_GROUP: Mapping[str, str] = MappingProxyType({k: p.dialogue for k, p in _PLACES.items()})
"""Label to group for what is said in a talk."""

VALENCE: Mapping[str, float] = MappingProxyType({k: p.valence for k, p in _PLACES.items()})
"""-1 unpleasant ... 1 pleasant."""

AROUSAL: Mapping[str, float] = MappingProxyType({k: p.arousal for k, p in _PLACES.items()})
"""-1 calm ... 1 excited."""

LABEL_WORDS: Mapping[str, str] = MappingProxyType({k: p.word for k, p in _PLACES.items()})
"""What completes "you sound ..." for a label."""

GROUP_WORDS: Mapping[str, str] = MappingProxyType({group: LABEL_WORDS[group] for group in GROUPS})
"""What completes "you sound ..." for a group: each bears the name of a label."""

_PLANE = np.array([(place.valence, place.arousal) for place in _PLACES.values()])


def group_probabilities(
    label_probabilities: NDArray[np.floating], group_of: Mapping[str, str] = DIALOGUE_GROUP
) -> NDArray[np.float32]:
    """How probable it is that at least one label of each group is there.

    Noisy-or: one minus the product of the label's improbabilities, the labels being
    taken as independent. The groups are independent of each other too: the columns need
    not sum to one.

    Args:
        label_probabilities: (n, 28) in [0, 1], columns as `LABELS`.
        group_of: label to group, `DIALOGUE_GROUP` or `EKMAN_GROUP`.

    Returns: (n, 7) in [0, 1], columns as `GROUPS`.
    """
    absent = 1.0 - np.clip(label_probabilities.astype(np.float64), 0.0, 1.0)
    columns = [
        1.0 - np.prod(absent[:, [group_of[label] == group for label in LABELS]], axis=1)
        for group in GROUPS
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def valence_and_arousal(label_probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
    """Where texts lie between the labels, by the mean of the labels' places.

    Each label pulls with its probability. What probabilities lack to a sum of one pulls
    to the middle, so that a text without a label is neither pleasant nor unpleasant.

    Args:
        label_probabilities: (n, 28) in [0, 1], columns as `LABELS`.

    Returns: (n, 2) in [-1, 1]: valence, arousal.
    """
    weights = np.clip(label_probabilities.astype(np.float64), 0.0, 1.0)
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    places: NDArray[np.float32] = (weights @ _PLANE / total).astype(np.float32)
    return places

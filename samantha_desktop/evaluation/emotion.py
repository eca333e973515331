"""`samantha eval emotion`: how often the emotion reader is wrong, on public test sets.

It measures the files that are in use, with their thresholds, which were set on other
data. On MELD, EmpatheticDialogues and DailyDialog nothing was trained and nothing tuned.

Keys of the document (`--json`); a figure with an interval is {value, low, high}, the
95 % bootstrap interval over texts:
    goemotions: several labels may hold for one text
        labels, groups (by the paper's mapping), each:
            macro_f1, f1.<name>
            macro_f1_without_duplicates: without texts that stand in the train file, too;
                null when that file is not there
            calibration_error: expected, over all pairs of text and class, 15 bins
        n_texts, n_duplicates (null), n_abstained, wrong
    meld, empatheticdialogues, dailydialog: one of seven groups holds for each text; said is
        the most probable, neutral where the reader abstains
        weighted_f1, macro_f1, accuracy, f1.<group>
        majority_weighted_f1: of always saying the most frequent group
        calibration_error: as above; top_calibration_error: of the group that is said
        confusion: rows truth, columns said, in the order of `groups`
        n_texts, n_left_out (its emotion is none of the seven), n_abstained, wrong
    wrong: the surest mistakes: {text, truth, said, probability}
    groups, empatheticdialogues_mapping, bars, model, device, version, took_s
A set that is not in the folder is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop import __version__
from samantha_desktop.core.classification_metrics import (
    Flags,
    Interval,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    f1_per_class,
    macro_f1,
    one_hot,
    weighted_f1,
)
from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.ports import EmotionClassifier
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig
from samantha_desktop.evaluation.emotion_data import (
    EMPATHETIC_GROUP,
    LabelledTexts,
    read_daily_dialog,
    read_empathetic_dialogues,
    read_goemotions,
    read_meld,
)

BARS = {
    "goemotions.labels.macro_f1": 0.56,
    "goemotions.groups.macro_f1": 0.67,
    "goemotions.groups.calibration_error": 0.02,
    "meld.weighted_f1": 0.52,
    "meld.calibration_error": 0.10,
    "empatheticdialogues.weighted_f1": 0.65,
}
"""At least so much of F1, at most so much of error."""

_NEUTRAL = GROUPS.index("neutral")
_CHUNK = 128
_N_WRONG = 10

Probabilities = NDArray[np.float32]
OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class _DialogueSet:
    """A set in which one group holds for each text.

    Attributes:
        mapping: which labels make a group: as in a talk, or as the paper has it, where
            people describe what happened to them.
    """

    name: str
    read: Callable[[Path], LabelledTexts | None]
    mapping: str


_DIALOGUE_SETS = (
    _DialogueSet("meld", read_meld, "dialogue"),
    _DialogueSet("empatheticdialogues", read_empathetic_dialogues, "ekman"),
    _DialogueSet("dailydialog", read_daily_dialog, "dialogue"),
)


def run(
    classifier: EmotionClassifier,
    config: EmotionModelConfig,
    data_dir: Path,
    *,
    limit: int | None = None,
    on_done: OnDone = lambda _done, _all: None,
) -> dict[str, Any]:
    """Measure.

    Args:
        classifier: loaded.
        config: of its model: thresholds and calibration.
        data_dir: see `emotion_data`.
        limit: only the first so many texts of each set.
        on_done: told how many texts are read, of how many.

    Raises:
        SettingsError: none of the sets is in the folder, or a file is not what it should be.
    """
    began_s = time.monotonic()
    goemotions = read_goemotions(data_dir, "test")
    sets = {item.name: item.read(data_dir) for item in _DIALOGUE_SETS}
    found = {name: data.first(limit) for name, data in sets.items() if data is not None}
    if goemotions is not None:
        goemotions = goemotions.first(limit)
    texts = [text for data in (goemotions, *found.values()) if data for text in data.texts]
    if not texts:
        raise SettingsError(
            f"There are no test sets in {data_dir}.",
            recovery="Give the folder that holds goemotions/test.tsv, meld/test_sent_emo.csv, "
            "empatheticdialogues/test_prompts.tsv or dailydialog/test.tsv.",
        )
    probabilities = _classify(classifier, texts, on_done)
    document: dict[str, Any] = {}
    start = 0
    if goemotions is not None:
        start = len(goemotions.texts)
        train = read_goemotions(data_dir, "train")
        document["goemotions"] = _goemotions_figures(
            goemotions, probabilities[:start], config, train
        )
    for item in _DIALOGUE_SETS:
        if item.name in found:
            data = found[item.name]
            rows = probabilities[start : start + len(data.texts)]
            start += len(data.texts)
            calibrated = config.groups[item.mapping].probabilities(rows)
            document[item.name] = _dialogue_figures(data, calibrated, item.mapping)
    info = classifier.info()
    return document | {
        "groups": list(GROUPS),
        "empatheticdialogues_mapping": dict(EMPATHETIC_GROUP),
        "bars": BARS,
        "model": info.model,
        "device": info.device,
        "version": __version__,
        "took_s": round(time.monotonic() - began_s, 1),
    }


def _classify(classifier: EmotionClassifier, texts: list[str], on_done: OnDone) -> Probabilities:
    chunks = []
    for start in range(0, len(texts), _CHUNK):
        chunks.append(classifier.classify(texts[start : start + _CHUNK]))
        on_done(min(start + _CHUNK, len(texts)), len(texts))
    return np.concatenate(chunks)


def _goemotions_figures(
    data: LabelledTexts,
    probabilities: Probabilities,
    config: EmotionModelConfig,
    train: LabelledTexts | None,
) -> dict[str, Any]:
    """Several labels may hold for one text."""
    ekman = config.groups["ekman"]
    of_group = [[ekman.group_of[label] == group for label in LABELS] for group in GROUPS]
    group_truth = np.stack([data.truth[:, columns].any(axis=1) for columns in of_group], axis=1)
    groups = ekman.probabilities(probabilities)
    is_new = None
    if train is not None:
        known = set(train.texts)
        is_new = np.array([text not in known for text in data.texts], np.bool_)
    said = probabilities >= config.threshold
    return {
        "labels": _multilabel(data.truth, probabilities, said, LABELS, is_new),
        "groups": _multilabel(group_truth, groups, groups >= ekman.threshold, GROUPS, is_new),
        "n_texts": len(data.texts),
        "n_duplicates": None if is_new is None else int((~is_new).sum()),
        "n_abstained": _n_abstained(probabilities),
        "wrong": _wrong(data.texts, group_truth, groups, _at_top(groups)),
    }


def _multilabel(
    truth: Flags,
    probabilities: Probabilities,
    said: Flags,
    names: tuple[str, ...],
    is_new: Flags | None,
) -> dict[str, Any]:
    f1 = f1_per_class(truth, said)
    return {
        "macro_f1": _figure(bootstrap_interval(macro_f1, truth, said)),
        "macro_f1_without_duplicates": (
            None
            if is_new is None
            else _figure(bootstrap_interval(macro_f1, truth[is_new], said[is_new]))
        ),
        "calibration_error": round(expected_calibration_error(probabilities, truth), 4),
        "f1": {name: round(float(value), 4) for name, value in zip(names, f1, strict=True)},
    }


def _dialogue_figures(
    data: LabelledTexts, probabilities: Probabilities, mapping: str
) -> dict[str, Any]:
    """One group holds for each text."""
    truth, top = data.truth, _at_top(probabilities)
    said = one_hot(top, len(GROUPS))
    numbers = truth.argmax(axis=1)
    is_right = numbers == top
    most_frequent = np.full(len(numbers), truth.sum(axis=0).argmax())
    f1 = f1_per_class(truth, said)
    return {
        "weighted_f1": _figure(bootstrap_interval(weighted_f1, truth, said)),
        "macro_f1": _figure(bootstrap_interval(macro_f1, truth, said)),
        "accuracy": round(float(is_right.mean()), 4),
        "majority_weighted_f1": round(weighted_f1(truth, one_hot(most_frequent, len(GROUPS))), 4),
        "f1": {name: round(float(value), 4) for name, value in zip(GROUPS, f1, strict=True)},
        "calibration_error": round(expected_calibration_error(probabilities, truth), 4),
        "top_calibration_error": round(
            expected_calibration_error(probabilities[np.arange(len(top)), top], is_right), 4
        ),
        "confusion": confusion(numbers, top, len(GROUPS)).tolist(),
        "mapping": mapping,
        "n_texts": len(data.texts),
        "n_left_out": data.n_left_out,
        "n_abstained": _n_abstained(probabilities),
        "wrong": _wrong(data.texts, truth, probabilities, top),
    }


def _at_top(probabilities: Probabilities) -> NDArray[np.int64]:
    """The most probable group of each text; neutral where nothing has a probability."""
    is_judged = probabilities.any(axis=1)
    return np.where(is_judged, probabilities.argmax(axis=1), _NEUTRAL).astype(np.int64)


def _n_abstained(probabilities: Probabilities) -> int:
    return int((~probabilities.any(axis=1)).sum())


def _wrong(
    texts: tuple[str, ...], truth: Flags, probabilities: Probabilities, top: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Where the reader was surest of what is not so."""
    rows = np.arange(len(texts))
    sureness = np.where(truth[rows, top], -1.0, probabilities[rows, top])
    return [
        {
            "text": texts[row],
            "truth": [group for group, holds in zip(GROUPS, truth[row], strict=True) if holds],
            "said": GROUPS[top[row]],
            "probability": round(float(sureness[row]), 3),
        }
        for row in np.argsort(-sureness)[:_N_WRONG]
        if sureness[row] >= 0
    ]


def _figure(interval: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(interval).items()}

"""How good one model is on sentences that nobody learnt from, in a form that JSON takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.classification_metrics import (
    Flags,
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    f1_per_class,
    macro_f1,
    reliability,
)
from samantha_desktop.core.emotions import EKMAN_GROUP, GROUPS, LABELS, group_probabilities
from samantha_desktop.training.emotion.decisions import Calibration, log_odds
from samantha_desktop.training.emotion.goemotions import LabelledTexts

_N_WRONG = 20


def calibration_in(numbers: Mapping[str, Any]) -> Calibration:
    """The calibration that stands in config.json, of labels or of groups."""
    return Calibration(np.array(numbers["scale"]), np.array(numbers["bias"]))


def figures_of(
    probabilities: NDArray[np.floating],
    config: Mapping[str, Any],
    data: LabelledTexts,
    known: LabelledTexts,
) -> dict[str, Any]:
    """F1 with intervals, calibration, confusion, and the surest mistakes.

    Args:
        probabilities: (n, 28), calibrated.
        config: thresholds, and the calibration of the groups; see `calibrated_config`.
        data: the n sentences.
        known: sentences trained on: those of `data` that stand there too are left out of
            the figures named `new`.
    """
    ekman = config["groups"]["ekman"]
    groups = calibration_in(ekman).probabilities(
        log_odds(group_probabilities(probabilities, EKMAN_GROUP))
    )
    group_truth = group_probabilities(data.truth.astype(np.float32), EKMAN_GROUP) > 0.5
    known_texts = set(known.texts)
    is_new = np.array([text not in known_texts for text in data.texts], dtype=np.bool_)
    return {
        "labels": _figures(
            probabilities,
            probabilities >= np.array(config["threshold"]),
            data.truth,
            is_new,
            LABELS,
        ),
        "groups": _figures(
            groups, groups >= np.array(ekman["threshold"]), group_truth, is_new, GROUPS
        ),
        "confusion": _confusion(groups, group_truth).tolist(),
        "wrong": _wrong(groups, group_truth, data.texts),
        "n_texts": len(data),
        "n_new": int(is_new.sum()),
    }


def _figures(
    probabilities: NDArray[np.floating],
    said: Flags,
    truth: Flags,
    is_new: NDArray[np.bool_],
    names: tuple[str, ...],
) -> dict[str, Any]:
    f1 = f1_per_class(truth, said)
    return {
        "macro_f1": asdict(bootstrap_interval(macro_f1, truth, said)),
        "macro_f1_new": macro_f1(truth[is_new], said[is_new]),
        "calibration_error": expected_calibration_error(probabilities, truth),
        "reliability": reliability(probabilities, truth),
        "f1": {name: float(value) for name, value in zip(names, f1, strict=True)},
        "count": {name: int(n) for name, n in zip(names, truth.sum(axis=0), strict=True)},
    }


def _confusion(groups: NDArray[np.floating], truth: Flags) -> NDArray[np.int64]:
    """Most probable group against the true one, where there is just one."""
    is_single = truth.sum(axis=1) == 1
    return confusion(truth[is_single].argmax(1), groups[is_single].argmax(1), len(GROUPS))


def _wrong(
    groups: NDArray[np.floating], truth: Flags, texts: tuple[str, ...]
) -> list[dict[str, Any]]:
    rows, top = np.arange(len(texts)), groups.argmax(axis=1)
    sureness = np.where(truth[rows, top], -1.0, groups[rows, top])
    return [
        {
            "text": texts[row],
            "truth": ", ".join(np.array(GROUPS)[truth[row]]),
            "said": GROUPS[top[row]],
            "probability": float(sureness[row]),
        }
        for row in np.argsort(-sureness)[:_N_WRONG]
        if sureness[row] >= 0
    ]

"""From logits to calibrated probabilities, and from those to yes or no. Pure.

Everything is found on sentences the network did not learn from, and shrunk: a label
that twenty of them bear cannot tell its own threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.classification_metrics import Flags
from samantha_desktop.core.emotions import (
    DIALOGUE_GROUP,
    EKMAN_GROUP,
    GROUPS,
    group_probabilities,
)

Floats = NDArray[np.float64]

_GRID = np.linspace(0.05, 0.75, 71)
PRIOR_COUNT = 100.0
"""Sentences with a label that weigh as much as what holds for all labels. Of 5,426 dev
sentences 13 to 40 bear the rarest labels and 160 and more the common ones."""


@dataclass(frozen=True)
class Calibration:
    """A logit becomes scale * logit + bias.

    Attributes:
        scale: (n_classes,).
        bias: (n_classes,).
    """

    scale: Floats
    bias: Floats

    def probabilities(self, logits: NDArray[np.floating]) -> Floats:
        """(n, n_classes) calibrated."""
        return sigmoid(self.scale * logits + self.bias)


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """Logits to probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30))))


def log_odds(probabilities: NDArray[np.floating]) -> Floats:
    """Probabilities to logits, 0 and 1 kept finite."""
    p = np.clip(probabilities.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p / (1 - p)))


def calibrate(logits: NDArray[np.floating], truth: Flags) -> Calibration:
    """The scale and bias of each class under which its probabilities are most likely.

    Both are pulled towards 1 and 0, the more the rarer the class is.

    Source: Platt 1999, Probabilistic outputs for support vector machines; found by Newton's
    method with a Gaussian prior.
    """
    fitted = [_calibrate_one(logits[:, j], truth[:, j]) for j in range(truth.shape[1])]
    scale, bias = np.array(fitted).T
    return Calibration(scale, bias)


_START = np.array([1.0, 0.0])
# A pull as strong as that of twenty sentences of middling doubt.
_PULL = np.array([20.0, 5.0])


def _calibrate_one(logits: NDArray[np.floating], truth: NDArray[np.bool_]) -> Floats:
    """Scale and bias of one class."""
    inputs = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)
    signs = np.where(truth, -1.0, 1.0)

    def cost(weights: Floats) -> float:
        likelihood = np.logaddexp(0.0, signs * (inputs @ weights)).sum()
        return float(likelihood + 0.5 * (_PULL * (weights - _START) ** 2).sum())

    weights = _START
    for _ in range(50):
        p = sigmoid(inputs @ weights)
        gradient = inputs.T @ (p - truth) + _PULL * (weights - _START)
        curvature = (inputs * (p * (1 - p))[:, None]).T @ inputs + np.diag(_PULL)
        step = np.linalg.solve(curvature, gradient)
        # Far from the end a whole step can lead further away: halve it until it does not.
        while cost(weights - step) > cost(weights) and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        weights = weights - step
        if float(np.abs(step).max()) < 1e-6:
            break
    return np.asarray(weights)


def global_threshold(probabilities: NDArray[np.floating], truth: Flags) -> float:
    """The one threshold for all classes at which macro-F1 is best."""
    return float(_GRID[int(np.argmax(_f1_curves(probabilities, truth).mean(axis=0)))])


def shrunk_thresholds(
    probabilities: NDArray[np.floating], truth: Flags, prior_count: float = PRIOR_COUNT
) -> Floats:
    """A threshold for each class: its own best, pulled to that of all.

    A class's F1 at each threshold is mixed with the mean of all classes' (each relative to
    its best, so that hard classes have their say) as if `prior_count` sentences more bore it.

    Args:
        probabilities: (n, n_classes), calibrated.
        truth: (n, n_classes).
        prior_count: 0: each its own; infinite: the same for all.
    """
    curves = _f1_curves(probabilities, truth)
    relative = curves / np.maximum(curves.max(axis=1, keepdims=True), 1e-9)
    shared = relative.mean(axis=0)
    counts = truth.sum(axis=0)[:, None]
    trust = counts / (counts + prior_count) if np.isfinite(prior_count) else np.zeros_like(counts)
    mixed = trust * relative + (1 - trust) * shared
    return np.asarray(_GRID[np.argmax(mixed, axis=1)])


def shift_prior(calibration: Calibration, shares: Floats, expected_shares: Floats) -> Calibration:
    """The calibration for texts in which the classes are this frequent instead.

    Source: Saerens, Latinne, Decaestecker 2002, Neural Computation 14: the odds change by
    the ratio of the odds of the shares, as long as what each class looks like does not.

    Args:
        calibration: for texts with `shares`.
        shares: (n_classes,) of the texts it was found on.
        expected_shares: (n_classes,) of those it is to be used on.
    """
    return Calibration(
        calibration.scale, calibration.bias + log_odds(expected_shares) - log_odds(shares)
    )


def calibrated_config(
    logits: NDArray[np.floating], truth: Flags, talk_shares: Mapping[str, float]
) -> dict[str, Any]:
    """Calibration and thresholds of labels and groups, as they stand in config.json.

    Args:
        logits: (n, 28).
        truth: (n, 28).
        talk_shares: group to how often it is expected in a talk.
    """
    calibration = calibrate(logits, truth)
    labels = calibration.probabilities(logits)
    groups = {}
    for name, group_of in (("ekman", EKMAN_GROUP), ("dialogue", DIALOGUE_GROUP)):
        group_truth = group_probabilities(truth.astype(np.float32), group_of) > 0.5
        group_logits = log_odds(group_probabilities(labels, group_of))
        of_groups = calibrate(group_logits, group_truth)
        thresholds = shrunk_thresholds(of_groups.probabilities(group_logits), group_truth)
        if name == "dialogue":
            expected = np.array([talk_shares[group] for group in GROUPS])
            of_groups = shift_prior(of_groups, group_truth.mean(axis=0), expected)
        groups[name] = config_numbers(of_groups, thresholds)
    return config_numbers(calibration, shrunk_thresholds(labels, truth)) | {"groups": groups}


def config_numbers(calibration: Calibration, threshold: float | Floats) -> dict[str, Any]:
    """Calibration and thresholds as config.json has them."""
    thresholds = np.broadcast_to(threshold, calibration.scale.shape)
    return {
        "scale": [round(float(value), 4) for value in calibration.scale],
        "bias": [round(float(value), 4) for value in calibration.bias],
        "threshold": [round(float(value), 4) for value in thresholds],
    }


def _f1_curves(probabilities: NDArray[np.floating], truth: Flags) -> Floats:
    """F1 of each class at every threshold of the grid, (n_classes, len(grid))."""
    curves = np.zeros((truth.shape[1], len(_GRID)))
    for j in range(truth.shape[1]):
        said = probabilities[:, j, None] >= _GRID[None, :]
        hits = np.sum(said & truth[:, j, None], axis=0)
        curves[j] = 2 * hits / np.maximum(said.sum(axis=0) + truth[:, j].sum(), 1)
    return curves

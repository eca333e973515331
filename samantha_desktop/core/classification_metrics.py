"""How good a classifier is: F1, calibration, and how sure those figures are.

Everything takes plain arrays, so that training and evaluation count alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
"""(n, n_classes): which classes hold for each sample."""


@dataclass(frozen=True)
class Interval:
    """A figure and where it would lie if the test set were drawn again.

    Attributes:
        value: the figure on the whole set.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float


def one_hot(classes: NDArray[np.int64], n_classes: int) -> Flags:
    """Class numbers (n,) as flags (n, n_classes)."""
    return np.asarray(classes[:, None] == np.arange(n_classes)[None, :], dtype=np.bool_)


def f1_per_class(truth: Flags, predicted: Flags) -> NDArray[np.float64]:
    """F1 of each column, shape (n_classes,); 0 where nothing was there and nothing was said."""
    hits = np.sum(truth & predicted, axis=0).astype(np.float64)
    said_or_there = np.sum(truth, axis=0) + np.sum(predicted, axis=0)
    return np.asarray(2 * hits / np.maximum(said_or_there, 1), dtype=np.float64)


def macro_f1(truth: Flags, predicted: Flags) -> float:
    """Mean of the F1 of the classes, each counting the same."""
    return float(np.mean(f1_per_class(truth, predicted)))


def weighted_f1(truth: Flags, predicted: Flags) -> float:
    """Mean of the F1 of the classes, each counting as often as it is there in truth."""
    there = np.sum(truth, axis=0)
    return float(np.sum(f1_per_class(truth, predicted) * there) / max(int(there.sum()), 1))


def confusion(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """How often class i (row) was called class j (column), shape (n_classes, n_classes)."""
    return np.bincount(truth * n_classes + predicted, minlength=n_classes**2).reshape(
        n_classes, n_classes
    )


def reliability(
    probabilities: NDArray[np.floating], is_true: Flags, n_bins: int = 15
) -> list[tuple[float, float, int]]:
    """Mean probability, share that held, and count of each bin of equal width that has any.

    Args:
        probabilities: any shape, in [0, 1].
        is_true: the same shape: whether what the probability speaks of held.
        n_bins: bins between 0 and 1.
    """
    flat = probabilities.ravel().astype(np.float64)
    held = is_true.ravel().astype(np.float64)
    bins = np.minimum((flat * n_bins).astype(np.int64), n_bins - 1)
    counts = np.bincount(bins, minlength=n_bins)
    mean = np.bincount(bins, weights=flat, minlength=n_bins)
    share = np.bincount(bins, weights=held, minlength=n_bins)
    return [
        (float(mean[i] / counts[i]), float(share[i] / counts[i]), int(counts[i]))
        for i in range(n_bins)
        if counts[i]
    ]


def expected_calibration_error(
    probabilities: NDArray[np.floating], is_true: Flags, n_bins: int = 15
) -> float:
    """How far probabilities are from what happens: the bins' mean gap, weighted by count.

    For many classes give every (sample, class) pair, or the top class's probability and
    whether it was right.

    Source: Naeini, Cooper, Hauskrecht 2015, AAAI; 15 bins as Guo et al. 2017 (arXiv 1706.04599).
    """
    bins = reliability(probabilities, is_true, n_bins)
    n = sum(count for _, _, count in bins)
    return sum(abs(mean - share) * count for mean, share, count in bins) / max(n, 1)


def bootstrap_interval(
    figure: Callable[[Flags, Flags], float],
    truth: Flags,
    predicted: Flags,
    *,
    n_resamples: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """The percentile bootstrap interval of a figure over samples.

    Args:
        figure: e.g. `macro_f1`; called with rows drawn with replacement.
        truth: (n, n_classes).
        predicted: (n, n_classes).
        n_resamples: draws.
        confidence: share of the draws inside the interval.
        seed: of the draws, so that reports repeat.

    Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, ch. 13.
    """
    value = figure(truth, predicted)
    n = len(truth)
    if n == 0:
        return Interval(value, value, value)
    random = np.random.default_rng(seed)
    draws = [random.integers(0, n, n) for _ in range(n_resamples)]
    figures = [figure(truth[rows], predicted[rows]) for rows in draws]
    tail = (1 - confidence) / 2
    low, high = np.quantile(figures, [tail, 1 - tail])
    return Interval(value, float(low), float(high))

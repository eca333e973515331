import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samantha_desktop.core.classification_metrics import (
    bootstrap_interval,
    confusion,
    expected_calibration_error,
    f1_per_class,
    macro_f1,
    one_hot,
    reliability,
    weighted_f1,
)

TRUTH = one_hot(np.array([0, 0, 0, 1, 1, 2]), 3)
PREDICTED = one_hot(np.array([0, 0, 1, 1, 1, 0]), 3)


def test_f1_counted_by_hand() -> None:
    # class 0: 2 hits, 3 there, 3 said; class 1: 2, 2, 3; class 2: none of one.
    assert f1_per_class(TRUTH, PREDICTED) == pytest.approx([4 / 6, 4 / 5, 0])
    assert macro_f1(TRUTH, PREDICTED) == pytest.approx((4 / 6 + 4 / 5) / 3)
    assert weighted_f1(TRUTH, PREDICTED) == pytest.approx((3 * 4 / 6 + 2 * 4 / 5) / 6)


def test_confusion_rows_are_truth() -> None:
    table = confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_calibration_of_honest_and_boastful_probabilities() -> None:
    held = np.array([True, True, True, False])
    assert expected_calibration_error(np.full(4, 0.75), held) == pytest.approx(0)
    assert expected_calibration_error(np.full(4, 1.0), held) == pytest.approx(0.25)


def test_reliability_leaves_empty_bins_out() -> None:
    bins = reliability(np.array([0.05, 0.95]), np.array([False, True]), 10)
    assert bins == [pytest.approx((0.05, 0, 1)), pytest.approx((0.95, 1, 1))]


def test_bootstrap_holds_its_value_and_repeats() -> None:
    random = np.random.default_rng(1)
    truth = random.random((300, 4)) < 0.3
    predicted = truth ^ (random.random((300, 4)) < 0.1)
    interval = bootstrap_interval(macro_f1, truth, predicted, n_resamples=200)
    assert interval.low < interval.value < interval.high
    assert interval == bootstrap_interval(macro_f1, truth, predicted, n_resamples=200)


def test_nothing_to_count_is_no_error() -> None:
    nothing = np.zeros((0, 3), bool)
    assert macro_f1(nothing, nothing) == weighted_f1(nothing, nothing) == 0
    assert expected_calibration_error(np.zeros(0), np.zeros(0, bool)) == 0
    assert bootstrap_interval(macro_f1, nothing, nothing).value == 0


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=50),
)
def test_figures_are_bounded_and_perfect_when_right(pairs: list[tuple[int, int]]) -> None:
    truth = one_hot(np.array([a for a, _ in pairs]), 4)
    predicted = one_hot(np.array([b for _, b in pairs]), 4)
    assert 0 <= macro_f1(truth, predicted) <= 1
    assert 0 <= weighted_f1(truth, predicted) <= 1
    assert weighted_f1(truth, truth) == pytest.approx(1)

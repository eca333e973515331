import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samantha_desktop.core.classification_metrics import expected_calibration_error, macro_f1
from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.training.emotion.decisions import (
    Calibration,
    calibrate,
    calibrated_config,
    global_threshold,
    log_odds,
    shift_prior,
    shrunk_thresholds,
    sigmoid,
)
from samantha_desktop.training.emotion.priors import TALK_SHARES


def drawn(n: int, shares: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are as sure as they should be, and what came of them."""
    random = np.random.default_rng(5)
    logits = random.normal(log_odds(np.array(shares)), 2.0, (n, len(shares)))
    return logits, random.random(logits.shape) < sigmoid(logits)


def test_log_odds_and_sigmoid_undo_each_other() -> None:
    probabilities = np.array([0.001, 0.2, 0.5, 0.97])
    assert sigmoid(log_odds(probabilities)) == pytest.approx(probabilities)
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


def test_boasting_is_taken_back() -> None:
    logits, truth = drawn(4000, [0.2, 0.4])
    boasting = 3 * logits + 1
    calibration = calibrate(boasting, truth)
    assert calibration.scale == pytest.approx([1 / 3, 1 / 3], abs=0.04)
    assert calibration.bias == pytest.approx([-1 / 3, -1 / 3], abs=0.15)
    before = expected_calibration_error(sigmoid(boasting), truth)
    after = expected_calibration_error(calibration.probabilities(boasting), truth)
    assert after < 0.02 < before


def test_a_class_that_never_came_keeps_finite_numbers() -> None:
    calibration = calibrate(np.full((50, 1), -3.0), np.zeros((50, 1), bool))
    assert np.isfinite([calibration.scale, calibration.bias]).all()
    assert 0 < calibration.probabilities(np.array([[-3.0]]))[0, 0] < 0.05


def test_thresholds_are_each_their_own_or_all_the_same() -> None:
    logits, truth = drawn(3000, [0.03, 0.5])
    probabilities = sigmoid(logits)
    own = shrunk_thresholds(probabilities, truth, prior_count=0)
    shared = shrunk_thresholds(probabilities, truth, prior_count=np.inf)
    assert shared[0] == shared[1]
    assert macro_f1(truth, probabilities >= own) >= macro_f1(truth, probabilities >= shared)
    assert macro_f1(truth, probabilities >= own) >= macro_f1(
        truth, probabilities >= global_threshold(probabilities, truth)
    )


def test_rare_classes_lean_on_the_others() -> None:
    logits, truth = drawn(2000, [0.3, 0.3, 0.3])
    truth[:, 2] = False
    truth[0, 2] = True  # one lucky sentence would say 0.75 or 0.05
    own = shrunk_thresholds(sigmoid(logits), truth, prior_count=0)
    shrunk = shrunk_thresholds(sigmoid(logits), truth)
    assert abs(shrunk[2] - shrunk[:2].mean()) <= abs(own[2] - own[:2].mean())
    assert abs(shrunk[2] - shrunk[:2].mean()) < 0.15


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.01, 0.99))
def test_prior_shift_is_bayes(share: float, expected: float, probability: float) -> None:
    shifted = shift_prior(
        Calibration(np.ones(1), np.zeros(1)), np.array([share]), np.array([expected])
    ).probabilities(log_odds(np.array([[probability]])))
    yes = probability / share * expected
    no = (1 - probability) / (1 - share) * (1 - expected)
    assert shifted[0, 0] == pytest.approx(yes / (yes + no), abs=1e-4)


def test_config_has_what_the_reader_wants() -> None:
    logits, truth = drawn(400, [0.1] * len(LABELS))
    config = calibrated_config(logits, truth, TALK_SHARES)
    assert {len(config[key]) for key in ("scale", "bias", "threshold")} == {len(LABELS)}
    for name in ("ekman", "dialogue"):
        numbers = config["groups"][name]
        assert {len(numbers[key]) for key in ("scale", "bias", "threshold")} == {len(GROUPS)}

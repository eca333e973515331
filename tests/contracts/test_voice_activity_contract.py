"""What every `VoiceActivityDetector` promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.ports import FRAME_SAMPLES, Engine

KIND = "vad"


def test_close_before_load_and_twice(unloaded: Engine) -> None:
    unloaded.close()
    unloaded.close()


def test_info_says_what_runs_where(engine: Any, implementation: Any) -> None:
    info = engine.info()
    assert info.engine == implementation.spec.name
    assert info.model
    assert info.device.partition(":")[0] in ("cpu", "cuda", "metal")
    assert all(isinstance(value, str) for value in info.detail.values())


@pytest.mark.parametrize("n_windows", [0, 1, 7])
def test_one_probability_per_window(engine: Any, n_windows: int) -> None:
    engine.reset()
    probabilities = engine.speech_probabilities(np.zeros(n_windows * FRAME_SAMPLES, np.float32))
    assert isinstance(probabilities, list)
    assert len(probabilities) == n_windows
    assert all(isinstance(p, float) and 0.0 <= p <= 1.0 for p in probabilities)


def test_silence_is_no_speech(engine: Any) -> None:
    engine.reset()
    assert max(engine.speech_probabilities(np.zeros(31 * FRAME_SAMPLES, np.float32))) < 0.5


def test_how_the_stream_is_cut_makes_no_difference(engine: Any) -> None:
    pcm = np.random.default_rng(1).normal(0, 0.1, 12 * FRAME_SAMPLES).astype(np.float32)
    engine.reset()
    whole = engine.speech_probabilities(pcm)
    engine.reset()
    windows = [engine.speech_probabilities(w)[0] for w in pcm.reshape(-1, FRAME_SAMPLES)]
    assert windows == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("n_samples", [1, FRAME_SAMPLES - 1, FRAME_SAMPLES + 1])
def test_a_part_of_a_window_is_refused(engine: Any, n_samples: int) -> None:
    with pytest.raises(ValueError):
        engine.speech_probabilities(np.zeros(n_samples, np.float32))

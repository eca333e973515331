"""What every `TextToSpeech` promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.ports import Engine

KIND = "tts"

VOICE = "af_heart"


def test_close_before_load_and_twice(unloaded: Engine) -> None:
    unloaded.close()
    unloaded.close()


def test_info_says_what_runs_where(engine: Any, implementation: Any) -> None:
    info = engine.info()
    assert info.engine == implementation.spec.name
    assert info.model
    assert info.device.partition(":")[0] in ("cpu", "cuda", "metal")
    assert all(isinstance(value, str) for value in info.detail.values())


def test_rate_and_voices_are_known(engine: Any) -> None:
    assert isinstance(engine.sample_rate_hz, int)
    assert 8_000 <= engine.sample_rate_hz <= 48_000
    assert isinstance(engine.voices, tuple)
    assert VOICE in engine.voices
    assert len(set(engine.voices)) == len(engine.voices)


def test_speech_is_audible_pcm(engine: Any) -> None:
    stream = engine.synthesize("Good morning, everyone.", voice=VOICE)
    assert isinstance(stream, Iterator)
    pieces = list(stream)
    assert pieces
    for piece in pieces:
        assert piece.dtype == np.float32
        assert piece.ndim == 1
        assert len(piece) > 0
        assert np.isfinite(piece).all()
        assert np.abs(piece).max() <= 1.0
    pcm = np.concatenate(pieces)
    assert 0.4 < len(pcm) / engine.sample_rate_hz < 5.0
    assert np.abs(pcm).max() > 0.01
    assert list(stream) == []


def test_faster_is_shorter(engine: Any) -> None:
    def n_samples(speed: float) -> int:
        return sum(map(len, engine.synthesize("Good morning.", voice=VOICE, speed=speed)))

    assert n_samples(0.7) > n_samples(1.6)


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "🙂"])
def test_nothing_to_speak_yields_nothing(engine: Any, text: str) -> None:
    assert list(engine.synthesize(text, voice=VOICE)) == []


def test_unusable_arguments_are_told(engine: Any) -> None:
    with pytest.raises(SettingsError, match="nobody"):
        list(engine.synthesize("Hello.", voice="nobody"))
    for speed in (0.0, 0.49, 2.01, float("nan")):
        with pytest.raises(SettingsError):
            list(engine.synthesize("Hello.", voice=VOICE, speed=speed))


def test_cancelled_or_closed_it_ends_and_works_on(
    engine: Any, cancelled_after: Callable[[int], Callable[[], bool]]
) -> None:
    assert list(engine.synthesize("Hello.", voice=VOICE, is_cancelled=cancelled_after(1))) == []
    stream = engine.synthesize("Hello.", voice=VOICE)
    assert len(next(stream)) > 0
    stream.close()
    assert list(stream) == []
    assert list(engine.synthesize("Hello.", voice=VOICE))

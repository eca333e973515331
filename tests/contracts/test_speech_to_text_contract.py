"""What every `SpeechToText` promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from samantha_desktop.core.errors import Cancelled
from samantha_desktop.core.ports import Engine, Pcm, Transcript

KIND = "stt"


QUESTION = Path(__file__).parents[2] / "assets" / "utterances" / "capital.flac"


@pytest.fixture(scope="module")
def speech() -> Pcm:
    """Two seconds of a question, at 16 kHz."""
    pcm: Pcm
    pcm, _ = soundfile.read(QUESTION, dtype="float32")
    return pcm


def test_close_before_load_and_twice(unloaded: Engine) -> None:
    unloaded.close()
    unloaded.close()


def test_info_says_what_runs_where(engine: Any, implementation: Any) -> None:
    info = engine.info()
    assert info.engine == implementation.spec.name
    assert info.model
    assert info.device.partition(":")[0] in ("cpu", "cuda", "metal")
    assert all(isinstance(value, str) for value in info.detail.values())


def test_a_transcript_is_whole(engine: Any, speech: Pcm) -> None:
    before = speech.copy()
    result = engine.transcribe(speech, language="en")
    assert isinstance(result, Transcript)
    assert result.text
    assert result.text == result.text.strip()
    assert result.language == "en"
    assert result.audio_s == pytest.approx(len(speech) / 16_000)
    assert 0.0 <= result.language_probability <= 1.0
    assert 0.0 <= result.no_speech_probability <= 1.0
    assert isinstance(result.is_full_window, bool)
    assert (speech == before).all()


@pytest.mark.parametrize("n_samples", [0, 1, 100, 16_000 * 3])
def test_nothing_is_heard_in_silence(engine: Any, n_samples: int) -> None:
    result = engine.transcribe(np.zeros(n_samples, np.float32), language="en")
    assert result.text == ""
    assert result.audio_s == pytest.approx(n_samples / 16_000)


def test_the_language_is_found_when_none_is_given(engine: Any, speech: Pcm) -> None:
    language = engine.transcribe(speech).language
    assert language.isalpha()
    assert language.islower()


def test_cancelled_it_says_so_and_works_on(
    engine: Any, speech: Pcm, cancelled_after: Callable[[int], Callable[[], bool]]
) -> None:
    with pytest.raises(Cancelled):
        engine.transcribe(speech, language="en", is_cancelled=cancelled_after(1))
    assert isinstance(engine.transcribe(speech, language="en"), Transcript)

"""Real engines that crash while they compute: one request is lost, and they come back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from samantha_desktop.core.errors import EngineDied
from samantha_desktop.core.ports import ChatMessage, GenerationOptions, IsCancelled, never_cancelled

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform == "win32", reason="the signals are POSIX"),
]

STORY = (ChatMessage("user", "Tell me a long story about a lighthouse."),)


QUESTION = Path(__file__).parents[2] / "assets" / "utterances" / "capital.flac"


def transcribe(engine: Any, is_cancelled: IsCancelled) -> object:
    pcm, _ = soundfile.read(QUESTION, dtype="float32")
    return engine.transcribe(pcm, language="en", is_cancelled=is_cancelled).text


def write(engine: Any, is_cancelled: IsCancelled) -> object:
    options = GenerationOptions(max_tokens=8, temperature=0.0)
    return list(engine.generate(STORY, options, is_cancelled=is_cancelled))


def speak(engine: Any, is_cancelled: IsCancelled) -> object:
    return list(engine.synthesize("Good morning.", voice="af_heart", is_cancelled=is_cancelled))


@pytest.mark.parametrize(
    ("kind", "use", "plain_name"),
    [
        ("stt", transcribe, "speech recogniser"),
        ("llm", write, "language model"),
        ("tts", speak, "voice"),
    ],
)
def test_a_crash_while_computing_costs_one_request(
    real_implementation: Callable[[str], Any],
    kind: str,
    use: Callable[[Any, IsCancelled], object],
    plain_name: str,
) -> None:
    engine = real_implementation(kind).make()
    try:
        engine.load()
        n_polls = 0

        def crash_when_waiting() -> bool:
            nonlocal n_polls
            n_polls += 1
            if n_polls == 3:  # two come before the request is sent
                os.kill(engine.process.pid, signal.SIGSEGV)
            return False

        with pytest.raises(EngineDied, match=f"The {plain_name} stopped unexpectedly") as caught:
            use(engine, crash_when_waiting)
        assert "SIGSEGV" in caught.value.detail
        assert use(engine, never_cancelled)
    finally:
        engine.close()


def test_a_crashed_detector_comes_back(real_implementation: Callable[[str], Any]) -> None:
    detector = real_implementation("vad").make()
    silence = np.zeros(512, np.float32)
    try:
        detector.load()
        os.kill(detector.process.pid, signal.SIGSEGV)
        for _ in range(2):
            try:
                probabilities = detector.speech_probabilities(silence)
                break
            except EngineDied:
                continue  # asked before anyone had noticed
        assert len(probabilities) == 1
    finally:
        detector.close()

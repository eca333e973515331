"""Each engine loaded, and made to do one small piece of its real work.

That a library is installed, or lists a device, says little: what counts is
that an inference ran, and where.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from samantha_desktop.core.errors import EngineError, SamanthaError
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    SPEECH_SAMPLE_RATE_HZ,
    ChatMessage,
    Engine,
    GenerationOptions,
    LanguageModel,
    Pcm,
    SpeechToText,
    TextToSpeech,
    VoiceActivityDetector,
)
from samantha_desktop.doctor.facts import Trial
from samantha_desktop.engines.registry import Kind

_N_TOKENS = 4
_QUIETEST_SPEECH = 0.01
"""Highest absolute sample below which nobody would call it speech."""


class EngineSet(Protocol):
    """The engines of a turn. Only the one that was asked for needs to be usable."""

    @property
    def vad(self) -> VoiceActivityDetector:
        """Tells speech from everything else."""

    @property
    def stt(self) -> SpeechToText:
        """Recognises."""

    @property
    def llm(self) -> LanguageModel:
        """Writes."""

    @property
    def tts(self) -> TextToSpeech:
        """Speaks."""


def try_engine(
    kind: Kind,
    build: Callable[[Kind], EngineSet],
    speech: Pcm,
    voice: str,
    *,
    now_s: Callable[[], float] = time.perf_counter,
) -> Trial:
    """Build one engine, load it, let it work once, ask it where that was, and close it.

    Args:
        kind: which.
        build: gives a set in which that engine is ready to be loaded.
        speech: (n_samples,) float32 at 16 kHz: a second or more of somebody talking.
        voice: for the voice's trial.
        now_s: a monotonic clock.
    """
    try:
        engines = build(kind)
        engine: Engine = getattr(engines, kind)
        try:
            began_s = now_s()
            engine.load()
            loaded_s = now_s()
            did = _WORK[kind](engines, speech, voice)
            done_s = now_s()
            info = engine.info()
        finally:
            engine.close()
    except SamanthaError as error:
        return Trial(kind=kind, fault=error.user_message, mend=error.recovery)
    return Trial(
        kind=kind,
        engine=info.engine,
        model=info.model,
        device=info.device,
        detail=dict(info.detail),
        did=did,
        load_s=loaded_s - began_s,
        run_s=done_s - loaded_s,
    )


def _detect(vad: VoiceActivityDetector, speech: Pcm) -> str:
    n_samples = min(len(speech), SPEECH_SAMPLE_RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
    middle = (len(speech) - n_samples) // 2
    probabilities = vad.speech_probabilities(speech[middle : middle + n_samples])
    if max(probabilities) < 0.5:
        raise _nothing_came("it heard no speech in a recording of somebody talking")
    return f"found speech in {n_samples / SPEECH_SAMPLE_RATE_HZ:.1f} s of sound"


def _recognise(stt: SpeechToText, speech: Pcm) -> str:
    if not stt.transcribe(speech, language="en").text:
        raise _nothing_came("it recognised no word in a recording of somebody talking")
    return f"recognised {len(speech) / SPEECH_SAMPLE_RATE_HZ:.1f} s of speech"


def _write(llm: LanguageModel) -> str:
    question = [ChatMessage("user", "Say hello.")]
    options = GenerationOptions(max_tokens=_N_TOKENS, temperature=0.0, seed=0)
    if not "".join(llm.generate(question, options)):
        raise _nothing_came("it wrote nothing")
    return f"wrote up to {_N_TOKENS} tokens"


def _speak(tts: TextToSpeech, voice: str) -> str:
    pieces = list(tts.synthesize("Yes.", voice=voice))
    pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not np.isfinite(pcm).all() or np.abs(pcm).max(initial=0.0) < _QUIETEST_SPEECH:
        raise _nothing_came("what it said cannot be heard")
    return f"spoke {len(pcm) / tts.sample_rate_hz:.1f} s"


_WORK: dict[Kind, Callable[[EngineSet, Pcm, str], str]] = {
    "vad": lambda engines, speech, _: _detect(engines.vad, speech),
    "stt": lambda engines, speech, _: _recognise(engines.stt, speech),
    "llm": lambda engines, _speech, _voice: _write(engines.llm),
    "tts": lambda engines, _, voice: _speak(engines.tts, voice),
}


def _nothing_came(what: str) -> EngineError:
    return EngineError(
        f"{what}.",
        recovery="Verify its model with `samantha models verify`, and run `make setup` again.",
    )

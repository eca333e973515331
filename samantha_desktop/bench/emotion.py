"""`samantha bench emotion`: what it costs to read an emotion, to explain it, and to hear it.

Nothing else runs meanwhile. The reader has the process and the threads (one) that it has
in a conversation; utterances are of 20 tokens, and the one that is explained of 20 words.

Keys of the document (`--json`):
    utterance_ms, explanation_ms, voice_ms: {p50, p95, min, max}
        explanation_ms: the words' weights and all that is shown, the reading included
        voice_ms: pitch, level, pace and pauses of 5 s of speech, and arousal from them
    bars: the most that their p50 may be
    n_runs, model, device, threads
    circumstances: version, date and machine
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from samantha_desktop.bench.figures import circumstances
from samantha_desktop.core.explanation import explain, variants
from samantha_desktop.core.mood import read_emotion
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, EmotionClassifier, Pcm
from samantha_desktop.core.prosody import VoiceBaseline, voice_features
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig

BARS = {"utterance_ms": 2.0, "explanation_ms": 60.0, "voice_ms": 20.0}

UTTERANCES = (
    "I finally got the letter today, and I still cannot believe that they really said yes!",
    "My sister is moving away next month, and the house already feels so quiet without her.",
    "He took my bike again without asking me, and now the front wheel is completely bent.",
    "There is someone walking around outside tonight, and I have locked every single door in here.",
    "The train leaves at nine, so we should be at the station by half past eight.",
    "Thank you so very much for staying with me all night long, that really meant something.",
    "I was so sure that I had failed the exam, but I passed it after all.",
    "The milk in the fridge smells like something died in there, I am never drinking it.",
    "Could you please tell me whether the shop on the corner is still open late on Sundays?",
    "We waited for two whole hours in the rain, and then they simply cancelled the show.",
)
"""Of 20 tokens each, the two at the edges included."""

EXPLAINED = (
    "I have been thinking about my grandmother all day, because she would have loved to see "
    "the garden like this."
)

VOICE_S = 5.0

_WARM_UP_RUNS = 2
_EXPLAINED_EVERY = 5
"""An explanation takes as long as 20 utterances."""


def run(
    engine: EmotionClassifier, config: EmotionModelConfig, speech: Pcm, *, n_runs: int = 200
) -> dict[str, Any]:
    """Measure.

    Args:
        engine: loaded.
        config: of its model.
        speech: (n_samples,) at 16 kHz, of somebody talking; 5 s of it are used, and it is
            repeated when it is shorter.
        n_runs: utterances that are read; a fifth as many are explained and heard.
    """
    n_samples = round(VOICE_S * SPEECH_SAMPLE_RATE_HZ)
    voice = np.resize(speech, n_samples).astype(np.float32)
    baseline = _baseline(voice)
    utterance_ms: list[float] = []
    explanation_ms: list[float] = []
    voice_ms: list[float] = []
    for number in range(-_WARM_UP_RUNS, n_runs):
        text = UTTERANCES[number % len(UTTERANCES)]
        took_ms = _took_ms(partial(engine.classify, [text]))
        if number >= 0:
            utterance_ms.append(took_ms)
        if number % _EXPLAINED_EVERY == 0:
            explanation_ms.append(_took_ms(partial(_explain, engine, config)))
            voice_ms.append(_took_ms(partial(_hear, voice, baseline)))
    info = engine.info()
    return {
        "utterance_ms": _figures(utterance_ms),
        "explanation_ms": _figures(explanation_ms),
        "voice_ms": _figures(voice_ms),
        "bars": BARS,
        "n_runs": n_runs,
        "model": info.model,
        "device": info.device,
        "threads": info.detail.get("threads", ""),
        "circumstances": circumstances(),
    }


def as_table(document: dict[str, Any]) -> str:
    """The document's figures for people, in plain text."""
    lines = [
        f"{document['model']} on {document['device']}, {document['n_runs']} runs",
        f"{'':<28}{'p50':>10}{'p95':>12}",
    ]
    for key, what in (
        ("utterance_ms", "an utterance of 20 tokens"),
        ("explanation_ms", "why, for 20 words"),
        ("voice_ms", "the voice in 5 s of speech"),
    ):
        figures, bar = document[key], document["bars"][key]
        verdict = "within" if figures["p50"] <= bar else "above"
        lines.append(
            f"{what:<28}{figures['p50']:>7.2f} ms{figures['p95']:>9.2f} ms"
            f"  {verdict} the bar of {bar:g} ms"
        )
    return "\n".join(lines)


def _explain(engine: EmotionClassifier, config: EmotionModelConfig) -> None:
    groups = config.groups["dialogue"]
    labels = engine.classify([EXPLAINED])
    reading = read_emotion(labels[0], groups.probabilities(labels)[0])
    explain(EXPLAINED, reading, groups.probabilities(engine.classify(variants(EXPLAINED))))


def _baseline(voice: Pcm) -> VoiceBaseline:
    """Of a speaker who has said the same a few times."""
    features = voice_features(voice)
    baseline = VoiceBaseline()
    for _ in range(VoiceBaseline.MIN_UTTERANCES):
        baseline = baseline.after(features) if features else baseline
    return baseline


def _hear(voice: Pcm, baseline: VoiceBaseline) -> None:
    features = voice_features(voice)
    if features is not None:
        baseline.arousal(features)


def _took_ms(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began_s)


def _figures(values_ms: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values_ms, (50, 95))
    figures = {"p50": p50, "p95": p95, "min": min(values_ms), "max": max(values_ms)}
    return {name: round(float(value), 3) for name, value in figures.items()}

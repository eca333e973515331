"""`samantha bench tts`: time to the first sample, and computing time per second of speech.

The texts are taken in turn, so that a slow moment of the machine meets all of them.
A clause comes in one piece, so the first sample is there when all of it is; only the
paragraph comes in several.

Keys of the document (`--json`):
    texts.<name>: "1 word" ... "15 words", "paragraph"
        first_sample_s, total_s: {median, p90, min, max}
        real_time_factor: the same, total_s / audio_s
        audio_s: of the last run, its pause included; n_words
    real_time_factor: {median, p90, min, max}, over all texts
    fixed_s, per_word_s: a straight line through the medians of first_sample_s by words
    n_runs, voice, speed, model, device, threads
    circumstances: version, date and machine
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from samantha_desktop.bench.figures import circumstances, summary
from samantha_desktop.core.ports import TextToSpeech

_TEXTS = {
    "1 word": "Yes.",
    "3 words": "That sounds good.",
    "5 words": "I can help with that.",
    "8 words": "The weather in Paris is very nice today,",
    "15 words": "There are three things you should know before you go to town again this evening.",
    "paragraph": (
        "The old harbour wakes up slowly in the morning. First come the fishermen, with their "
        "nets and their thermos flasks, and then the gulls, who have learned to be on time. By "
        "eight the market is open, and the whole street smells of coffee and of the sea. If you "
        "ever go there, take the small road along the water and look for the blue door."
    ),
}


def run(engine: TextToSpeech, *, voice: str, speed: float = 1.0, n_runs: int = 5) -> dict[str, Any]:
    """Measure.

    Args:
        engine: loaded.
        voice: one of its voices.
        n_runs: how often each text is spoken.
    """
    first_s: dict[str, list[float]] = {name: [] for name in _TEXTS}
    total_s: dict[str, list[float]] = {name: [] for name in _TEXTS}
    factors: dict[str, list[float]] = {name: [] for name in _TEXTS}
    audio_s: dict[str, float] = {}
    for _ in range(n_runs):
        for name, text in _TEXTS.items():
            first, total, audio_s[name] = _speak(engine, text, voice, speed)
            first_s[name].append(first)
            total_s[name].append(total)
            factors[name].append(total / audio_s[name])
    info = engine.info()
    texts = {
        name: {
            "n_words": len(text.split()),
            "first_sample_s": summary(first_s[name]),
            "total_s": summary(total_s[name]),
            "real_time_factor": summary(factors[name]),
            "audio_s": round(audio_s[name], 3),
        }
        for name, text in _TEXTS.items()
    }
    clauses = [figures for name, figures in texts.items() if name != "paragraph"]
    fixed_s, per_word_s = _line(clauses)
    return {
        "texts": texts,
        "real_time_factor": summary([factor for each in factors.values() for factor in each]),
        "fixed_s": fixed_s,
        "per_word_s": per_word_s,
        "n_runs": n_runs,
        "voice": voice,
        "speed": speed,
        "model": info.model,
        "device": info.device,
        "threads": info.detail.get("threads", ""),
        "circumstances": circumstances(),
    }


def as_table(document: dict[str, Any]) -> str:
    """The document's figures for people, in plain text."""
    lines = [
        f"{document['model']} on {document['device']}, voice {document['voice']}, "
        f"{document['n_runs']} runs",
        f"{'':<12}{'first sample':>22}{'real-time factor':>22}{'speech':>10}",
        f"{'':<12}{'median':>11}{'p90':>11}{'median':>11}{'p90':>11}",
    ]
    for name, figures in document["texts"].items():
        first, factor = figures["first_sample_s"], figures["real_time_factor"]
        lines.append(
            f"{name:<12}{first['median']:>9.3f} s{first['p90']:>9.3f} s"
            f"{factor['median']:>11.2f}{factor['p90']:>11.2f}{figures['audio_s']:>8.2f} s"
        )
    lines.append(
        f"A clause takes {document['fixed_s']:.2f} s and {document['per_word_s']:.3f} s a word."
    )
    return "\n".join(lines)


def _speak(engine: TextToSpeech, text: str, voice: str, speed: float) -> tuple[float, float, float]:
    """Seconds to the first sample, seconds in all, and seconds of speech."""
    started = time.perf_counter()
    first_s = 0.0
    n_samples = 0
    for piece in engine.synthesize(text, voice=voice, speed=speed):
        first_s = first_s or time.perf_counter() - started
        n_samples += len(piece)
    return first_s, time.perf_counter() - started, n_samples / engine.sample_rate_hz


def _line(clauses: list[dict[str, Any]]) -> tuple[float, float]:
    """What a clause costs without a word, and what a word adds."""
    words = [figures["n_words"] for figures in clauses]
    seconds = [figures["first_sample_s"]["median"] for figures in clauses]
    per_word_s, fixed_s = np.polyfit(words, seconds, 1)
    return round(float(fixed_s), 4), round(float(per_word_s), 4)

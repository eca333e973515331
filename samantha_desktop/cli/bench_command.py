"""`samantha bench`: speed and memory of the parts and of the whole, on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from samantha_desktop.app import build_engines, emotion_model_dir, load_settings
from samantha_desktop.bench import emotion, latency, llm, stt, tts
from samantha_desktop.core.ports import SpeechToText
from samantha_desktop.core.settings import Settings
from samantha_desktop.devices.utterances import Utterance, load_utterances
from samantha_desktop.engines.emotion.model_folder import read_config
from samantha_desktop.host import folders


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="measure speed and memory on this machine",
        description="Measures on this machine. Close other programs first; quote ratios rather "
        "than seconds. What the JSON keys mean stands in docs/benchmarks.md.",
    )
    benches = parser.add_subparsers(dest="bench", metavar="WHAT", required=True)
    for name, (run_bench, summary) in _BENCHES.items():
        bench = benches.add_parser(name, help=summary, description=summary)
        bench.add_argument("--json", action="store_true", help="print one JSON document")
        bench.add_argument("--model", help="language model: catalog id or GGUF file")
        if name in ("latency", "stt"):
            bench.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
        if name == "stt":
            bench.add_argument(
                "--data", type=Path, metavar="DIR", help="sound files with texts, instead of ours"
            )
        bench.set_defaults(handler=run, run_bench=run_bench)


def run(args: argparse.Namespace) -> int:
    """Run one benchmark and print it. Returns 0."""
    settings = load_settings()
    # Greedy, so that what is compared says the same.
    model = replace(settings.language_model, temperature=0.0)
    if args.model:
        model = replace(model, model=args.model)
    document, table = args.run_bench(replace(settings, language_model=model), args)
    print(json.dumps(document, ensure_ascii=False) if args.json else table)
    return 0


def _tell_progress(n_done: int, n_all: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if n_done == n_all else ""
        print(f"\r{n_done} of {n_all} …", end=end, file=sys.stderr, flush=True)


def _utterances(limit: int | None = None) -> list[Utterance]:
    return load_utterances(folders.assets_dir() / "utterances")[:limit]


def _recogniser(settings: Settings, window: str) -> SpeechToText:
    """A recogniser with this encoder window, not loaded."""
    windowed = replace(settings, speech=replace(settings.speech, window=window))
    return build_engines(windowed, ["stt"]).stt


def _latency(settings: Settings, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    padded_stt = _recogniser(settings, "full")
    with build_engines(settings) as engines:
        engines.load()
        try:
            padded_stt.load()
            document = latency.run(
                settings, engines, padded_stt, _utterances(args.limit), _tell_progress
            )
        finally:
            padded_stt.close()
    return document, latency.as_table(document)


def _stt(settings: Settings, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if args.data is not None:
        recordings = stt.recordings_in(args.data)[: args.limit]
    else:
        recordings = stt.shipped_recordings(_utterances(args.limit))
    document = stt.run(
        lambda window: _recogniser(settings, window),
        recordings,
        language=settings.speech.language or None,
        on_done=_tell_progress,
    )
    return document, stt.as_table(document)


def _llm(settings: Settings, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    with build_engines(settings, ["llm"]) as engines:
        engines.load()
        document = llm.run(engines.llm)
    return document, llm.as_table(document)


def _tts(settings: Settings, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    with build_engines(settings, ["tts"]) as engines:
        engines.load()
        document = tts.run(engines.tts, voice=settings.voice.voice)
    return document, tts.as_table(document)


def _emotion(settings: Settings, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    config = read_config(emotion_model_dir())
    speech = np.concatenate([utterance.pcm() for utterance in _utterances(3)])
    with build_engines(settings, ["emotion"]) as engines:
        engines.load()
        document = emotion.run(engines.emotion, config, speech)
    return document, emotion.as_table(document)


_Bench = Callable[[Settings, argparse.Namespace], tuple[dict[str, Any], str]]

_BENCHES: dict[str, tuple[_Bench, str]] = {
    "latency": (_latency, "end of speech to first sound, against the plain way, and gaps"),
    "stt": (_stt, "recognition: words wrong and seconds, short window against 30 s"),
    "llm": (_llm, "language model: first token cold and warm, tokens a second"),
    "tts": (_tts, "voice: first sample and real-time factor"),
    "emotion": (_emotion, "emotion: reading an utterance, explaining it, hearing the voice"),
}

"""`samantha eval`: how often Samantha is wrong, and whether it matters of whom one speaks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from samantha_desktop.app import build_engines, emotion_model_dir, load_settings
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.engines.emotion.model_folder import read_config
from samantha_desktop.evaluation import emotion, emotion_table, fairness


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha eval`."""
    parser = subparsers.add_parser(
        "eval",
        help="measure how often Samantha is wrong",
        description="Measures the models that are in use. What the JSON keys mean stands in "
        "docs/evaluation.md.",
    )
    evaluations = parser.add_subparsers(dest="evaluation", metavar="WHAT", required=True)
    on_emotion = evaluations.add_parser(
        "emotion",
        help="emotions read in the texts of public test sets",
        description="Reads the test sets of GoEmotions, MELD, EmpatheticDialogues and DailyDialog "
        "that are in a folder, and compares with what people heard in them.",
    )
    on_emotion.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="holds goemotions/test.tsv etc."
    )
    on_emotion.add_argument(
        "--limit", type=int, metavar="N", help="only the first N texts of each set"
    )
    on_emotion.set_defaults(handler=run, evaluate=_emotion)
    on_fairness = evaluations.add_parser(
        "fairness",
        help="whether the emotion read depends on whom a sentence is about",
        description="Says the same sentences of people of different names, gender, ethnicity, "
        "religion, age, disability and nationality, and compares the emotions read.",
    )
    on_fairness.set_defaults(handler=run, evaluate=_fairness)
    for evaluation in (on_emotion, on_fairness):
        evaluation.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Evaluate and print. Returns 0, whatever the figures are."""
    document, table = args.evaluate(args)
    print(json.dumps(document, ensure_ascii=False) if args.json else table)
    return 0


def _emotion(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if args.limit is not None and args.limit < 1:
        raise SettingsError(
            f"{args.limit} texts cannot be evaluated.", recovery="Let --limit be 1 or more."
        )
    config = read_config(emotion_model_dir())
    with build_engines(load_settings(), ["emotion"]) as engines:
        engines.load()
        document = emotion.run(
            engines.emotion, config, args.data, limit=args.limit, on_done=_tell_progress
        )
    return document, emotion_table.as_table(document)


def _fairness(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    config = read_config(emotion_model_dir())
    with build_engines(load_settings(), ["emotion"]) as engines:
        engines.load()
        document = fairness.run(engines.emotion, config, on_done=_tell_progress)
    return document, fairness.as_table(document)


def _tell_progress(n_done: int, n_all: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if n_done == n_all else ""
        print(f"\r{n_done} of {n_all} …", end=end, file=sys.stderr, flush=True)

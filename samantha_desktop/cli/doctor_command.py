"""`samantha doctor`: what works on this machine, and how to mend what does not."""

from __future__ import annotations

import argparse
import json
import sys

from samantha_desktop.app import Engines, build_engines
from samantha_desktop.core.settings import Settings
from samantha_desktop.doctor import report
from samantha_desktop.doctor.examine import examine
from samantha_desktop.doctor.findings import can_take_spoken_turn, find
from samantha_desktop.engines.registry import Kind
from samantha_desktop.host import settings_file


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `samantha doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="what works on this machine, and how to mend what does not",
        description="Looks at this machine, loads every engine, runs one real inference of each, "
        "and says what is wrong. Exit code 0: a spoken turn is possible; 1: it is not.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Returns 0 when a spoken turn is possible, else 1."""

    def tell(what: str) -> None:
        if not args.json and sys.stderr.isatty():
            print(f"Looking at {what} ...", file=sys.stderr)

    facts = examine(settings_file.load(), _build_one, tell)
    findings = find(facts)
    if args.json:
        print(json.dumps(report.document(facts, findings), ensure_ascii=False, indent=2))
    else:
        print(report.text(facts, findings))
    return 0 if can_take_spoken_turn(facts) else 1


def _build_one(settings: Settings, kind: Kind) -> Engines:
    """One at a time, so that a missing model spoils only what needs it."""
    return build_engines(settings, (kind,))

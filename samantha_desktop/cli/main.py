"""Parses the command line, runs a subcommand, and turns errors into a sentence and a code."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence

from samantha_desktop import __version__
from samantha_desktop.cli import (
    ask_command,
    bench_command,
    chat_command,
    demo_command,
    doctor_command,
    emotion_command,
    eval_command,
    models_command,
    train_command,
)
from samantha_desktop.core.errors import Cancelled, SamanthaError
from samantha_desktop.host.logs import configure_logging

EXIT_CODES = """\
exit codes: 0 done · 1 something failed · 2 wrong usage or setting · 3 model · 4 microphone or
speaker · 5 engine · 6 sound file · 7 disk · 8 network · 130 stopped by you"""

_COMMANDS = (
    ask_command,
    chat_command,
    demo_command,
    emotion_command,
    models_command,
    bench_command,
    eval_command,
    train_command,
    doctor_command,
)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="samantha",
        description="Samantha: a voice companion that lives on your own computer.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"samantha {__version__}")
    parser.add_argument("--verbose", action="store_true", help="write more into the log file")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run one command. Returns its exit code; never raises what a person should not see."""
    parser = build_parser()
    args = parser.parse_args(list(argv))
    if args.command is None:
        # The window is not built yet: a terminal is where she can be talked to.
        args = parser.parse_args([*argv, "chat"])
    configure_logging(is_verbose=args.verbose)
    try:
        return int(args.handler(args))
    except KeyboardInterrupt:
        return _report(Cancelled("Stopped."), is_json=getattr(args, "json", False))
    except BrokenPipeError:
        # The reader of our output went away (`samantha … | head`): nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SamanthaError as error:
        return _report(error, is_json=getattr(args, "json", False))


def _report(error: SamanthaError, *, is_json: bool) -> int:
    if is_json:
        print(json.dumps({"error": error.document()}, ensure_ascii=False))
    with contextlib.suppress(BrokenPipeError):
        print(f"samantha: {error}", file=sys.stderr)
    return error.exit_code

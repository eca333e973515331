"""`samantha chat`: a conversation in the terminal, typed or spoken, streamed."""

from __future__ import annotations

import argparse
import sys

from samantha_desktop.app import ALL_ENGINES, Session, build_engines
from samantha_desktop.cli.ask_command import add_setting_options, settings_from
from samantha_desktop.cli.terminal import EngineProgress, wait_for_release
from samantha_desktop.cli.turns import run_turn, show_answer
from samantha_desktop.core import messages as m
from samantha_desktop.core.errors import DeviceError
from samantha_desktop.core.settings import Settings
from samantha_desktop.devices.microphone import MicrophoneSource
from samantha_desktop.devices.sound_cards import find_device
from samantha_desktop.devices.speaker import SpeakerSink
from samantha_desktop.devices.wav_io import WavSink

HELP = """\
Type something, or press Enter on an empty line to speak (Enter again when you have finished).
Ctrl-C stops her; /quit, or Ctrl-D, ends the conversation."""
TYPED_ONLY_HELP = "Type something. Ctrl-C stops her; /quit, or Ctrl-D, ends the conversation."


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha chat`."""
    parser = subparsers.add_parser(
        "chat", help="talk in the terminal, typed or spoken", description=HELP
    )
    parser.add_argument("--text", action="store_true", help="no microphone and no voice")
    add_setting_options(parser)
    parser.set_defaults(handler=run, json=False)


def run(args: argparse.Namespace) -> int:
    """Talk until the person has had enough. Returns 0."""
    settings = settings_from(args)
    is_voiced = not args.text and _has_sound(settings)
    kinds: tuple[m.EngineKind, ...] = ALL_ENGINES if is_voiced else ("llm",)
    with build_engines(settings, kinds) as engines:
        engines.load(EngineProgress(len(kinds)))
        session = Session(
            settings,
            engines,
            sink=SpeakerSink(settings.audio.speaker) if is_voiced else WavSink(),
            source=MicrophoneSource(settings.audio.microphone) if is_voiced else None,
        )
        with session:
            print(HELP if is_voiced else TYPED_ONLY_HELP, file=sys.stderr)
            while (event := _next_question(session, is_voiced=is_voiced)) is not None:
                is_typed = isinstance(event, m.TextSubmitted)
                record = run_turn(session, event, _show_typed if is_typed else _show_spoken)
                print()
                if not record.question:
                    print("(nothing was heard)", file=sys.stderr)
    return 0


def _has_sound(settings: Settings) -> bool:
    """Whether there are a microphone and a speaker; says what is missing, once."""
    try:
        find_device(settings.audio.microphone, "input")
        find_device(settings.audio.speaker, "output")
    except DeviceError as error:
        print(f"samantha: {error} Until then, she reads and writes.", file=sys.stderr)
        return False
    return True


def _next_question(session: Session, *, is_voiced: bool) -> m.Event | None:
    """What the person says next; None when they want to go."""
    while True:
        try:
            text = input("You: ").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return None
        if text in ("/quit", "/exit", "/q"):
            return None
        if text:
            return m.TextSubmitted(text, is_spoken=is_voiced)
        if is_voiced:
            session.post(m.TalkPressed())
            print("(listening; Enter when you have finished)", file=sys.stderr)
            wait_for_release()
            return m.TalkReleased()


def _show_spoken(notice: m.Notice) -> None:
    """What was heard first, since it may not be what was said."""
    if isinstance(notice, m.CaptionChanged) and notice.is_final and notice.text:
        print(f"({notice.text})")
        sys.stdout.write("Samantha: ")
    else:
        _show_answer(notice)


def _show_typed(notice: m.Notice) -> None:
    if isinstance(notice, m.TurnStarted):
        sys.stdout.write("Samantha: ")
    else:
        _show_answer(notice)


def _show_answer(notice: m.Notice) -> None:
    if isinstance(notice, m.Problem):
        print(f"\nsamantha: {notice.error}", file=sys.stderr)
    else:
        show_answer(notice)

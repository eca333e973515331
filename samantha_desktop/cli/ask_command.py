"""`samantha ask`: one turn, typed, recorded or spoken."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from samantha_desktop.app import Session, build_engines, load_settings
from samantha_desktop.cli.terminal import EngineProgress, wait_for_release
from samantha_desktop.cli.turns import run_turn, show_answer, turn_document
from samantha_desktop.core import messages as m
from samantha_desktop.core.errors import SettingsError, StorageError
from samantha_desktop.core.settings import Settings, validate
from samantha_desktop.devices.microphone import MicrophoneSource
from samantha_desktop.devices.speaker import SpeakerSink
from samantha_desktop.devices.wav_io import WavSink, read_sound_file, write_sound_file


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha ask`."""
    parser = subparsers.add_parser(
        "ask",
        help="ask one thing: typed, from a recording, or spoken",
        description="Ask one thing and get one answer. Ctrl-C stops the answer.",
    )
    parser.add_argument("text", nargs="?", help="the question; - reads it from standard input")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="the question is this recording")
    parser.add_argument("--mic", action="store_true", help="speak the question")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the spoken answer here")
    parser.add_argument("--speak", action="store_true", help="speak the answer aloud")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_setting_options(parser)
    parser.set_defaults(handler=run)


def add_setting_options(parser: argparse.ArgumentParser) -> None:
    """Options that override a setting for once."""
    group = parser.add_argument_group("settings, for this once")
    group.add_argument("--model", help="language model: catalog id or a path to a GGUF file")
    group.add_argument("--speech-model", help="speech recognition model")
    group.add_argument("--language", help="of the speech, e.g. en; default: found by itself")
    group.add_argument("--voice", help="voice name, e.g. af_heart")
    group.add_argument("--speed", type=float, help="of the voice, 0.5 to 2")
    group.add_argument("--persona", help="name of a persona, or a file")
    group.add_argument("--temperature", type=float, help="0: always the likeliest word")
    group.add_argument("--seed", type=int, help="makes an answer repeatable")
    group.add_argument("--microphone", help="device name, or a part of it")
    group.add_argument("--speaker", help="device name, or a part of it")


def settings_from(args: argparse.Namespace) -> Settings:
    """The person's settings with what the command line says instead.

    Raises:
        SettingsError: a value out of its range.
    """

    def chosen(**values: object) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None}

    settings = load_settings()
    settings = replace(
        settings,
        audio=replace(settings.audio, **chosen(microphone=args.microphone, speaker=args.speaker)),
        speech=replace(settings.speech, **chosen(model=args.speech_model, language=args.language)),
        language_model=replace(
            settings.language_model,
            **chosen(model=args.model, temperature=args.temperature, seed=args.seed),
        ),
        voice=replace(settings.voice, **chosen(voice=args.voice, speed=args.speed)),
        conversation=replace(settings.conversation, **chosen(persona=args.persona)),
    )
    validate(settings)
    return settings


def run(args: argparse.Namespace) -> int:
    """Hold the turn. Returns 0, or the exit code of what went wrong in it."""
    if sum([args.text is not None, args.wav is not None, args.mic]) != 1:
        raise SettingsError(
            "Ask with exactly one of: a text, --wav FILE, or --mic.",
            recovery='For example: samantha ask "What is the capital of France?"',
        )
    if args.out is not None and not args.out.absolute().parent.is_dir():
        # Told before the answer is spoken, not after.
        raise StorageError(
            f"There is no folder {args.out.absolute().parent} to write the answer to.",
            recovery="Create it, or choose another.",
        )
    settings = settings_from(args)
    is_spoken = args.speak or args.out is not None or args.mic
    event = _question(args, is_spoken)
    kinds = _needed_engines(args, is_spoken)
    file_sink = WavSink()
    uses_file = args.out is not None or not is_spoken
    with build_engines(settings, kinds) as engines:
        engines.load(EngineProgress(len(kinds)))
        session = Session(
            settings,
            engines,
            sink=file_sink if uses_file else SpeakerSink(settings.audio.speaker),
            source=MicrophoneSource(settings.audio.microphone) if args.mic else None,
        )
        record, document = _hold(session, event, args)
    if args.out is not None and record.answer:
        write_sound_file(args.out, file_sink.heard(), file_sink.sample_rate_hz)
    if args.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print()
    if record.error is not None:
        print(f"samantha: {record.error}", file=sys.stderr)
        return record.error.exit_code
    if not record.question:
        print("samantha: No words were heard in it.", file=sys.stderr)
        return NOTHING_HEARD
    return 0


NOTHING_HEARD = 9
"""Exit code of a recording, or of a talk, without words."""


def _hold(
    session: Session, event: m.Event | None, args: argparse.Namespace
) -> tuple[m.TurnRecord, dict[str, Any]]:
    with session:
        event = event or _speak_question(session)
        record = run_turn(session, event, (lambda _: None) if args.json else show_answer)
        return record, turn_document(session, record)


def _needed_engines(args: argparse.Namespace, is_spoken: bool) -> list[m.EngineKind]:
    kinds: list[m.EngineKind] = ["llm"]
    if args.mic:
        kinds.append("vad")
    if args.mic or args.wav is not None:
        kinds.append("stt")
    if is_spoken:
        kinds.append("tts")
    return kinds


def _question(args: argparse.Namespace, is_spoken: bool) -> m.Event | None:
    """The event that asks it; None when it is still to be spoken."""
    if args.mic:
        return None
    if args.wav is not None:
        return m.RecordingSubmitted(read_sound_file(args.wav), is_spoken=is_spoken)
    text = sys.stdin.read() if args.text == "-" else args.text
    if not text.strip():
        raise SettingsError("The question is empty.", recovery="Say what you want to know.")
    return m.TextSubmitted(text, is_spoken=is_spoken)


def _speak_question(session: Session) -> m.Event:
    session.post(m.TalkPressed())
    print("Listening: press Enter when you have finished …", file=sys.stderr, flush=True)
    wait_for_release()
    return m.TalkReleased()

"""`samantha demo`: a recorded question is heard and answered aloud into a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from samantha_desktop.app import ALL_ENGINES, Session, build_engines
from samantha_desktop.cli.ask_command import add_setting_options, settings_from
from samantha_desktop.cli.terminal import EngineProgress
from samantha_desktop.cli.turns import run_turn, turn_document
from samantha_desktop.core import messages as m
from samantha_desktop.core.stages import stages_s
from samantha_desktop.devices.wav_io import WavSink, WavSource, read_sound_file, write_sound_file
from samantha_desktop.host import folders


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha demo`."""
    parser = subparsers.add_parser(
        "demo",
        help="hear a recorded question and answer it aloud into a file",
        description="A recorded person speaks into a virtual microphone, in real time; the answer "
        "is played into a sound file as a speaker would have played it.",
    )
    parser.add_argument("--out", type=Path, default=Path("samantha-answer.wav"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_setting_options(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Hold the demo. Returns 0, or the exit code of what went wrong in it."""
    settings = settings_from(args)
    recording = read_sound_file(folders.assets_dir() / "question.wav")
    sink = WavSink()
    with build_engines(settings) as engines:
        engines.load(EngineProgress(len(ALL_ENGINES)))
        with Session(settings, engines, sink=sink, source=WavSource(recording)) as session:
            record = run_turn(session, m.TalkPressed())
            document = turn_document(session, record)
    if record.error is not None:
        raise record.error
    write_sound_file(args.out, sink.heard(), sink.sample_rate_hz)
    if args.json:
        print(json.dumps(document, ensure_ascii=False))
        return 0
    print(f"You:      {record.question}")
    print(f"Samantha: {record.answer}\n")
    for stage, seconds in stages_s(record.marks_s).items():
        print(f"  {stage:<14}{seconds:6.2f} s")
    print(f"  {'first sound':<14}{document['first_audio_s']:6.2f} s after the end of speech")
    print(f"  {'memory':<14}{document['memory_bytes'] / 1e6:6.0f} MB\n")
    print(f"The spoken answer is in {args.out}. Talk to her yourself: samantha chat")
    return 0

"""A turn on the command line: run it, show it, and describe it as a document."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from samantha_desktop.app import Session
from samantha_desktop.core import messages as m
from samantha_desktop.core.stages import first_audio_s, stages_s


def show_answer(notice: m.Notice) -> None:
    """Write the answer to standard output as it grows."""
    if isinstance(notice, m.AnswerGrew):
        sys.stdout.write(notice.text)
        sys.stdout.flush()


def run_turn(
    session: Session, event: m.Event, on_notice: Callable[[m.Notice], None] = lambda _: None
) -> m.TurnRecord:
    """Post an event and follow the notices until its turn has ended.

    Ctrl-C stops the answer, not the program; a second one stops the program.
    """
    session.post(event)
    was_stopped = False
    while True:
        try:
            notice = session.next_notice()
        except KeyboardInterrupt:
            if was_stopped:
                raise
            was_stopped = True
            session.post(m.StopRequested())
            continue
        on_notice(notice)
        if isinstance(notice, m.TurnEnded):
            if was_stopped and not notice.record.answer:
                raise KeyboardInterrupt
            return notice.record


def turn_document(session: Session, record: m.TurnRecord) -> dict[str, Any]:
    """The JSON form of a turn.

    Keys: `transcript`, `language`, `answer`, `heard_answer`, `was_interrupted`,
    `models` and `devices` (by kind of engine), `stages_s` (see
    `core.stages.STAGES`), `first_audio_s` (null when nothing was spoken),
    `answer_written_s`, `memory_bytes`, `error` (null, or kind, message, recovery, detail).
    """
    infos = session.engines.infos()
    began_s = record.marks_s.get("speech_ended")
    written_s = record.marks_s.get("answer_written")
    return {
        "transcript": record.question,
        "language": record.language,
        "answer": record.answer,
        "heard_answer": record.heard_answer,
        "was_interrupted": record.was_interrupted,
        "models": {kind: info.model for kind, info in infos.items()},
        "devices": {kind: info.device for kind, info in infos.items()},
        "stages_s": {name: round(value, 4) for name, value in stages_s(record.marks_s).items()},
        "first_audio_s": _rounded(first_audio_s(record.marks_s)),
        "answer_written_s": (
            round(written_s - began_s, 4) if written_s is not None and began_s is not None else None
        ),
        "memory_bytes": session.engines.resident_bytes(),
        "error": record.error.document() if record.error else None,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

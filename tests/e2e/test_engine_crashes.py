"""Every engine is killed in every stage of a spoken turn: the turn is completed all the same."""

from __future__ import annotations

import os
import queue
import signal
import time
from dataclasses import replace

import pytest

from samantha_desktop.app import ALL_ENGINES, Session, build_engines
from samantha_desktop.core import messages as m
from samantha_desktop.core.settings import Settings
from samantha_desktop.devices.wav_io import WavSink, WavSource, read_sound_file
from samantha_desktop.host import folders

STAGES = ("listening", "recognising", "writing", "speaking")
TURN_TIMEOUT_S = 60.0

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("kind", ALL_ENGINES)
def test_an_engine_killed_in_any_stage_is_back_and_the_turn_is_complete(
    kind: m.EngineKind, settings: Settings, starter_models: object
) -> None:
    small = replace(settings.language_model, model="smollm2-135m-instruct", max_answer_tokens=16)
    settings = replace(settings, language_model=small)
    recording = read_sound_file(folders.assets_dir() / "question.wav")
    with build_engines(settings) as engines:
        engines.load()
        for number, stage in enumerate(STAGES):
            how = (signal.SIGKILL, signal.SIGSEGV)[number % 2]
            source, sink = WavSource(recording), WavSink()
            with Session(settings, engines, sink=sink, source=source) as session:
                record = _turn_with_a_death(
                    session, sink, engines.used()[kind].process.pid, stage, how
                )
            assert record.error is None, f"{kind} killed while {stage}: {record.error}"
            assert record.answer and record.heard_answer == record.answer
            assert "autumn" in record.question.lower() or "hello" in record.question.lower()
            assert sink.heard().size > 0
        # Whatever died last, all four are there again.
        for engine in engines.used().values():
            engine.load()
            assert engine.process.pid is not None


def _turn_with_a_death(
    session: Session, sink: WavSink, pid: int | None, stage: str, how: signal.Signals
) -> m.TurnRecord:
    """Hold a turn, and end the process with this number as soon as the stage is reached."""
    assert pid is not None
    is_alive = True
    deadline_s = time.monotonic() + TURN_TIMEOUT_S
    session.post(m.TalkPressed())
    began_s = time.monotonic()
    reached = {"listening": False, "recognising": False, "writing": False, "speaking": False}
    while time.monotonic() < deadline_s:
        try:
            notice = session.next_notice(timeout_s=0.02)
        except queue.Empty:
            notice = None
        reached["listening"] = time.monotonic() - began_s > 0.3
        reached["recognising"] |= isinstance(notice, m.CaptionChanged)
        reached["writing"] |= isinstance(notice, m.AnswerGrew)
        reached["speaking"] |= sink.started_at is not None
        if is_alive and reached[stage]:
            os.kill(pid, how)
            is_alive = False
        if isinstance(notice, m.TurnEnded):
            assert not is_alive, f"the turn was over before the stage {stage}"
            return notice.record
    pytest.fail(f"no end of the turn after a death while {stage}")

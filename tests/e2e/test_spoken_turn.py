"""A spoken question goes in, a spoken answer comes out: the whole way, with real engines."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samantha_desktop.app import Engines, Session
from samantha_desktop.core import messages as m
from samantha_desktop.core.audio import gap_s, level_dbfs
from samantha_desktop.core.settings import Settings
from samantha_desktop.core.speakable import speakable_text
from samantha_desktop.core.stages import first_audio_s
from samantha_desktop.core.word_errors import word_error_rate
from samantha_desktop.devices.resampling import resample
from samantha_desktop.devices.wav_io import WavSink, WavSource, read_sound_file
from samantha_desktop.host import folders

pytestmark = pytest.mark.engine


def hold_turn(session: Session, event: m.Event) -> m.TurnRecord:
    session.post(event)
    while True:
        notice = session.next_notice(timeout_s=90.0)
        if isinstance(notice, m.TurnEnded):
            return notice.record


@pytest.fixture
def question() -> np.ndarray:
    return read_sound_file(folders.assets_dir() / "question.wav")


def test_the_answer_says_what_its_text_says(
    settings: Settings, engines: Engines, question: np.ndarray
) -> None:
    source, sink = WavSource(question), WavSink()
    with Session(settings, engines, sink=sink, source=source) as session:
        record = hold_turn(session, m.TalkPressed())
    assert record.error is None
    assert word_error_rate(QUESTION, record.question) < 0.2
    heard = sink.heard()
    assert -35 < level_dbfs(heard) < -10
    recognised = engines.stt.transcribe(resample(heard, sink.sample_rate_hz, 16_000), language="en")
    assert word_error_rate(speakable_text(record.answer), recognised.text) <= 0.15
    assert gap_s(heard, sink.sample_rate_hz).longest_s <= 2.0
    waited_s = first_audio_s(record.marks_s)
    assert waited_s is not None and waited_s > 0.0


QUESTION = "Hello Samantha, what is the nicest thing about autumn?"


def test_a_second_turn_knows_the_first(settings: Settings, engines: Engines) -> None:
    with Session(settings, engines, sink=WavSink()) as session:
        hold_turn(session, m.TextSubmitted("My name is Edgar.", is_spoken=False))
        record = hold_turn(session, m.TextSubmitted("What is my name?", is_spoken=False))
    assert "Edgar" in record.answer


def test_she_can_be_stopped_while_she_speaks(settings: Settings, engines: Engines) -> None:
    sink = WavSink()
    with Session(settings, engines, sink=sink) as session:
        session.post(m.TextSubmitted("Tell me a long story about the sea."))
        while sink.started_at is None or sink.heard().size < sink.sample_rate_hz:
            with contextlib.suppress(queue.Empty):
                session.next_notice(timeout_s=0.02)
        record = hold_turn(session, m.StopRequested())
        heard_s = sink.heard().size / sink.sample_rate_hz
    assert record.was_interrupted
    assert record.answer.startswith(record.heard_answer)
    assert len(record.heard_answer) < len(record.answer)
    assert heard_s < 3.0


@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_nothing_said_is_not_answered(settings: Settings, engines: Engines, kind: str) -> None:
    generator = np.random.default_rng(1)
    pcm = np.zeros(32_000, np.float32)
    if kind == "noise":
        pcm = generator.normal(0.0, 0.01, 32_000).astype(np.float32)
    with Session(settings, engines, sink=WavSink(), source=WavSource(pcm)) as session:
        record = hold_turn(session, m.TalkPressed())
    assert record.question == "" and record.answer == ""


def samantha(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "samantha_desktop", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_ask_on_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "answer.wav"
    wav = str(folders.assets_dir() / "question.wav")
    done = samantha("ask", "--wav", wav, "--out", str(out), "--json", "--temperature", "0")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert word_error_rate(QUESTION, document["transcript"]) < 0.2
    assert document["answer"] and document["error"] is None
    assert set(document["models"]) == set(document["devices"]) == {"stt", "llm", "tts"}
    assert document["stages_s"] and document["first_audio_s"] > 0
    assert read_sound_file(out).size > 8_000


def test_ask_streams_plain_text_from_standard_input_to_standard_output() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "samantha_desktop", "ask", "-", "--model", "smollm2-135m-instruct"],
        input="Say hello.",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.strip() and not done.stderr


def test_without_a_command_she_can_be_talked_to_in_the_terminal() -> None:
    environment = {**os.environ, "SAMANTHA_LANGUAGE_MODEL_MODEL": "smollm2-135m-instruct"}
    done = subprocess.run(
        [sys.executable, "-m", "samantha_desktop"],
        input="Say hello.\n/quit\n",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Samantha: " in done.stdout and "Traceback" not in done.stderr

"""Engines that die or hang, in every stage, and come back."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.errors import EngineDied, EngineError
from samantha_desktop.core.ports import ChatMessage, GenerationOptions
from samantha_desktop.engines.limits import Limits
from samantha_desktop.engines.process import EngineProcess, EngineState
from samantha_desktop.engines.remote import (
    RemoteLanguageModel,
    RemoteSpeechToText,
    RemoteTextToSpeech,
    RemoteVoiceActivityDetector,
)
from samantha_desktop.engines.scripted import Fault, Script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are POSIX")

HELLO = (ChatMessage("user", "hello"),)
LOUD = np.full(512, 0.5, np.float32)

SIGNALS = {"sigkill": "SIGKILL (9)", "sigsegv": "SIGSEGV (11)"}

MakeProcess = Callable[..., EngineProcess]


def transcribe(process: EngineProcess) -> object:
    return RemoteSpeechToText(process).transcribe(LOUD).text


def write(process: EngineProcess) -> object:
    return "".join(RemoteLanguageModel(process).generate(HELLO, GenerationOptions()))


def speak(process: EngineProcess) -> object:
    return sum(map(len, RemoteTextToSpeech(process).synthesize("a" * 20, voice="af_heart")))


def detect(process: EngineProcess) -> object:
    return RemoteVoiceActivityDetector(process).speech_probabilities(LOUD)


USES: dict[str, tuple[Callable[[EngineProcess], object], object, str]] = {
    "stt": (transcribe, "Hello, Samantha.", "The speech recogniser"),
    "llm": (write, "Hello. It is good to hear you.", "The language model"),
    "tts": (speak, 28_800, "The voice"),
    "vad": (detect, [0.95], "The speech detector"),
}

STAGES = [
    *((kind, "load") for kind in USES),
    *((kind, "call") for kind in USES),
    ("llm", "item"),
    ("tts", "item"),
]


@pytest.mark.parametrize("fault", SIGNALS)
@pytest.mark.parametrize(("kind", "stage"), STAGES)
def test_a_crash_costs_one_request(
    make_process: MakeProcess, tmp_path: Path, kind: str, stage: Any, fault: Any
) -> None:
    use, expected, name = USES[kind]
    strike = Fault(fault, at=stage, nth=2 if stage == "item" else 1, once=tmp_path / "once")
    process = make_process(kind, Script(faults=(strike,)))
    with pytest.raises(EngineDied) as caught:
        process.load()
        use(process)
    assert caught.value.user_message == f"{name} stopped unexpectedly."
    assert not caught.value.is_fatal
    assert SIGNALS[fault] in caught.value.detail
    assert use(process) == expected


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_death_in_idleness_is_noticed_and_mended(
    make_process: MakeProcess, states: Any, number: signal.Signals
) -> None:
    process = make_process("llm", on_state=states)
    process.load()
    pid = process.pid
    assert pid is not None
    os.kill(pid, number)
    assert states.wait_for(EngineState.DEAD)
    assert write(process) == USES["llm"][1]
    assert process.pid not in (None, pid)
    assert process.state is EngineState.READY


def test_a_stream_does_not_go_on_in_the_next_process(
    make_process: MakeProcess, states: Any
) -> None:
    process = make_process("llm", on_state=states)
    process.load()
    answer = RemoteLanguageModel(process).generate(HELLO, GenerationOptions())
    assert next(answer) == "Hello."
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    states.wait_for(EngineState.DEAD)
    process.load()
    with pytest.raises(EngineDied):
        next(answer)
    assert list(answer) == []


def test_the_last_words_are_the_detail_and_reach_no_terminal(
    make_process: MakeProcess, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "engine.log"
    log.write_text("an earlier life\n")
    fault = Fault("sigsegv", once=tmp_path / "once")
    process = make_process("stt", Script(faults=(fault,)), log_path=log)
    process.load()
    with pytest.raises(EngineDied) as caught:
        transcribe(process)
    assert "Fatal Python error: Segmentation fault" in caught.value.detail
    assert "an earlier life" not in caught.value.detail
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kind", "stage", "limits"),
    [
        ("stt", "call", Limits(call_timeout_s=2.0)),
        ("llm", "item", Limits(item_timeout_s=2.0)),
    ],
)
def test_a_hanging_engine_is_ended(
    make_process: MakeProcess, tmp_path: Path, kind: str, stage: Any, limits: Limits
) -> None:
    use, expected, name = USES[kind]
    strike = Fault("hang", at=stage, nth=2 if stage == "item" else 1, once=tmp_path / "once")
    process = make_process(kind, Script(faults=(strike,)), limits=limits)
    process.load()
    with pytest.raises(EngineDied, match=f"{name} did not answer and was stopped") as caught:
        use(process)
    assert "no answer within 2" in caught.value.detail
    assert use(process) == expected


def test_a_hang_in_loading_is_ended(make_process: MakeProcess, tmp_path: Path) -> None:
    once = tmp_path / "once"

    def be_patient_after_the_hang(state: EngineState) -> None:
        if state is EngineState.DEAD and once.exists():
            process.limits = Limits()

    process = make_process(
        "llm",
        Script(faults=(Fault("hang", at="load", once=once),)),
        limits=Limits(load_timeout_s=2.0),
        on_state=be_patient_after_the_hang,
    )
    with pytest.raises(EngineDied, match="did not answer and was stopped"):
        process.load()
    assert write(process) == USES["llm"][1]


def test_a_frozen_process_does_not_hold_whoever_sends_much(make_process: MakeProcess) -> None:
    process = make_process("stt")
    process.load()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    minute = np.tile(LOUD, 1875)
    with pytest.raises(EngineDied, match="did not answer and was stopped"):
        process.call("transcribe", minute, timeout_s=0.5)
    assert transcribe(process) == USES["stt"][1]


def test_it_gives_up_when_it_dies_again_and_again(
    make_process: MakeProcess, tmp_path: Path, states: Any
) -> None:
    journal = tmp_path / "journal"
    script = Script(faults=(Fault("sigkill", at="load"),), journal=journal)
    process = make_process("tts", script, limits=Limits(backoff_s=0.01), on_state=states)
    with pytest.raises(EngineDied):
        process.load()
    seen = states.wait_for(EngineState.FAILED)
    assert seen == [*["starting", "dead"] * 5, "failed"]
    assert journal.read_text().split() == ["load"] * 5
    with pytest.raises(EngineError, match="The voice stopped 5 times in a row") as caught:
        speak(process)
    assert not isinstance(caught.value, EngineDied)
    assert caught.value.is_fatal
    assert "samantha doctor" in caught.value.recovery
    assert "SIGKILL (9)" in caught.value.detail
    assert process.pid is None


def test_waiting_for_the_restart_has_an_end(
    make_process: MakeProcess, tmp_path: Path, states: Any
) -> None:
    fault = Fault("sigkill", once=tmp_path / "once")
    process = make_process("stt", Script(faults=(fault,)), on_state=states)
    process.load()
    states.wait_for(EngineState.READY)
    process.limits = replace(process.limits, ready_timeout_s=0.0)
    with pytest.raises(EngineDied):
        transcribe(process)
    with pytest.raises(EngineError, match="The speech recogniser is still not ready"):
        transcribe(process)
    states.wait_for(EngineState.READY)
    assert transcribe(process) == USES["stt"][1]


@pytest.mark.parametrize(
    ("died_at_s", "delay_s"),
    [
        ([0.0], 0.0),
        ([0.0, 1.0], 0.5),
        ([0.0, 1.0, 2.0], 1.0),
        ([0.0, 1.0, 2.0, 3.0], 2.0),
        ([0.0, 1.0, 2.0, 3.0, 60.0], None),
        ([0.0, 1.0, 2.0, 3.0, 60.1], 2.0),
        ([0.0, 1.0, 2.0, 3.0, 1000.0], 0.0),
    ],
)
def test_restart_delays(died_at_s: list[float], delay_s: float | None) -> None:
    assert Limits().restart_delay_s(died_at_s) == delay_s

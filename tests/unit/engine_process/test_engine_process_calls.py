"""Calls and streams across the process boundary, when nothing crashes."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from samantha_desktop.core.errors import Cancelled, EngineError, ModelError, SettingsError
from samantha_desktop.core.ports import ChatMessage, GenerationOptions
from samantha_desktop.engines import wire
from samantha_desktop.engines.child_process import ChildProcess
from samantha_desktop.engines.process import EngineProcess, EngineState
from samantha_desktop.engines.registry import find_engine
from samantha_desktop.engines.remote import (
    RemoteLanguageModel,
    RemoteSpeechToText,
    RemoteTextToSpeech,
    RemoteVoiceActivityDetector,
)
from samantha_desktop.engines.scripted import (
    Fault,
    Script,
    ScriptedVoiceActivityDetectorSettings,
)

HELLO = (ChatMessage("user", "hello"),)
LOUD = np.full(512, 0.5, np.float32)
SILENT = np.zeros(512, np.float32)

PROMPT_S = 5.0
"""Far below the delays scripted here, far above what a busy machine needs."""

MakeProcess = Callable[..., EngineProcess]


def after(n_polls: int) -> Callable[[], bool]:
    """An `is_cancelled` that turns true at the n-th time it is asked, and stays so."""
    polls = itertools.count(1)
    return lambda: next(polls) >= n_polls


def n_items(journal: Path) -> int:
    return journal.read_text().split().count("item")


def test_what_the_engine_says_crosses(make_process: MakeProcess) -> None:
    process = make_process("tts", environment={"OMP_NUM_THREADS": "3"})
    voice = RemoteTextToSpeech(process)
    voice.load()
    assert voice.info().engine == "scripted"
    assert voice.info().detail["threads"] == "3"
    assert voice.sample_rate_hz == 24_000
    assert voice.voices == ("af_heart", "am_adam")
    assert process.pid not in (None, os.getpid())
    assert process.resident_bytes() > 1_000_000
    pieces = list(voice.synthesize("Twenty letters or so.", voice="af_heart"))
    assert [piece.dtype for piece in pieces] == [np.float32] * len(pieces)
    assert sum(map(len, pieces)) == pytest.approx(17 * 0.06 * 24_000, abs=1)


def test_minutes_of_audio_cross_both_ways(make_process: MakeProcess) -> None:
    hearing = RemoteSpeechToText(make_process("stt"))
    hearing.load()
    assert hearing.transcribe(np.tile(LOUD, 10_000)).audio_s == pytest.approx(320.0)
    voice = RemoteTextToSpeech(
        make_process("tts", settings={"seconds_per_character": 30.0, "piece_s": 120.0})
    )
    voice.load()
    (piece,) = voice.synthesize("four", voice="af_heart")
    assert len(piece) == 120 * 24_000
    assert piece.flags.writeable


def test_an_engine_that_is_not_loaded_says_so(make_process: MakeProcess) -> None:
    process = make_process("llm")
    model = RemoteLanguageModel(process)
    for use in (
        model.info,
        lambda: model.context_tokens,
        lambda: model.count_tokens(HELLO),
        lambda: list(model.generate(HELLO, GenerationOptions())),
    ):
        with pytest.raises(EngineError, match="language model is not loaded"):
            use()
    assert process.pid is None
    assert process.resident_bytes() == 0


def test_errors_of_the_engine_cross_as_themselves(make_process: MakeProcess) -> None:
    script = Script(faults=(Fault("engine-error", nth=1), Fault("exception", nth=2)))
    process = make_process("tts", script)
    voice = RemoteTextToSpeech(process)
    voice.load()
    pid = process.pid
    with pytest.raises(EngineError, match="script says that this fails"):
        next(voice.synthesize("a", voice="af_heart"))
    with pytest.raises(EngineError, match="The voice failed") as caught:
        next(voice.synthesize("a", voice="af_heart"))
    assert "ArithmeticError: an exception of a library" in caught.value.detail
    with pytest.raises(SettingsError, match="no voice called 'nobody'") as unknown:
        next(voice.synthesize("a", voice="nobody"))
    assert unknown.value.recovery == "Use one of: af_heart, am_adam."
    assert len(list(voice.synthesize("a", voice="af_heart"))) == 1
    assert process.pid == pid


def test_a_wrong_length_is_told_to_whoever_passed_it(make_process: MakeProcess) -> None:
    detector = RemoteVoiceActivityDetector(make_process("vad"))
    with pytest.raises(ValueError, match="100 samples"):
        detector.speech_probabilities(SILENT[:100])


def test_a_model_that_cannot_be_used_is_reported_and_not_tried_again(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    once = tmp_path / "once"
    script = Script(faults=(Fault("model-error", at="load", once=once),), journal=journal)
    process = make_process("llm", script)
    with pytest.raises(ModelError, match="no model"):
        process.load()
    assert process.state is EngineState.FAILED
    with pytest.raises(ModelError, match="no model"):
        process.call("count_tokens", HELLO)
    assert journal.read_text() == "load\n"
    process.load()  # by hand it may be, once it was mended
    assert process.call("count_tokens", HELLO) == 3


def test_a_stream_computes_only_what_is_pulled(make_process: MakeProcess, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    process = make_process(
        "llm", Script(journal=journal), {"answers": ("one two three four five six",)}
    )
    model = RemoteLanguageModel(process)
    model.load()
    answer = model.generate(HELLO, GenerationOptions())
    model.count_tokens(HELLO)  # answered in order: had anything been begun, it would be done
    assert "call" not in journal.read_text()
    assert [next(answer) for _ in range(3)] == ["one", " two", " three"]
    model.count_tokens(HELLO)
    assert n_items(journal) == 3
    assert "".join(answer) == " four five six"
    assert n_items(journal) == 6


def test_a_closed_stream_is_closed_in_the_process(
    make_process: MakeProcess, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    process = make_process("llm", Script(journal=journal), {"answers": ("a b c", "x y z")})
    model = RemoteLanguageModel(process)
    model.load()
    first = model.generate(HELLO, GenerationOptions())
    next(first)
    first.close()
    assert list(first) == []
    assert list(model.generate(HELLO, GenerationOptions())) == ["x", " y", " z"]
    assert n_items(journal) == 4


def test_two_streams_do_not_mix(make_process: MakeProcess) -> None:
    model = RemoteLanguageModel(make_process("llm", settings={"answers": ("a b c", "x y z")}))
    model.load()
    first = model.generate(HELLO, GenerationOptions())
    second = model.generate(HELLO, GenerationOptions())
    assert [next(first), next(second), next(first), next(second)] == ["a", "x", " b", " y"]
    assert [*first, *second] == [" c", " z"]


def test_a_cancelled_call_ends_here_and_there(make_process: MakeProcess) -> None:
    model = RemoteLanguageModel(make_process("llm", Script(call_s=300.0)))
    model.load()
    began_s = time.monotonic()
    with pytest.raises(Cancelled):
        model.process.call("prefill", HELLO, is_cancelled=after(3))
    assert model.prefill(HELLO, is_cancelled=after(3)) == 0
    assert model.count_tokens(HELLO) == 3  # would wait if the process had not been told
    assert time.monotonic() - began_s < PROMPT_S


def test_a_cancelled_stream_ends_here_and_there(make_process: MakeProcess) -> None:
    model = RemoteLanguageModel(make_process("llm", Script(item_s=300.0)))
    model.load()
    began_s = time.monotonic()
    assert list(model.generate(HELLO, GenerationOptions(), is_cancelled=after(3))) == []
    assert model.count_tokens(HELLO) == 3
    assert time.monotonic() - began_s < PROMPT_S


def test_cancelled_beforehand_nothing_is_asked(make_process: MakeProcess, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    process = make_process("llm", Script(journal=journal))
    model = RemoteLanguageModel(process)
    model.load()
    assert list(model.generate(HELLO, GenerationOptions(), is_cancelled=lambda: True)) == []
    assert model.prefill(HELLO, is_cancelled=lambda: True) == 0
    model.count_tokens(HELLO)
    assert journal.read_text() == "load\n"


@pytest.fixture
def slow_detector() -> Iterator[ChildProcess]:
    """A detector that takes its time and cannot be cancelled."""
    settings = ScriptedVoiceActivityDetectorSettings(Script(call_s=0.3))
    child = ChildProcess(find_engine("vad", "scripted"), settings, {}, None)
    yield child
    child.close(grace_s=2.0)


def test_the_late_answer_to_a_cancelled_call_is_dropped(slow_detector: ChildProcess) -> None:
    def ask(request: Callable[[int], wire.Request], is_cancelled: Callable[[], bool]) -> object:
        return slow_detector.request(
            request(slow_detector.next_number()), is_cancelled=is_cancelled, timeout_s=60.0
        )

    ask(wire.Load, lambda: False)
    with pytest.raises(Cancelled):
        ask(lambda n: wire.Call(n, "speech_probabilities", (LOUD,), {}), after(2))
    answer = ask(lambda n: wire.Call(n, "speech_probabilities", (SILENT,), {}), lambda: False)
    assert isinstance(answer, wire.Answer)
    assert answer.value == [0.05]


def test_callers_on_several_threads_get_their_own_answers(make_process: MakeProcess) -> None:
    detector = RemoteVoiceActivityDetector(make_process("vad"))
    detector.load()
    wrong: list[object] = []

    def ask(n_windows: int) -> None:
        for _ in range(40):
            answer = detector.speech_probabilities(np.zeros(n_windows * 512, np.float32))
            if len(answer) != n_windows:
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_close_is_idempotent_and_load_starts_again(make_process: MakeProcess) -> None:
    process = make_process("llm")
    process.close()
    process.load()
    first_pid = process.pid
    process.load()
    assert process.pid == first_pid
    process.close()
    process.close()
    assert process.state is EngineState.CLOSED
    assert process.pid is None
    with pytest.raises(EngineError, match="not loaded"):
        process.call("count_tokens", HELLO)
    process.load()
    assert process.pid not in (None, first_pid)


def test_close_during_load_does_not_wait_for_it(make_process: MakeProcess) -> None:
    process = make_process("llm", Script(load_s=300.0))
    caught: list[BaseException] = []

    def load() -> None:
        try:
            process.load()
        except Cancelled as error:
            caught.append(error)

    process.start()
    loader = threading.Thread(target=load)
    loader.start()
    began_s = time.monotonic()
    process.close()
    loader.join()
    assert time.monotonic() - began_s < PROMPT_S
    assert len(caught) == 1


@pytest.mark.parametrize("script", [Script(call_s=300.0), Script(faults=(Fault("hang"),))])
def test_close_during_a_call_cancels_it(make_process: MakeProcess, script: Script) -> None:
    process = make_process("stt", script)
    hearing = RemoteSpeechToText(process)
    hearing.load()
    is_waiting = threading.Event()
    caught: list[BaseException] = []

    def is_cancelled() -> bool:
        is_waiting.set()
        return False

    def transcribe() -> None:
        try:
            hearing.transcribe(LOUD, is_cancelled=is_cancelled)
        except Cancelled as error:
            caught.append(error)

    caller = threading.Thread(target=transcribe)
    caller.start()
    is_waiting.wait()
    process.close()
    caller.join()
    assert len(caught) == 1


def test_states_are_told_in_order(make_process: MakeProcess, states: Callable[..., None]) -> None:
    process = make_process("vad", on_state=states)
    process.load()
    process.close()
    assert states.wait_for(EngineState.CLOSED) == ["starting", "ready", "closed"]

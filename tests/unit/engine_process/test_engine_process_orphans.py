"""Whatever happens to the program, nothing of it goes on running or prints a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from samantha_desktop.engines.process import EngineProcess, EngineState

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")

SCRIPT = """
import sys, threading, time
from contextlib import suppress
from samantha_desktop.core.errors import Cancelled
from samantha_desktop.engines.process import EngineProcess
from samantha_desktop.engines.registry import find_engine
from samantha_desktop.engines.scripted import Fault, Script, ScriptedSpeechToTextSettings

def call(process):
    with suppress(Cancelled):
        process.call("transcribe", None)

def main(stage):
    fault = Fault("hang", at="load" if stage == "loading" else "call")
    settings = ScriptedSpeechToTextSettings(script=Script(faults=(fault,)))
    process = EngineProcess(find_engine("stt", "scripted"), settings)
    try:
        process.start()
        while process.pid is None:
            time.sleep(0.001)
        if stage not in ("starting", "loading"):
            process.load()
        if stage == "computing":
            threading.Thread(target=call, args=(process,), daemon=True).start()
        print(process.pid, flush=True)
        if stage != "forgetful":
            time.sleep(300)
    except KeyboardInterrupt:
        process.close()
        print("closed", flush=True)

if __name__ == "__main__":
    main(sys.argv[1])
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(SCRIPT)
    return path


@contextmanager
def running(script: Path, stage: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program in a process group of its own, and the id of its engine's process."""
    with subprocess.Popen(
        [sys.executable, str(script), stage],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            assert program.stdout is not None
            yield program, int(program.stdout.readline())
        finally:
            program.kill()


def is_gone(pid: int, timeout_s: float = 20.0) -> bool:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            # Where nobody collects orphans, an ended one stays in the list.
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("stage", ["starting", "loading", "idle", "computing"])
def test_the_engine_ends_with_a_program_that_was_killed(script: Path, stage: str) -> None:
    with running(script, stage) as (program, engine_pid):
        program.kill()
        assert is_gone(engine_pid)


@pytest.mark.parametrize("stage", ["starting", "loading", "idle", "computing"])
def test_ctrl_c_prints_nothing(script: Path, stage: str) -> None:
    with running(script, stage) as (program, engine_pid):
        os.killpg(program.pid, signal.SIGINT)
        assert program.communicate(timeout=60.0) == ("closed\n", "")
        assert program.returncode == 0
        assert is_gone(engine_pid)


def test_a_program_that_forgets_to_close_ends_all_the_same(script: Path) -> None:
    with running(script, "forgetful") as (program, engine_pid):
        assert program.communicate(timeout=60.0) == ("", "")
        assert program.returncode == 0
        assert is_gone(engine_pid)


def test_ctrl_c_at_any_moment_of_the_start_does_not_touch_the_engine(
    make_process: Callable[..., EngineProcess], capfd: pytest.CaptureFixture[str]
) -> None:
    process = make_process("llm")
    process.start()
    while process.pid is None:
        time.sleep(0.001)
    pid = process.pid
    while process.state is EngineState.STARTING:
        os.kill(pid, signal.SIGINT)
        time.sleep(0.001)
    assert process.state is EngineState.READY
    assert process.pid == pid
    assert capfd.readouterr() == ("", "")

"""What every test gets without asking: nothing left behind, no error unnoticed.

A test fails when, after it and all its fixtures, there is a thread, a child
process, an open file or a temporary file that was not there before, or when
something logged an error that the test did not ask for (`error_logs`).
Fixtures of a wider scope (an engine loaded once per module) are there before
and after, and so do not count.
"""

from __future__ import annotations

import gc
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import hypothesis
import psutil
import pytest

from samantha_desktop.host import folders

hypothesis.settings.register_profile(
    "samantha",
    deadline=None,  # a busy machine is not a defect
    database=None,  # nothing is written into the checkout
    derandomize=True,  # the same examples each time
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("samantha")

STARTER_FILES = (
    "whisper-base/model.bin",
    "qwen2.5-coder-0.5b-instruct/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf",
    "kokoro-82m/kokoro-v1.0.int8.onnx",
    "kokoro-voices/af_heart.bin",
)

_ENDING_S = 3.0
"""How long what is just ending may take to be gone; nobody waits when nothing is left."""

_PROC = Path("/proc/self")


# ---------------------------------------------------------------------- models


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Where the models are: `SAMANTHA_MODELS_DIR`, or the platform's folder."""
    return folders.models_dir()


@pytest.fixture(scope="session")
def starter_models(models_dir: Path) -> Path:
    """`models_dir` with the starter models in it. Without them it fails: a skip proves nothing."""
    missing = [name for name in STARTER_FILES if not (models_dir / name).is_file()]
    if missing:
        pytest.fail(f"{models_dir} lacks {', '.join(missing)}: run `make setup`.", pytrace=False)
    return models_dir


# ------------------------------------------------------------------- isolation


@pytest.fixture(scope="session", autouse=True)
def _private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Data and temporary files of the tests go where nobody else writes."""
    # multiprocessing's own process, started once and alive until the end: not a leak.
    if os.name == "posix":
        resource_tracker.ensure_running()
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMANTHA_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        yield temporary


@pytest.fixture(autouse=True)
def _nothing_left_behind(_private_folders: Path) -> Iterator[None]:
    before = _held(_private_folders)
    yield
    deadline_s = time.monotonic() + _ENDING_S
    while left := _held(_private_folders) - before:
        gc.collect()
        if time.monotonic() > deadline_s:
            pytest.fail(f"Left behind: {', '.join(sorted(left))}", pytrace=False)
        time.sleep(0.01)


def _held(temporary: Path) -> set[str]:
    """What this process holds, in words."""
    return {
        *(f"thread {t.name} ({t.ident})" for t in threading.enumerate()),
        *(f"process {pid}" for pid in _child_pids()),
        *_open_files(),
        *(f"file {path}" for path in temporary.iterdir()),
    }


def _child_pids() -> set[int]:
    if (_PROC / "task").is_dir():
        children: set[int] = set()
        for task in (_PROC / "task").iterdir():
            try:
                children.update(map(int, (task / "children").read_text().split()))
            except (FileNotFoundError, ProcessLookupError):
                continue  # that thread has just ended
    else:
        children = {child.pid for child in psutil.Process().children()}
    return children - {getattr(resource_tracker._resource_tracker, "_pid", None)}


def _open_files() -> set[str]:
    files = set()
    if (_PROC / "fd").is_dir():
        for descriptor in (_PROC / "fd").iterdir():
            try:
                files.add(f"descriptor {descriptor.name} ({descriptor.readlink()})")
            except FileNotFoundError:
                continue  # the one that this listing itself opened
    return files


# -------------------------------------------------------------------- log errors


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture(autouse=True)
def _errors_are_noticed(request: pytest.FixtureRequest) -> Iterator[list[logging.LogRecord]]:
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    yield collector.records
    logging.getLogger().removeHandler(collector)
    if collector.records and "error_logs" not in request.fixturenames:
        messages = "\n".join(record.getMessage() for record in collector.records)
        pytest.fail(f"Logged errors that the test did not expect:\n{messages}", pytrace=False)


@pytest.fixture
def error_logs(_errors_are_noticed: list[logging.LogRecord]) -> list[logging.LogRecord]:
    """The records of level ERROR and above so far; asking for it makes them expected."""
    return _errors_are_noticed

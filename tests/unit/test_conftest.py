"""The fixtures that every test has: what they must notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
ROOT = str(CONFTEST.parents[1])

LEAKS = """
import logging, os, subprocess, sys, tempfile, threading
import pytest

kept = []

def test_thread():
    kept.append(threading.Event())
    threading.Thread(target=kept[-1].wait, daemon=True).start()

def test_process():
    kept.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))

def test_descriptor():
    os.open(__file__, os.O_RDONLY)

def test_temporary_file():
    tempfile.mkdtemp()

def test_error():
    logging.getLogger("somewhere").error("something went wrong")

def test_expected_error(error_logs):
    logging.getLogger("somewhere").error("as it should")
    assert [record.getMessage() for record in error_logs] == ["as it should"]

def test_nothing(tmp_path):
    with tempfile.TemporaryFile(), (tmp_path / "file").open("w"):
        pass

def test_missing_models(starter_models):
    pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")
def test_what_is_left_behind_is_noticed(tmp_path: Path) -> None:
    hurried = CONFTEST.read_text().replace("_ENDING_S = 3.0", "_ENDING_S = 0.0")
    assert "_ENDING_S = 0.0" in hurried
    (tmp_path / "conftest.py").write_text(hurried)
    (tmp_path / "test_leaks.py").write_text(LEAKS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -rA -p no:cacheprovider\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", f"--basetemp={tmp_path / 'base'}", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "", "SAMANTHA_MODELS_DIR": str(tmp_path / "nowhere"), "PYTHONPATH": ROOT},
    )
    errors = {
        line.removeprefix("ERROR test_leaks.py::").partition(" - ")[0]
        for line in run.stdout.splitlines()
        if line.startswith("ERROR test_leaks.py::")
    }
    assert errors == {
        "test_thread",
        "test_process",
        "test_descriptor",
        "test_temporary_file",
        "test_error",
        "test_missing_models",
    }
    assert "run `make setup`" in run.stdout
    assert "7 passed, 6 errors" in run.stdout

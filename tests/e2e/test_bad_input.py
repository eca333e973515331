"""What the command line makes of what it cannot use: one sentence, the right code, no trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from samantha_desktop.cli.main import run

CASES: dict[str, tuple[list[str], int]] = {
    "nothing asked": (["ask"], 2),
    "two things asked": (["ask", "hello", "--wav", "x.wav"], 2),
    "blank": (["ask", "   "], 2),
    "no such recording": (["ask", "--wav", "none.wav"], 6),
    "a folder": (["ask", "--wav", "."], 6),
    "not audio": (["ask", "--wav", "text.wav"], 6),
    "empty file": (["ask", "--wav", "empty.wav"], 6),
    "header only": (["ask", "--wav", "header.wav"], 6),
    "unknown model": (["ask", "hello", "--model", "nobody-knows-it"], 3),
    "model is a folder": (["ask", "hello", "--model", "./"], 3),
    "model cut short": (["ask", "hello", "--model", "cut.gguf"], 3),
    "model missing": (["ask", "hello", "--model", "none.gguf"], 3),
    "no folder for the answer": (["ask", "hello", "--out", "none/answer.wav"], 7),
    "no such persona": (["ask", "hello", "--persona", "nobody"], 2),
    "speed out of range": (["ask", "hello", "--speed", "9"], 2),
    "temperature out of range": (["ask", "hello", "--temperature", "-1"], 2),
    "unknown model to install": (["models", "install", "nobody-knows-it"], 3),
}


@pytest.fixture
def damaged_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the cases name, in the current folder."""
    monkeypatch.chdir(tmp_path)
    # A log file would stay open in the tests' own process.
    monkeypatch.setattr("samantha_desktop.cli.main.configure_logging", lambda **_: None)
    Path("cut.gguf").write_bytes(b"GGUF" + bytes(40))
    Path("text.wav").write_text("not audio")
    Path("empty.wav").touch()
    header = Path("header.wav")
    soundfile.write(header, np.zeros(16_000, np.float32), 16_000)
    header.write_bytes(header.read_bytes()[:30])


@pytest.mark.parametrize(("arguments", "code"), CASES.values(), ids=CASES.keys())
def test_it_is_one_sentence_with_what_to_do(
    arguments: list[str],
    code: int,
    damaged_files: None,
    capsys: pytest.CaptureFixture[str],
    starter_models: Path,
) -> None:
    assert run(arguments) == code
    error = capsys.readouterr().err
    assert error.startswith("samantha: ") and "Traceback" not in error
    assert len(error.strip().splitlines()) == 1 and error.rstrip()[-1] in '."', error

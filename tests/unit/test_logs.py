"""The log file says what happened, and never what was said."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from samantha_desktop.host import logs

OURS = logging.getLogger("samantha_desktop.somewhere")
THEIRS = logging.getLogger("faster_whisper")


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("SAMANTHA_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("SAMANTHA_LOG_LEVEL", raising=False)
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.getLogger("samantha_desktop").setLevel(logging.NOTSET)


def started(name: str = "samantha", *, is_verbose: bool = False) -> Path:
    path = logs.configure_logging(name, is_verbose=is_verbose)
    assert path is not None
    return path


def test_info_is_written_and_debug_is_not(tmp_path: Path) -> None:
    path = started()
    OURS.debug("fine grain")
    OURS.info("engine loaded")
    assert path == tmp_path / "logs" / "samantha.log"
    text = path.read_text()
    assert "engine loaded" in text
    assert "fine grain" not in text


def test_verbose_writes_everything_to_the_screen_too(capsys: pytest.CaptureFixture[str]) -> None:
    path = started(is_verbose=True)
    OURS.debug("fine grain")
    assert "fine grain" in path.read_text()
    assert "fine grain" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "is_written"), [("debug", True), ("WARNING", False), ("loud", True), ("", True)]
)
def test_the_variable_says_how_much(
    monkeypatch: pytest.MonkeyPatch, word: str, is_written: bool
) -> None:
    monkeypatch.setenv("SAMANTHA_LOG_LEVEL", word)
    path = started()
    OURS.info("engine loaded")
    assert ("engine loaded" in path.read_text()) is is_written


def test_libraries_never_write_what_they_work_on() -> None:
    path = started(is_verbose=True)
    THEIRS.debug("my secret words")
    THEIRS.info("my secret words")
    THEIRS.warning("out of memory")
    assert "secret" not in path.read_text()
    assert "out of memory" in path.read_text()


def test_starting_twice_writes_each_line_once() -> None:
    started()
    path = started("stt")
    OURS.info("engine loaded")
    assert path.name == "stt.log"
    assert path.read_text().count("engine loaded") == 1
    assert "engine loaded" not in path.with_name("samantha.log").read_text()


def test_old_lines_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MAX_BYTES", 1_000)
    path = started()
    for number in range(100):
        OURS.info("line %d %s", number, "x" * 50)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["samantha.log", "samantha.log.1", "samantha.log.2"]
    assert all(file.stat().st_size <= 1_000 for file in files)
    assert "line 99 " in "".join(file.read_text() for file in files)


def test_a_folder_that_cannot_be_written_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SAMANTHA_DATA_DIR", str(tmp_path / "file"))
    assert logs.configure_logging() is None
    OURS.info("still running")

"""The command as a person types it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import gguf_bytes, model_of

from samantha_desktop.cli import models_command
from samantha_desktop.core.errors import Cancelled, ModelError, NetworkError, SettingsError
from samantha_desktop.models import store as store_module
from samantha_desktop.models.catalog import Catalog, Source
from samantha_desktop.models.install import Installer

Samantha = Callable[..., int]


@pytest.fixture
def samantha(tmp_path: Path, file_source: Source, monkeypatch: pytest.MonkeyPatch) -> Samantha:
    """Runs `samantha models …` with a catalog of two models, one of which cannot be had."""
    models = (
        model_of(file_source),
        model_of(Source("wheel", "nowhere==1.0"), model_id="far"),
    )
    monkeypatch.setenv("SAMANTHA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(store_module, "shipped_catalog", lambda: Catalog(models))

    def run(*words: str) -> int:
        parser = argparse.ArgumentParser()
        models_command.add_parser(parser.add_subparsers())
        args = parser.parse_args(["models", *words])
        return int(args.handler(args))

    return run


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return dict(json.loads(capsys.readouterr().out))


def test_install_list_verify_where_remove(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert samantha("install", "tiny") == 0
    assert capsys.readouterr().out == "tiny: installed\n"
    assert samantha("install", "tiny") == 0
    assert capsys.readouterr().out == "tiny: already installed\n"
    samantha("list")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:5] == ["tiny", "stt", "0.5", "MB", "installed"]
    assert lines[2].split()[:5] == ["far", "stt", "0.5", "MB", "-"]
    samantha("verify")
    assert capsys.readouterr().out == "tiny: right\n"
    samantha("where", "tiny")
    assert capsys.readouterr().out == f"{tmp_path / 'models' / 'tiny'}\n"
    samantha("remove", "tiny")
    assert capsys.readouterr().out == "tiny: removed, 0.5 MB freed\n"
    assert not (tmp_path / "models" / "tiny").exists()


def test_the_same_as_documents(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    samantha("install", "tiny", "--json")
    assert document(capsys) == {"installed": ["tiny"], "unchanged": []}
    samantha("list", "--json", "--local")
    listing = document(capsys)
    assert [(model["id"], model["state"]) for model in listing["catalog"]] == [
        ("tiny", "installed"),
        ("far", "missing"),
    ]
    assert listing["imported"] == listing["local"] == []
    samantha("verify", "--json")
    assert document(capsys) == {"right": ["tiny"], "wrong": {}}
    samantha("where", "--json")
    assert document(capsys) == {"path": str(tmp_path / "models")}
    samantha("remove", "tiny", "--json")
    assert document(capsys) == {"removed": "tiny"}


def test_install_needs_a_name(samantha: Samantha) -> None:
    with pytest.raises(SettingsError, match="No model was named"):
        samantha("install")


def test_nothing_is_downloaded_when_one_of_the_names_is_wrong(
    samantha: Samantha, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no model called 'tony'.*Did you mean tiny"):
        samantha("install", "tiny", "tony")
    assert not (tmp_path / "models").exists()


def test_offline(samantha: Samantha) -> None:
    with pytest.raises(NetworkError, match="offline"):
        samantha("install", "far", "--offline")


def test_files_brought_by_hand(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], file_source: Source
) -> None:
    assert samantha("install", "far", "--offline", "--from", file_source.location) == 0
    assert capsys.readouterr().out == "far: installed\n"


def test_ctrl_c_says_how_to_go_on(samantha: Samantha, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Installer, "install", interrupted)
    with pytest.raises(Cancelled, match="Run the same command again") as caught:
        samantha("install", "tiny")
    assert caught.value.exit_code == 130


def test_verify_names_what_is_damaged(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    samantha("install", "tiny")
    (tmp_path / "models" / "tiny" / "vocabulary.txt").write_bytes(b"X\nb\nc\n")
    with pytest.raises(ModelError, match=r"1 of 1 .*models install tiny"):
        samantha("verify")
    assert "tiny: The model tiny is damaged: vocabulary.txt" in capsys.readouterr().out


def test_import_and_forget(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], gguf: Path
) -> None:
    samantha("import", str(gguf), "--name", "mine")
    assert capsys.readouterr().out.startswith("mine: llama, 0.00 billion parameters, F32")
    samantha("list")
    assert f"mine  {gguf}" in capsys.readouterr().out
    samantha("list", "--json")
    assert document(capsys)["imported"][0]["architecture"] == "llama"
    samantha("where", "mine")
    assert capsys.readouterr().out == f"{gguf}\n"
    samantha("remove", "mine")
    assert "the file" in capsys.readouterr().out
    assert gguf.is_file()


def test_models_of_other_programs_are_listed(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], ollama: Path
) -> None:
    samantha("list", "--local")
    assert "ollama:tinyllama:1b  Ollama" in capsys.readouterr().out
    ollama.write_bytes(gguf_bytes("clip"))
    samantha("list", "--local", "--json")
    assert "no language model" in document(capsys)["local"][0]["problem"]


def test_a_copy_of_an_import(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], gguf: Path, tmp_path: Path
) -> None:
    samantha("import", str(gguf), "--copy")
    assert "Tiny-Q4: copying (0.1 MB)" in capsys.readouterr().err
    samantha("where", "Tiny-Q4")
    copy = tmp_path / "models" / "imported" / "Tiny-Q4.gguf"
    assert capsys.readouterr().out == f"{copy}\n"
    samantha("remove", "Tiny-Q4")
    assert not copy.exists()


def test_progress_is_a_bar_on_a_terminal_and_a_line_a_step_elsewhere(
    samantha: Samantha, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    samantha("install", "tiny")
    assert capsys.readouterr().err == "tiny: downloading (0.5 MB)\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    samantha("verify")
    assert "━" in capsys.readouterr().err
    samantha("verify", "--json")
    assert capsys.readouterr().err == ""

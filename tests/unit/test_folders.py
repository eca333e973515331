"""Where everything lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from samantha_desktop.host import folders

VARIABLES = ("SAMANTHA_DATA_DIR", "SAMANTHA_MODELS_DIR", "SAMANTHA_CACHE_DIR")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_data_dir_moves_all_but_the_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    models = folders.models_dir()
    monkeypatch.setenv("SAMANTHA_DATA_DIR", str(tmp_path))
    assert folders.data_dir() == tmp_path
    for folder in (folders.config_dir(), folders.cache_dir(), folders.logs_dir()):
        assert folder.parent == tmp_path
    assert folders.models_dir() == models


def test_models_and_cache_have_variables_of_their_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SAMANTHA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SAMANTHA_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("SAMANTHA_CACHE_DIR", str(tmp_path / "cache"))
    assert folders.models_dir() == tmp_path / "models"
    assert folders.cache_dir() == tmp_path / "cache"
    assert folders.config_dir() == tmp_path / "data" / "config"


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    usual = folders.data_dir()
    monkeypatch.setenv("SAMANTHA_DATA_DIR", empty)
    assert folders.data_dir() == usual


def test_a_relative_folder_and_a_home_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMANTHA_DATA_DIR", "here")
    assert folders.data_dir() == tmp_path / "here"
    monkeypatch.setenv("SAMANTHA_DATA_DIR", "~/there")
    assert folders.data_dir() == Path.home() / "there"


def test_usual_folders_carry_the_name_once() -> None:
    for folder in (folders.data_dir(), folders.config_dir(), folders.cache_dir()):
        assert str(folder).count("samantha-desktop") == 1


def test_assets_of_a_checkout_lie_beside_the_package() -> None:
    assert folders.assets_dir() == Path(__file__).resolve().parents[2] / "assets"


def test_assets_of_a_wheel_lie_inside_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "assets").mkdir()
    monkeypatch.setattr(folders, "_PACKAGE_DIR", tmp_path)
    assert folders.assets_dir() == tmp_path / "assets"

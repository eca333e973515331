"""The shipped catalog, and what a broken one gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from samantha_desktop.core.errors import ModelError
from samantha_desktop.models.catalog import load_catalog, shipped_catalog

STARTER = {"whisper-base", "qwen2.5-coder-0.5b-instruct", "kokoro-82m", "kokoro-voices"}

ENTRY = """
[[model]]
id = "one"
kind = "llm"
title = "One"
licence = "MIT"
starter = false
verified = true
files = [{ name = "a.gguf", bytes = 3, sha256 = "HASH" }]
[[model.source]]
kind = "url"
base = "https://example.invalid/"
""".replace("HASH", "0" * 64)


def test_the_shipped_catalog_holds_together() -> None:
    models = shipped_catalog().models
    assert {model.id for model in shipped_catalog().starter()} == STARTER
    assert len({model.id for model in models}) == len(models)
    # The same bytes under two names would be one mistake or the other.
    hashes = {file.sha256: file.name for model in models for file in model.files}
    for model in models:
        assert all(hashes[file.sha256] == file.name for file in model.files)


def test_every_verified_model_can_be_had_from_a_package_index() -> None:
    for model in shipped_catalog().models:
        if model.is_verified:
            assert any(source.is_packaged for source in model.sources), model.id


def test_parts_of_packages_are_pinned_to_a_version() -> None:
    for model in shipped_catalog().models:
        for source in model.sources:
            if source.is_packaged:
                mark = "==" if source.kind == "wheel" else "@"
                parts = [part for file in model.files for part in source.parts_of(file.name)]
                assert all(mark in part.package for part in parts), model.id


def test_kokoro_has_its_54_voices() -> None:
    files = shipped_catalog().get("kokoro-voices").files
    assert len(files) == 54
    assert {file.n_bytes for file in files} == {510 * 256 * 4}
    heart = next(file for file in files if file.name == "af_heart.bin")
    assert heart.sha256 == "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"no model called 'whisper-bse'.*whisper-base"):
        shipped_catalog().get("whisper-bse")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0" * 64, "0" * 63),
        ("0" * 64, "G" * 64),
        ("bytes = 3", "bytes = 0"),
        ('name = "a.gguf"', 'name = "../a.gguf"'),
        ('kind = "llm"', 'kind = "magic"'),
        ('kind = "url"', 'kind = "carrier-pigeon"'),
        ('licence = "MIT"', 'licence = ""'),
        ('id = "one"', 'id = "../one"'),
        ('base = "https://example.invalid/"', ""),
        ('kind = "url"', 'kind = "hub"\nrepository = "a/b"\nrevision = "main"'),
        ("[[model.source]]", "[[model.source"),
        ("files = [", "notfiles = ["),
    ],
)
def test_a_broken_catalog_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY)
    assert load_catalog(path).get("one").files[0].n_bytes == 3
    assert old in ENTRY
    path.write_text(ENTRY.replace(old, new))
    with pytest.raises(ModelError, match="catalog of models is damaged"):
        load_catalog(path)


def test_an_id_cannot_occur_twice(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY + ENTRY)
    with pytest.raises(ModelError) as caught:
        load_catalog(path)
    assert "twice" in caught.value.detail

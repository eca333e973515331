"""What is there, whether it is whole, and finding the files for a setting."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tiny_models import WEIGHTS, files_under, gguf_bytes, model_of, store_of

from samantha_desktop.core.errors import ModelError, SettingsError, StorageError
from samantha_desktop.models import verified_file
from samantha_desktop.models.catalog import CatalogModel, Source
from samantha_desktop.models.imported import ImportedModels
from samantha_desktop.models.install import Installer
from samantha_desktop.models.local_caches import find_local_models
from samantha_desktop.models.resolve import explain_load_failure, resolve
from samantha_desktop.models.store import ModelState, ModelStore


@pytest.fixture
def model(file_source: Source) -> CatalogModel:
    return model_of(file_source)


@pytest.fixture
def store(tmp_path: Path, model: CatalogModel) -> ModelStore:
    """A store with the model installed."""
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    return store


def weights(store: ModelStore) -> Path:
    return store.folder / "tiny" / "model.bin"


def flip_a_byte(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(1000)
        byte = stream.read(1)[0]
        stream.seek(1000)
        stream.write(bytes([byte ^ 1]))


# ------------------------------------------------------------ what can be wrong


def test_an_installed_model_is_given_as_its_folder(store: ModelStore) -> None:
    found = resolve("tiny", "stt", store=store)
    assert found.path == found.folder == store.folder / "tiny"
    assert [path.name for path in found.files] == ["model.bin", "vocabulary.txt"]


def test_a_look_at_an_unchanged_model_reads_no_weights(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: object) -> str:
        raise AssertionError("hashed")

    monkeypatch.setattr(verified_file, "sha256_of", forbidden)
    resolve("tiny", "stt", store=store)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path, model: CatalogModel) -> None:
    with pytest.raises(ModelError) as caught:
        resolve("tiny", "stt", store=store_of(tmp_path, model))
    assert str(caught.value) == (
        "The model tiny is not installed. Run `samantha models install tiny`."
    )


def test_a_file_cut_short(store: ModelStore, model: CatalogModel) -> None:
    os.truncate(weights(store), 1000)
    with pytest.raises(ModelError, match=r"model.bin is cut short \(1,000 of 512,000 bytes\)"):
        resolve("tiny", "stt", store=store)
    assert store.state(model) is ModelState.DAMAGED


def test_a_folder_where_a_file_belongs(store: ModelStore) -> None:
    weights(store).unlink()
    weights(store).mkdir()
    with pytest.raises(ModelError, match=r"model\.bin is a folder"):
        resolve("tiny", "stt", store=store)


def test_a_file_gone(store: ModelStore) -> None:
    weights(store).unlink()
    with pytest.raises(ModelError, match=r"damaged: model\.bin is missing"):
        resolve("tiny", "stt", store=store)


def test_a_file_that_may_not_be_read(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = Path.open

    def refuse(self: Path, *args: object, **rest: object) -> object:
        if self.name == "model.bin":
            raise PermissionError(13, "Permission denied")
        return really_open(self, *args, **rest)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=r"model file model.bin cannot be read.*permissions"):
        resolve("tiny", "stt", store=store)


def test_a_flipped_byte_is_seen_by_the_files_time(store: ModelStore, model: CatalogModel) -> None:
    flip_a_byte(weights(store))
    assert store.state(model) is ModelState.UNCHECKED
    with pytest.raises(ModelError, match=r"damaged: model\.bin has wrong bytes"):
        resolve("tiny", "stt", store=store)
    Installer(store).install([model])
    assert weights(store).read_bytes() == WEIGHTS


def test_a_byte_flipped_by_the_disk_is_found_by_hashing(
    store: ModelStore, model: CatalogModel
) -> None:
    status = weights(store).stat()
    flip_a_byte(weights(store))
    os.utime(weights(store), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert store.state(model) is ModelState.INSTALLED
    with pytest.raises(ModelError, match="wrong bytes"):
        store.verify(model)
    error = explain_load_failure("tiny", store=store)
    assert error
    assert "damaged" in error.user_message


def test_a_load_failure_with_right_files_is_not_theirs(store: ModelStore) -> None:
    assert explain_load_failure("tiny", store=store) is None
    assert explain_load_failure("/some/file.gguf", store=store) is None


def test_files_put_there_by_hand_are_hashed_once(store: ModelStore, model: CatalogModel) -> None:
    (store.folder / "tiny" / "installed.json").unlink()
    assert store.state(model) is ModelState.UNCHECKED
    resolve("tiny", "stt", store=store)
    assert store.state(model) is ModelState.INSTALLED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}'])
def test_a_broken_manifest_means_hashing(store: ModelStore, model: CatalogModel, text: str) -> None:
    (store.folder / "tiny" / "installed.json").write_text(text)
    assert store.state(model) is ModelState.UNCHECKED
    resolve("tiny", "stt", store=store)


def test_a_model_of_another_kind(store: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"tiny is a speech recognition model, but a language"):
        resolve("tiny", "llm", store=store)


def test_removing_deletes_what_samantha_put_there(store: ModelStore, model: CatalogModel) -> None:
    (store.folder / "tiny" / "mine.txt").write_text("notes")
    assert store.remove(model) == model.n_bytes
    assert files_under(store.folder) == {".lock", "tiny/mine.txt"}
    with pytest.raises(ModelError, match="not installed"):
        store.remove(model)


# ------------------------------------------------------------- files and folders


@pytest.mark.parametrize("name", ["no-such-model", "tinyy"])
def test_a_name_that_means_nothing(store: ModelStore, name: str) -> None:
    with pytest.raises(ModelError, match="There is no model called"):
        resolve(name, "stt", store=store)


def test_a_gguf_by_its_path(store: ModelStore, gguf: Path) -> None:
    found = resolve(str(gguf), "llm", store=store)
    assert found.path == gguf
    with pytest.raises(ModelError, match="only be chosen from the catalog"):
        resolve(str(gguf), "tts", store=store)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no model file"),
        (b"", "is empty"),
        (b"PK\x03\x04 a zip", "is not a GGUF"),
        (gguf_bytes()[:-1], "is cut short: it has"),
        (gguf_bytes()[:500], "damaged or cut short"),
        (gguf_bytes("clip"), r"no language model to talk with: it holds a 'clip'"),
        (gguf_bytes("bert"), "no language model"),
        (gguf_bytes("flux", has_tokenizer=False), "no language model"),
    ],
)
def test_a_gguf_that_cannot_be_used(
    tmp_path: Path, store: ModelStore, content: bytes | None, message: str
) -> None:
    path = tmp_path / "bad.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        resolve(str(path), "llm", store=store)
    assert caught.value.recovery


def test_a_folder_instead_of_a_gguf(tmp_path: Path, store: ModelStore) -> None:
    with pytest.raises(ModelError, match="is a folder, but a model file is needed"):
        resolve(str(tmp_path), "llm", store=store)


def test_a_whisper_folder_by_its_path(tmp_path: Path, store: ModelStore) -> None:
    folder = tmp_path / "my-whisper"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"lacks tokenizer.json"):
        resolve(str(folder), "stt", store=store)
    (folder / "tokenizer.json").write_text("{}")
    assert resolve(str(folder), "stt", store=store).path == folder
    with pytest.raises(ModelError, match="not a folder with a CTranslate2"):
        resolve(str(folder / "model.bin"), "stt", store=store)


# ---------------------------------------------------------------------- imports


def test_importing_by_reference_copies_nothing(store: ModelStore, gguf: Path) -> None:
    imported = ImportedModels(store)
    assert imported.add(gguf, name="my-model").path == gguf
    assert imported.add(gguf, name="my-model").path == gguf  # again: the same
    assert resolve("my-model", "llm", store=store).path == gguf
    assert not (store.folder / "imported").exists()
    imported.remove("my-model")
    assert gguf.is_file()
    with pytest.raises(ModelError, match="There is no model called 'my-model'"):
        resolve("my-model", "llm", store=store)


def test_importing_a_copy(store: ModelStore, gguf: Path) -> None:
    copied = ImportedModels(store).add(gguf, is_copy=True)
    assert copied.name == "Tiny-Q4"
    gguf.unlink()
    assert resolve("Tiny-Q4", "llm", store=store).path == copied.path
    ImportedModels(store).remove("Tiny-Q4")
    assert not copied.path.exists()


def test_an_imported_file_that_went_away(store: ModelStore, gguf: Path) -> None:
    ImportedModels(store).add(gguf, name="mine")
    gguf.unlink()
    with pytest.raises(ModelError, match="There is no model file"):
        resolve("mine", "llm", store=store)


@pytest.mark.parametrize("name", ["tiny", "a/b", "../x", "-x", "with space"])
def test_names_that_cannot_be_used(store: ModelStore, gguf: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        ImportedModels(store).add(gguf, name=name)


def test_a_name_that_is_taken(tmp_path: Path, store: ModelStore, gguf: Path) -> None:
    other = shutil.copy(gguf, tmp_path / "other.gguf")
    ImportedModels(store).add(gguf, name="mine")
    with pytest.raises(SettingsError, match="already taken"):
        ImportedModels(store).add(other, name="mine")


def test_a_broken_register_is_told(store: ModelStore) -> None:
    (store.folder / "imported.toml").write_text("[model")
    with pytest.raises(StorageError, match="list of imported models cannot be read"):
        ImportedModels(store).all()


# ----------------------------------------------------- models of other programs


def test_an_ollama_model_is_chosen_by_its_name(store: ModelStore, ollama: Path) -> None:
    assert resolve("ollama:tinyllama:1b", "llm", store=store).path == ollama
    with pytest.raises(ModelError, match="Ollama has no model tinyllama:latest"):
        resolve("ollama:tinyllama", "llm", store=store)


def test_all_of_them_are_found(tmp_path: Path, ollama: Path) -> None:
    home = tmp_path / "home"
    paths = [
        home / ".lmstudio" / "models" / "them" / "Tiny-GGUF" / "tiny.gguf",
        home / ".cache" / "huggingface" / "hub" / "models--a--b" / "snapshots" / "c" / "t.gguf",
    ]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(gguf_bytes())
        (path.parent / "mmproj-tiny.gguf").write_bytes(gguf_bytes("clip"))
    broken = tmp_path / "ollama" / "manifests" / "registry.example" / "library" / "broken"
    broken.mkdir()
    (broken / "latest").write_text("not json")
    found = {(model.program, model.name, model.path) for model in find_local_models()}
    assert found == {
        ("Ollama", "ollama:tinyllama:1b", ollama),
        ("LM Studio", str(paths[0]), paths[0]),
        ("Hugging Face", str(paths[1]), paths[1]),
    }

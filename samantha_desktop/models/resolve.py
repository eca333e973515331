"""From what a setting says to files that an engine can be given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from samantha_desktop.core.errors import ModelError
from samantha_desktop.models.catalog import KIND_NAMES, CatalogModel, ModelKind, no_such_model
from samantha_desktop.models.delivery import ReportProgress, no_progress
from samantha_desktop.models.gguf_file import check_chat_model, read_gguf, require_file
from samantha_desktop.models.imported import ImportedModels
from samantha_desktop.models.local_caches import OLLAMA_PREFIX, find_ollama_model
from samantha_desktop.models.store import ModelState, ModelStore

_CTRANSLATE2_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class InstalledModel:
    """A model that is there and whose files look right.

    Attributes:
        id: catalog id, imported name, or what was asked for.
        kind: what it is for.
        path: what the engine is given: the file of a model that has one, else its folder.
        files: all files.
    """

    id: str
    kind: ModelKind
    path: Path
    files: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """The folder the files lie in."""
        return self.files[0].parent


def resolve(
    model: str,
    kind: ModelKind,
    *,
    store: ModelStore | None = None,
    report: ReportProgress = no_progress,
) -> InstalledModel:
    """Find a model, and make sure as far as is quick that its files are whole.

    Args:
        model: a catalog id; the name of an imported model; "ollama:NAME:TAG"; the path of
            a GGUF file (`llm`) or of a CTranslate2 Whisper folder (`stt`).
        kind: what it is needed for.
        store: None: the one of this user.
        report: told about the hashing of files that changed since they were verified.

    Raises:
        ModelError: not there, damaged, cut short, unreadable, or of another kind.
    """
    store = store or ModelStore()
    known = store.catalog.find(model)
    if known is not None:
        return _from_catalog(store, known, kind, report)
    if model.startswith(OLLAMA_PREFIX):
        path = find_ollama_model(model)
    elif (imported := ImportedModels(store).find(model)) is not None:
        path = imported.path
    elif _is_path(model):
        path = Path(model).expanduser().absolute()
    else:
        names = [entry.id for entry in store.catalog.models if entry.kind == kind]
        raise no_such_model(model, [*names, *(item.name for item in ImportedModels(store).all())])
    if kind == "llm":
        check_chat_model(read_gguf(path))
        return InstalledModel(model, kind, path, (path,))
    if kind == "stt":
        return _from_ctranslate2_folder(model, path)
    raise ModelError(
        f"A {KIND_NAMES[kind]} model can only be chosen from the catalog, not as {model!r}.",
        recovery="Run `samantha models list` to see them all.",
    )


def explain_load_failure(model: str, *, store: ModelStore | None = None) -> ModelError | None:
    """After an engine failed to load a catalog model: are its bytes the reason?

    Reads the whole model.

    Returns:
        The error that says so, or None when the files are right (or not of the catalog).
    """
    store = store or ModelStore()
    known = store.catalog.find(model)
    if known is None:
        return None
    try:
        store.verify(known)
    except ModelError as error:
        return error
    return None


def _from_catalog(
    store: ModelStore, model: CatalogModel, kind: ModelKind, report: ReportProgress
) -> InstalledModel:
    if model.kind != kind:
        raise ModelError(
            f"{model.id} is a {KIND_NAMES[model.kind]} model, but a {KIND_NAMES[kind]} model "
            "is needed.",
            recovery="Run `samantha models list` to see which are which.",
        )
    state = store.state(model)
    if state is ModelState.MISSING:
        raise store.missing_error(model)
    if state is ModelState.DAMAGED:
        faults = [fault for file in model.files if (fault := store.fault(model, file))]
        raise store.damaged_error(model, faults or ["its folder cannot be read"])
    folder = store.folder_of(model)
    files = tuple(folder / file.name for file in model.files)
    for path in files:
        require_file(path)
    if state is ModelState.UNCHECKED:
        store.verify(model, report)
    return InstalledModel(model.id, kind, files[0] if len(files) == 1 else folder, files)


def _from_ctranslate2_folder(model: str, path: Path) -> InstalledModel:
    if not path.is_dir():
        raise ModelError(
            f"{path} is not a folder with a CTranslate2 Whisper model.",
            recovery="Give the folder that holds model.bin.",
        )
    files = tuple(path / name for name in _CTRANSLATE2_FILES)
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(
            f"The folder {path} lacks {', '.join(missing)} of a CTranslate2 Whisper model.",
            recovery="Give the folder of a complete model.",
        )
    for file in files:
        require_file(file)
    return InstalledModel(model, "stt", path, files)


def _is_path(model: str) -> bool:
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    looks_like_one = model.startswith("~") or any(mark in model for mark in separators)
    return looks_like_one or model.endswith(".gguf") or Path(model).exists()

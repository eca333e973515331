"""Language models of the user's own, known by a name.

`<models folder>/imported.toml` says where each file lies; nothing is copied
unless asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from samantha_desktop.core.errors import ModelError, SettingsError, StorageError
from samantha_desktop.models.delivery import Progress, ReportProgress, no_progress
from samantha_desktop.models.gguf_file import check_chat_model, read_gguf
from samantha_desktop.models.store import ModelStore
from samantha_desktop.models.verified_file import CHUNK_BYTES, storage_error

REGISTER_NAME = "imported.toml"
COPIES_FOLDER = "imported"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ImportedModel:
    """A GGUF file under a name.

    Attributes:
        name: how it is chosen.
        path: the file.
        is_copy: whether the file is Samantha's own copy, deleted with the name.
    """

    name: str
    path: Path
    is_copy: bool


class ImportedModels:
    """The register of imported models in a store's folder."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store
        self._path = store.folder / REGISTER_NAME

    def all(self) -> list[ImportedModel]:
        """Every imported model, by name.

        Raises:
            StorageError: the register cannot be read.
        """
        try:
            with self._path.open("rb") as stream:
                document = tomllib.load(stream)
            return [
                ImportedModel(name, Path(entry["path"]), bool(entry.get("is_copy", False)))
                for name, entry in sorted(document.get("model", {}).items())
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(
                "The list of imported models cannot be read.",
                recovery=f"Mend or delete {self._path} and import them again.",
                detail=repr(error),
            ) from error

    def find(self, name: str) -> ImportedModel | None:
        """The imported model of that name, if there is one."""
        return next((model for model in self.all() if model.name == name), None)

    def add(
        self,
        path: Path,
        *,
        name: str = "",
        is_copy: bool = False,
        report: ReportProgress = no_progress,
        notify: Callable[[str], None] = lambda message: None,
    ) -> ImportedModel:
        """Register a GGUF file, by reference or as a copy.

        Args:
            path: the file.
            name: how it will be chosen; empty: the file's name without its ending.
            is_copy: copy it into the models folder.
            report: told about the copying; may raise to stop it.
            notify: told when another process has to be waited for.

        Raises:
            ModelError: the file is missing, damaged, or no language model.
            SettingsError: the name cannot be used.
            StorageError: no space or no permission.
        """
        path = path.expanduser().absolute()
        metadata = read_gguf(path)
        check_chat_model(metadata)
        name = name or path.stem
        self._check_name(name)
        if is_copy and metadata.split_count > 1:
            raise SettingsError(
                f"{path.name} is a model in several files, which cannot be copied.",
                recovery="Import it without --copy.",
            )
        with self._store.locked(notify):
            earlier = self.find(name)
            if earlier and earlier.path != path:
                raise SettingsError(
                    f"The name {name!r} is already taken by {earlier.path}.",
                    recovery="Give another with --name, or remove that one first.",
                )
            if is_copy:
                path = self._copy(path, name, metadata.n_bytes, report)
            model = ImportedModel(name, path, is_copy)
            self._write([*(known for known in self.all() if known.name != name), model])
        return model

    def remove(self, name: str) -> ImportedModel:
        """Forget a name, and delete the copy if there is one; the user's own file stays.

        Raises:
            ModelError: no such name.
            StorageError: the copy or the register cannot be changed.
        """
        model = self.find(name)
        if model is None:
            raise ModelError(f"No model was imported as {name!r}.")
        self._write([known for known in self.all() if known.name != name])
        if model.is_copy:
            try:
                model.path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, f"The copy {model.path} cannot be deleted") from error
        return model

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"{name!r} cannot be the name of a model.",
                recovery="Use letters, digits, dots, dashes and underscores, with --name.",
            )
        if self._store.catalog.find(name):
            raise SettingsError(
                f"{name!r} is a model of the catalog.", recovery="Give another name with --name."
            )

    def _copy(self, path: Path, name: str, n_bytes: int, report: ReportProgress) -> Path:
        folder = self._store.folder / COPIES_FOLDER
        target = folder / f"{name}.gguf"
        part = folder / f"{name}.gguf.part"
        try:
            folder.mkdir(exist_ok=True)
            n_free_bytes = shutil.disk_usage(folder).free
            if n_bytes > n_free_bytes:
                raise StorageError(
                    f"There is not enough space to copy {path.name}: {n_bytes / 1e9:.1f} GB are "
                    f"needed, {n_free_bytes / 1e9:.1f} GB are free.",
                    recovery="Import it without --copy.",
                )
            done_bytes = 0
            with path.open("rb") as source, part.open("wb") as copy:
                while chunk := source.read(CHUNK_BYTES):
                    copy.write(chunk)
                    done_bytes += len(chunk)
                    report(Progress(name, "copying", done_bytes, n_bytes))
            part.replace(target)
        except OSError as error:
            raise storage_error(error, f"{path.name} cannot be copied") from error
        finally:
            part.unlink(missing_ok=True)
        return target

    def _write(self, models: list[ImportedModel]) -> None:
        document = {
            "model": {
                model.name: {"path": str(model.path), "is_copy": model.is_copy} for model in models
            }
        }
        temporary = self._path.with_name(f"{REGISTER_NAME}.{os.getpid()}")
        try:
            temporary.write_text(tomli_w.dumps(document), encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            raise storage_error(error, "The list of imported models cannot be written") from error

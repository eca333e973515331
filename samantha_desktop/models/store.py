"""The models that are on this machine: `<models folder>/<id>/<file>`.

Each installed model has a manifest, `installed.json`, written last. It holds the
hash that every file had and the file's time: as long as sizes and times are the
same, a look at them is enough to trust the files at start-up; when one differs,
the hash is computed again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from samantha_desktop.core.errors import ModelError, StorageError
from samantha_desktop.host.folders import models_dir
from samantha_desktop.models.catalog import Catalog, CatalogModel, ModelFile, shipped_catalog
from samantha_desktop.models.delivery import Progress, ReportProgress, no_progress
from samantha_desktop.models.verified_file import has_right_bytes, storage_error

MANIFEST_NAME = "installed.json"
LOCK_TIMEOUT_S = 3600.0
"""How long a second process waits for the first one's download."""


class ModelState(StrEnum):
    """What a quick look at a model's folder says."""

    INSTALLED = "installed"
    UNCHECKED = "unchecked"
    """All files have the right size, but nobody verified them since they were written."""
    DAMAGED = "damaged"
    """Files are missing or have the wrong size."""
    MISSING = "missing"


class ModelStore:
    """The models folder.

    Args:
        folder: where; None: the one of this user (`SAMANTHA_MODELS_DIR`).
        catalog: None: the shipped one.
    """

    def __init__(self, folder: Path | None = None, catalog: Catalog | None = None) -> None:
        self.folder = folder or models_dir()
        self.catalog = catalog or shipped_catalog()

    def folder_of(self, model: CatalogModel) -> Path:
        """Where the model's files lie, or would."""
        return self.folder / model.id

    def staging_of(self, model: CatalogModel) -> Path:
        """Where its files gather before they are installed."""
        return self.folder / ".staging" / model.id

    def state(self, model: CatalogModel) -> ModelState:
        """A quick look: sizes, times and the manifest; reads no weights."""
        folder = self.folder_of(model)
        try:
            if not any((folder / file.name).exists() for file in model.files):
                return ModelState.MISSING
        except PermissionError:
            return ModelState.DAMAGED
        if any(self.fault(model, file) for file in model.files):
            return ModelState.DAMAGED
        is_same = self._recorded(model) == [_fingerprint(folder, file) for file in model.files]
        return ModelState.INSTALLED if is_same else ModelState.UNCHECKED

    def fault(self, model: CatalogModel, file: ModelFile) -> str:
        """What a quick look finds wrong with a file, e.g. "model.bin is missing"; or ""."""
        path = self.folder_of(model) / file.name
        try:
            if path.is_dir():
                return f"{file.name} is a folder"
            if not path.exists():
                return f"{file.name} is missing"
            n_bytes = path.stat().st_size
        except OSError as error:
            return f"{file.name} cannot be read ({error.strerror})"
        if n_bytes < file.n_bytes:
            return f"{file.name} is cut short ({n_bytes:,} of {file.n_bytes:,} bytes)"
        if n_bytes > file.n_bytes:
            return f"{file.name} is too long ({n_bytes:,} instead of {file.n_bytes:,} bytes)"
        return ""

    def wrong_files(
        self, model: CatalogModel, report: ReportProgress = no_progress
    ) -> list[ModelFile]:
        """The files that are not byte for byte the catalog's. Reads all of them."""
        wrong = []
        done_bytes = 0
        for file in model.files:

            def report_bytes(n_bytes: int, before_bytes: int = done_bytes) -> None:
                report(Progress(model.id, "checking", before_bytes + n_bytes, model.n_bytes))

            if not has_right_bytes(self.folder_of(model) / file.name, file, report_bytes):
                wrong.append(file)
            done_bytes += file.n_bytes
        return wrong

    def verify(self, model: CatalogModel, report: ReportProgress = no_progress) -> None:
        """Compute every hash anew.

        Raises:
            ModelError: not installed, or names the files that are damaged.
        """
        if self.state(model) is ModelState.MISSING:
            raise self.missing_error(model)
        wrong = self.wrong_files(model, report)
        if wrong:
            faults = [self.fault(model, file) or f"{file.name} has wrong bytes" for file in wrong]
            raise self.damaged_error(model, faults)
        self.record(model)

    def record(self, model: CatalogModel) -> None:
        """Write the manifest: the files that lie there now were verified.

        A folder that may not be written is left without: its files are hashed each time.
        """
        folder = self.folder_of(model)
        manifest = {
            "version": 1,
            "id": model.id,
            "files": [_fingerprint(folder, file) for file in model.files],
        }
        temporary = folder / f"{MANIFEST_NAME}.{os.getpid()}"
        try:
            temporary.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            temporary.replace(folder / MANIFEST_NAME)
        except PermissionError:
            temporary.unlink(missing_ok=True)

    def remove(self, model: CatalogModel) -> int:
        """Delete the model's files and what was kept of a download.

        Returns:
            Bytes of model files deleted.

        Raises:
            ModelError: it is not installed.
            StorageError: the files cannot be deleted.
        """
        folder = self.folder_of(model)
        has_staged_files = self.staging_of(model).exists()
        if self.state(model) is ModelState.MISSING and not has_staged_files:
            raise self.missing_error(model)
        n_bytes = 0
        try:
            shutil.rmtree(self.staging_of(model), ignore_errors=True)
            (folder / MANIFEST_NAME).unlink(missing_ok=True)
            for file in model.files:
                path = folder / file.name
                if path.is_file():
                    n_bytes += path.stat().st_size
                    path.unlink()
            # Files that Samantha did not put there are not hers to delete.
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        except OSError as error:
            raise storage_error(error, f"The model {model.id} cannot be removed") from error
        return n_bytes

    @contextmanager
    def locked(
        self, notify: Callable[[str], None], timeout_s: float = LOCK_TIMEOUT_S
    ) -> Iterator[None]:
        """Keep other processes from changing the folder meanwhile.

        Args:
            notify: told, in one sentence, when it has to wait.
            timeout_s: how long to wait.

        Raises:
            StorageError: the other process did not finish in time, or the folder
                cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                notify("Another Samantha is changing the models; waiting for it to finish.")
                lock.acquire(timeout=timeout_s)
        except Timeout as error:
            raise StorageError(
                "Another Samantha is still changing the models.",
                recovery="Wait until it is done, or close it, and try again.",
                detail=str(self.folder),
            ) from error
        except OSError as error:
            raise storage_error(error, f"The models folder {self.folder} cannot be used") from error
        try:
            yield
        finally:
            lock.release()

    def missing_error(self, model: CatalogModel) -> ModelError:
        """The error for a model that is not there."""
        return ModelError(
            f"The model {model.id} is not installed.",
            recovery=f"Run `samantha models install {model.id}`.",
            detail=str(self.folder_of(model)),
        )

    def damaged_error(self, model: CatalogModel, faults: list[str]) -> ModelError:
        """The error for files that are not what they should be."""
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        return ModelError(
            f"The model {model.id} is damaged: {faults[0]}{more}.",
            recovery=f"Run `samantha models install {model.id}` to mend it.",
            detail="\n".join([str(self.folder_of(model)), *faults]),
        )

    def _recorded(self, model: CatalogModel) -> Any:
        try:
            text = (self.folder_of(model) / MANIFEST_NAME).read_text(encoding="utf-8")
            manifest = json.loads(text)
        except (OSError, ValueError):
            return None
        return manifest.get("files") if isinstance(manifest, dict) else None


def _fingerprint(folder: Path, file: ModelFile) -> dict[str, str | int]:
    status = (folder / file.name).stat()
    return {
        "name": file.name,
        "bytes": status.st_size,
        "sha256": file.sha256,
        "mtime_ns": status.st_mtime_ns,
    }

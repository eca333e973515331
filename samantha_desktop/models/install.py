"""Installs catalog models: whole and verified, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from samantha_desktop.core.errors import ModelError, NetworkError, StorageError
from samantha_desktop.models.catalog import CatalogModel, ModelFile, Source
from samantha_desktop.models.delivery import Delivery, Progress, ReportProgress, no_progress
from samantha_desktop.models.store import LOCK_TIMEOUT_S, ModelState, ModelStore
from samantha_desktop.models.verified_file import storage_error

SPACE_MARGIN = 1.05
"""Free space asked for, as a share of what the files and packages take."""


def _ignore(message: str) -> None:
    pass


class Installer:
    """Brings models into a store.

    Args:
        store: where to.
        is_offline: never open a connection.
        extra_folder: a folder of files to look in before any other source.
        report: told about progress; may raise to stop.
        notify: told sentences for people, e.g. that another process is waited for.
        free_bytes: free space of the disk that a folder is on.
        lock_timeout_s: how long to wait for another process.
    """

    def __init__(
        self,
        store: ModelStore,
        *,
        is_offline: bool = False,
        extra_folder: Path | None = None,
        report: ReportProgress = no_progress,
        notify: Callable[[str], None] = _ignore,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self._store = store
        self._delivery = Delivery(is_offline=is_offline, report=report)
        self._extra = (Source("file", str(extra_folder)),) if extra_folder else ()
        self._report = report
        self._notify = notify
        self._free_bytes = free_bytes
        self._lock_timeout_s = lock_timeout_s

    def install(self, models: Sequence[CatalogModel]) -> list[CatalogModel]:
        """Install what is not there yet and mend what is damaged.

        Quick, and without the lock, when nothing is to be done. Whatever stops it leaves the
        models that were complete, and what had arrived of the others for the next time.

        Returns:
            The models that needed work, also those whose files only had to be checked.

        Raises:
            NetworkError, ModelError: no source delivered the right bytes.
            StorageError: no space, no permission, or another process held the lock too long.
        """
        if not self._waiting(models):
            return []
        with self._store.locked(self._notify, self._lock_timeout_s):
            waiting = self._waiting(models)  # another process may have been here meanwhile
            try:
                needed = {model.id: self._needed_files(model) for model in waiting}
                self._require_space(waiting, needed)
                for model in waiting:
                    self._install_one(model, needed[model.id])
            except OSError as error:
                raise storage_error(error, "The models cannot be written") from error
        return waiting

    def _waiting(self, models: Sequence[CatalogModel]) -> list[CatalogModel]:
        return [m for m in models if self._store.state(m) is not ModelState.INSTALLED]

    def _needed_files(self, model: CatalogModel) -> list[ModelFile]:
        if self._store.state(model) is ModelState.MISSING:
            return list(model.files)
        return self._store.wrong_files(model, self._report)

    def _require_space(
        self, models: Sequence[CatalogModel], needed: dict[str, list[ModelFile]]
    ) -> None:
        """Packages are deleted after each model, so only the largest model's count."""
        n_files_bytes = n_package_bytes = 0
        for model in models:
            n_bytes = sum(file.n_bytes for file in needed[model.id])
            n_files_bytes += max(0, n_bytes - _bytes_in(self._store.staging_of(model)))
            if any(source.is_packaged for source in model.sources):
                n_package_bytes = max(n_package_bytes, n_bytes)
        n_needed_bytes = int((n_files_bytes + n_package_bytes) * SPACE_MARGIN)
        n_free_bytes = self._free_bytes(self._store.folder)
        if n_needed_bytes > n_free_bytes:
            names = ", ".join(model.id for model in models)
            raise StorageError(
                f"There is not enough space for {names}: {n_needed_bytes / 1e9:.1f} GB are "
                f"needed, {n_free_bytes / 1e9:.1f} GB are free.",
                recovery="Free some space, or put the models on another disk with "
                "SAMANTHA_MODELS_DIR.",
                detail=str(self._store.folder),
            )

    def _install_one(self, model: CatalogModel, files: Sequence[ModelFile]) -> None:
        if files:
            staging = self._store.staging_of(model)
            staging.mkdir(parents=True, exist_ok=True)
            try:
                self._delivery.deliver(model, files, staging, (*self._extra, *model.sources))
            except (NetworkError, ModelError):
                _remove_if_empty(staging / "packages")
                _remove_if_empty(staging)
                raise
            self._move_in(model, files, staging)
        self._store.record(model)
        self._report(Progress(model.id, "done", model.n_bytes, model.n_bytes))

    def _move_in(self, model: CatalogModel, files: Sequence[ModelFile], staging: Path) -> None:
        folder = self._store.folder_of(model)
        for file in files:
            if (folder / file.name).is_dir():
                raise StorageError(
                    f"{folder / file.name} is a folder where a model file belongs.",
                    recovery="Move it away and install the model again.",
                )
        if folder.is_symlink() or folder.is_dir():
            for file in files:
                (staging / file.name).replace(folder / file.name)
            shutil.rmtree(staging)
            return
        for extra in set(staging.iterdir()) - {staging / file.name for file in files}:
            shutil.rmtree(extra) if extra.is_dir() else extra.unlink()
        staging.replace(folder)


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

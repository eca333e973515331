"""The log file: for whoever looks into a failure, and never for what was said.

Only Samantha's own modules write below WARNING, because libraries log what they
work on (a recogniser its text, a client its addresses) in their finer levels.
"""

from __future__ import annotations

import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from samantha_desktop.host import folders

_OWN_LOGGER = "samantha_desktop"
_FORMAT = "%(asctime)s %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s"
_MAX_BYTES = 1_000_000
_KEPT_FILES = 3
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def configure_logging(name: str = "samantha", *, is_verbose: bool = False) -> Path | None:
    """Send log records to `<logs_dir>/<name>.log`. Call once, at a process's root.

    Each kind of process has a file of its own, since two cannot rotate one.

    Args:
        name: of the process: "samantha", or the kind of engine it runs.
        is_verbose: write everything, and to standard error as well. Otherwise
            `SAMANTHA_LOG_LEVEL` (DEBUG, INFO, WARNING, ERROR) says how much; INFO
            when unset or none of these.
    Returns:
        The file, or None when the folder cannot be written: a log that cannot be
        kept is no reason not to talk.
    """
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "is_samanthas", False)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN_LOGGER).setLevel(_level(is_verbose))
    if is_verbose:
        _add(logging.StreamHandler(sys.stderr))
    path = folders.logs_dir() / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _add(RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES - 1))
    except OSError as error:
        logging.getLogger(__name__).warning("No log file at %s: %s", path, error)
        return None
    return path


def _level(is_verbose: bool) -> int:
    word = os.environ.get("SAMANTHA_LOG_LEVEL", "").strip().upper()
    if is_verbose:
        word = "DEBUG"
    return logging.getLevelNamesMapping()[word] if word in _LEVELS else logging.INFO


def _add(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.is_samanthas = True  # type: ignore[attr-defined]
    logging.getLogger().addHandler(handler)

"""Where everything lives on this machine.

`SAMANTHA_DATA_DIR` moves all folders of one person or one test under a single
root. Models are shared between such roots, because they are large and never
private: only `SAMANTHA_MODELS_DIR` moves them. `SAMANTHA_CACHE_DIR` moves the
cache alone, which is also where set-up keeps the wheels it compiled.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP_NAME = "samantha-desktop"

_PACKAGE_DIR = Path(__file__).resolve().parents[1]


def data_dir() -> Path:
    """What Samantha must not lose. Not necessarily there yet."""
    return _own_root() or platformdirs.user_data_path(_APP_NAME, appauthor=False)


def config_dir() -> Path:
    """Settings and edited personas."""
    root = _own_root()
    return root / "config" if root else platformdirs.user_config_path(_APP_NAME, appauthor=False)


def cache_dir() -> Path:
    """What can be deleted at any time, and is made again."""
    own = _folder_from("SAMANTHA_CACHE_DIR")
    if own:
        return own
    root = _own_root()
    return root / "cache" if root else platformdirs.user_cache_path(_APP_NAME, appauthor=False)


def logs_dir() -> Path:
    """Log files, which never hold what was said."""
    root = _own_root()
    return root / "logs" if root else platformdirs.user_log_path(_APP_NAME, appauthor=False)


def models_dir() -> Path:
    """Model weights: one folder per catalog id."""
    own = _folder_from("SAMANTHA_MODELS_DIR")
    return own or platformdirs.user_data_path(_APP_NAME, appauthor=False) / "models"


def assets_dir() -> Path:
    """Files shipped with the program: inside the wheel, or beside the package in a checkout."""
    inside = _PACKAGE_DIR / "assets"
    return inside if inside.is_dir() else _PACKAGE_DIR.parent / "assets"


def _own_root() -> Path | None:
    return _folder_from("SAMANTHA_DATA_DIR")


def _folder_from(variable: str) -> Path | None:
    """The folder an environment variable names; None when unset or empty."""
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().absolute() if value else None

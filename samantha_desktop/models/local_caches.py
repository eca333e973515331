"""Finds GGUF models that other programs have already put on this disk.

Nothing is copied: llama.cpp reads the file where it lies.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samantha_desktop.core.errors import ModelError

OLLAMA_PREFIX = "ollama:"

_OLLAMA_MODEL_LAYER = "application/vnd.ollama.image.model"
_OLLAMA_SYSTEM_FOLDERS = (
    Path("/usr/share/ollama/.ollama/models"),
    Path("/var/lib/ollama/.ollama/models"),
)
"""Where Ollama keeps its models when it runs as a service of the system."""


@dataclass(frozen=True)
class LocalModel:
    """A GGUF file that another program owns.

    Attributes:
        name: how to choose it: "ollama:NAME:TAG", or the path.
        program: "Ollama", "LM Studio" or "Hugging Face".
        path: the file.
        n_bytes: its size.
    """

    name: str
    program: str
    path: Path
    n_bytes: int


def find_local_models() -> list[LocalModel]:
    """Everything there is, without looking into the files. Unreadable folders are left out."""
    found = [*_ollama_models(), *_lm_studio_models(), *_hugging_face_models()]
    return sorted(found, key=lambda model: (model.program, model.name))


def find_ollama_model(name: str) -> Path:
    """The weights of an Ollama model.

    Args:
        name: "ollama:NAME" or "ollama:NAME:TAG"; the tag is "latest" when left out.

    Raises:
        ModelError: Ollama has no such model here.
    """
    wanted = name.removeprefix(OLLAMA_PREFIX)
    if ":" not in wanted.rpartition("/")[2]:
        wanted += ":latest"
    known = {model.name.removeprefix(OLLAMA_PREFIX): model.path for model in _ollama_models()}
    if wanted not in known:
        raise ModelError(
            f"Ollama has no model {wanted} on this machine.",
            recovery="See what there is with `samantha models list --local`.",
            detail=", ".join(map(str, _ollama_folders())),
        )
    return known[wanted]


def _ollama_folders() -> list[Path]:
    own = os.environ.get("OLLAMA_MODELS", "").strip()
    if own:
        return [Path(own).expanduser()]
    return [Path.home() / ".ollama" / "models", *_OLLAMA_SYSTEM_FOLDERS]


def _ollama_models() -> Iterator[LocalModel]:
    """A manifest, manifests/HOST/NAMESPACE/NAME/TAG, names the blob that holds the weights."""
    for folder in _ollama_folders():
        for manifest in _files(folder / "manifests", "*/*/*/*"):
            blob = _ollama_blob(folder, manifest)
            if blob is None:
                continue
            namespace, name, tag = manifest.parts[-3:]
            owner = "" if namespace == "library" else f"{namespace}/"
            yield LocalModel(f"{OLLAMA_PREFIX}{owner}{name}:{tag}", "Ollama", *blob)


def _ollama_blob(folder: Path, manifest: Path) -> tuple[Path, int] | None:
    try:
        layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
        digest = next(
            layer["digest"] for layer in layers if layer["mediaType"] == _OLLAMA_MODEL_LAYER
        )
        blob = folder / "blobs" / str(digest).replace(":", "-")
        return blob, blob.stat().st_size
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None  # not a manifest, or its blob was deleted


def _lm_studio_models() -> Iterator[LocalModel]:
    """PUBLISHER/REPOSITORY/FILE.gguf."""
    for folder in (
        Path.home() / ".lmstudio" / "models",
        Path.home() / ".cache" / "lm-studio" / "models",
    ):
        yield from _gguf_files("LM Studio", folder)


def _hugging_face_models() -> Iterator[LocalModel]:
    """models--OWNER--NAME/snapshots/REVISION/FILE.gguf, a link to a blob."""
    home = os.environ.get("HF_HOME", "").strip() or str(Path.home() / ".cache" / "huggingface")
    hub = os.environ.get("HF_HUB_CACHE", "").strip() or str(Path(home) / "hub")
    yield from _gguf_files("Hugging Face", Path(hub).expanduser())


def _gguf_files(program: str, folder: Path) -> Iterator[LocalModel]:
    for path in _files(folder, "**/*.gguf"):
        # Image encoders lie beside the language models that use them.
        if "mmproj" not in path.name.lower():
            yield LocalModel(str(path), program, path, path.stat().st_size)


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except OSError:
        return []

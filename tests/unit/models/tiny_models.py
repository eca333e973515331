"""Models small enough to make up, for the tests beside this file."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samantha_desktop.models.catalog import Catalog, CatalogModel, ModelFile, Source
from samantha_desktop.models.store import ModelStore

WEIGHTS = bytes(range(256)) * 2000  # 512,000 bytes
VOCABULARY = b"a\nb\nc\n"


def model_file(name: str, content: bytes) -> ModelFile:
    return ModelFile(name, len(content), hashlib.sha256(content).hexdigest())


def model_of(*sources: Source, model_id: str = "tiny", kind: str = "stt") -> CatalogModel:
    """A model of two files, WEIGHTS and VOCABULARY."""
    return CatalogModel(
        id=model_id,
        kind=kind,  # type: ignore[arg-type]
        title="A tiny one",
        licence="MIT",
        files=(model_file("model.bin", WEIGHTS), model_file("vocabulary.txt", VOCABULARY)),
        sources=sources,
    )


def store_of(folder: Path, *models: CatalogModel) -> ModelStore:
    return ModelStore(folder / "models", Catalog(models))


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@dataclass
class Web:
    """A web server of this process.

    Attributes:
        files: what it serves, by path.
        cut_after_bytes: close each connection after as many bytes of a body.
        knows_ranges: whether it takes Range requests.
        ranges: the Range header of each GET so far.
    """

    base: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after_bytes: int | None = None
    knows_ranges: bool = True
    ranges: list[str | None] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return Source("url", self.base)


_STRING, _ARRAY, _UINT32 = 8, 9, 4


def gguf_bytes(
    architecture: str = "llama",
    *,
    n_layers: int = 2,
    width: int = 64,
    n_heads: int = 4,
    n_kv_heads: int = 2,
    has_tokenizer: bool = True,
    has_output: bool = False,
    extra: Mapping[str, int] | None = None,
) -> bytes:
    """A whole GGUF file of version 3 with F32 tensors full of zeros."""
    texts = {"general.architecture": architecture, "general.name": "Tiny"}
    if has_tokenizer:
        texts |= {"tokenizer.ggml.model": "gpt2", "tokenizer.chat_template": "{{ messages }}"}
    numbers = {
        f"{architecture}.block_count": n_layers,
        f"{architecture}.context_length": 2048,
        f"{architecture}.embedding_length": width,
        f"{architecture}.attention.head_count": n_heads,
        f"{architecture}.attention.head_count_kv": n_kv_heads,
        "general.file_type": 0,
    } | dict(extra or {})
    vocabulary = [f"token{index}" for index in range(10)]
    names = ["token_embd.weight", "output_norm.weight", *["output.weight"] * has_output]
    names += [f"blk.{layer}.attn_q.weight" for layer in range(n_layers)]

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    body = b"".join(text(k) + struct.pack("<I", _STRING) + text(v) for k, v in texts.items())
    body += b"".join(text(k) + struct.pack("<II", _UINT32, v) for k, v in numbers.items())
    body += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", _ARRAY, _STRING, len(vocabulary))
    body += b"".join(map(text, vocabulary))
    tensor_bytes = width * width * 4
    for index, name in enumerate(names):
        body += text(name) + struct.pack("<IQQIQ", 2, width, width, 0, index * tensor_bytes)
    n_values = len(texts) + len(numbers) + 1
    header = b"GGUF" + struct.pack("<IQQ", 3, len(names), n_values) + body
    return header + bytes(-len(header) % 32) + bytes(len(names) * tensor_bytes)

"""Reads what a GGUF file says of itself, without loading it.

Used to list models, to refuse files that are cut short or no language models
with a clear sentence instead of a crash inside llama.cpp, and to plan memory.

Source: the GGUF specification, ggml/docs/gguf.md, and the block sizes in
ggml/src/ggml-common.h and model file types in include/llama.h of llama.cpp.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samantha_desktop.core.errors import ModelError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
"""Version 1 had 32-bit counts; a huge number is a big-endian file."""

_DEFAULT_ALIGNMENT = 32
_MAX_ENTRIES = 1_000_000
"""More metadata entries or tensors than any model has: the header is garbage."""

_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9

_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip
"""ggml type: (values in a block, bytes of a block)."""

_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M",
    30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4", 39: "NVFP4",
    40: "Q1_0", 41: "Q2_0",
}  # fmt: skip

NOT_FOR_CHAT = frozenset({
    "bert", "clip", "dflash", "dream", "eagle3", "eurobert", "gemma-embedding",
    "gemma4-assistant", "jina-bert-v2", "jina-bert-v3", "llada", "llada-moe", "llama-embed",
    "modern-bert", "neo-bert", "nomic-bert", "nomic-bert-moe", "rnd1", "t5", "t5encoder",
    "wavtokenizer-dec",
})  # fmt: skip
"""Architectures that llama.cpp reads but that do not write text word by word: encoders,
diffusion models, image and sound parts, drafters. Source: llama_model::create_memory and
LLM_ARCH_NAMES in llama.cpp."""

_SPLIT_NAME = re.compile(r"(.*-)(\d{5})-of-(\d{5})\.gguf")


@dataclass(frozen=True)
class GgufMetadata:
    """What the header says.

    Attributes:
        path: the file.
        n_bytes: its size on disk.
        needed_bytes: what its size must be at least, by its own table of tensors.
        architecture: `general.architecture`, e.g. "qwen2".
        name: `general.name`, or the file's name.
        n_layers: repeating layers.
        context_tokens: what it was trained for; 0 when not said.
        embedding_length: width of a token's vector.
        n_heads: attention heads, and `n_kv_heads` of them with keys and values of
            their own; the largest where layers differ.
        key_length: width of a head's key; `value_length` of its value.
        n_vocab: tokens of the vocabulary.
        quantization: file type, e.g. "Q4_K_M"; "" when not said.
        has_chat_template: whether it brings its own.
        has_tokenizer: whether it brings its vocabulary.
        n_parameters: values in all tensors.
        layer_bytes: weights of each repeating layer, first to last.
        output_bytes: weights that belong to the output layer on a GPU.
        split_count: files that make up the model; 1 for a whole one.
    """

    path: Path
    n_bytes: int
    needed_bytes: int
    architecture: str
    name: str
    n_layers: int
    context_tokens: int
    embedding_length: int
    n_heads: int
    n_kv_heads: int
    key_length: int
    value_length: int
    n_vocab: int
    quantization: str
    has_chat_template: bool
    has_tokenizer: bool
    n_parameters: int
    layer_bytes: tuple[int, ...]
    output_bytes: int
    split_count: int = 1


def read_gguf(path: Path) -> GgufMetadata:
    """Read the header of a GGUF file (version 2 or 3). Takes tens of milliseconds.

    Raises:
        ModelError: missing, a folder, unreadable, not a GGUF file, or cut short.
    """
    require_file(path)
    try:
        n_bytes = path.stat().st_size
        with path.open("rb") as stream:
            if stream.read(4) != _MAGIC:
                raise ModelError(
                    f"{path.name} is not a GGUF model file.",
                    recovery="Choose a language model in GGUF format, as llama.cpp uses it.",
                    detail=str(path),
                )
            (version,) = struct.unpack("<I", stream.read(4))
            if version not in _VERSIONS:
                raise ModelError(
                    f"{path.name} is in a version of the GGUF format that cannot be read.",
                    recovery="Get a newer conversion of the model (for little-endian machines).",
                    detail=f"{path}: version {version:#x}",
                )
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                header = _Header(data)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (struct.error, KeyError, OverflowError, ValueError) as error:
        raise ModelError(
            f"{path.name} is damaged or cut short.",
            recovery="Download it again.",
            detail=f"{path}: header: {error}",
        ) from error
    metadata = _describe(path, n_bytes, header)
    if n_bytes < metadata.needed_bytes:
        raise ModelError(
            f"{path.name} is cut short: it has {n_bytes:,} bytes and should have at least "
            f"{metadata.needed_bytes:,}.",
            recovery="Download it again.",
            detail=str(path),
        )
    return metadata


def check_chat_model(metadata: GgufMetadata) -> None:
    """Refuse a GGUF that is no language model to talk with, or lacks some of its files.

    Raises:
        ModelError: says why.
    """
    is_language_model = metadata.has_tokenizer and metadata.n_layers > 0
    if metadata.architecture in NOT_FOR_CHAT or not is_language_model:
        raise ModelError(
            f"{metadata.path.name} is no language model to talk with: it holds a "
            f"{metadata.architecture or 'nameless'!r} model.",
            recovery="Choose an instruct or chat model in GGUF format.",
            detail=str(metadata.path),
        )
    if metadata.split_count > 1:
        _check_split(metadata)


def require_file(path: Path) -> None:
    """Raise ModelError unless there is a readable file with something in it."""
    try:
        if path.is_dir():
            raise ModelError(
                f"{path} is a folder, but a model file is needed.",
                recovery="Give the path of the GGUF file inside it.",
            )
        if not path.is_file():
            raise ModelError(
                f"There is no model file {path}.",
                recovery="Check the path, or choose another with `samantha models list --local`.",
            )
        with path.open("rb") as stream:
            if not stream.read(1):
                raise ModelError(
                    f"{path.name} is empty.", recovery="Download it again.", detail=str(path)
                )
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ModelError:
    return ModelError(
        f"The model file {path.name} cannot be read.",
        recovery="Check its permissions and the disk it is on.",
        detail=f"{path}: {error}",
    )


def _check_split(metadata: GgufMetadata) -> None:
    match = _SPLIT_NAME.fullmatch(metadata.path.name)
    if match is None:
        return
    stem, number, count = match.groups()
    names = [f"{stem}{index:05}-of-{count}.gguf" for index in range(1, int(count) + 1)]
    if int(number) != 1:
        raise ModelError(
            f"{metadata.path.name} is a later part of a model in {int(count)} files.",
            recovery=f"Choose the first part, {names[0]}.",
        )
    missing = [name for name in names if not (metadata.path.parent / name).is_file()]
    if missing:
        raise ModelError(
            f"The model {metadata.path.name} lacks {len(missing)} of its {int(count)} files.",
            recovery=f"Put {missing[0]} beside it.",
        )


# ----------------------------------------------------------------------- parsing


@dataclass(frozen=True)
class _Tensor:
    name: str
    n_values: int
    n_bytes: int
    offset: int


@dataclass
class _Header:
    """The parsed header. Values of arrays are not kept, only their lengths and maxima."""

    data: mmap.mmap
    position: int = 8
    values: dict[str, Any] = field(default_factory=dict)
    tensors: list[_Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_tensors, n_values = self._count(), self._count()
        for _ in range(n_values):
            key = self._string()
            self.values[key] = self._value(self._number("I"))
        for _ in range(n_tensors):
            self.tensors.append(self._tensor())
        alignment = int(self.values.get("general.alignment", 0)) or _DEFAULT_ALIGNMENT
        self.data_start = math.ceil(self.position / alignment) * alignment

    def _number(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.data, self.position)
        self.position += struct.calcsize("<" + code)
        return value

    def _count(self) -> int:
        count = int(self._number("Q"))
        if count > _MAX_ENTRIES:
            raise ValueError(f"{count} entries")
        return count

    def _string(self) -> str:
        return self._bytes().decode("utf-8", errors="replace")

    def _bytes(self) -> bytes:
        length = int(self._number("Q"))
        end = self.position + length
        if end > len(self.data):
            raise ValueError("text beyond the end of the file")
        text = self.data[self.position : end]
        self.position = end
        return text

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._array()
        return self._number(_SCALARS[kind])

    def _array(self) -> _ArraySummary:
        kind, length = self._number("I"), int(self._number("Q"))
        if kind == _STRING:
            self._skip_strings(length)
            return _ArraySummary(length)
        if kind == _ARRAY:
            for _ in range(min(length, _MAX_ENTRIES)):
                self._array()
            return _ArraySummary(length)
        size = struct.calcsize("<" + _SCALARS[kind]) * length
        if self.position + size > len(self.data):
            raise ValueError("an array beyond the end of the file")
        numbers = struct.unpack_from(f"<{length}{_SCALARS[kind]}", self.data, self.position)
        self.position += size
        return _ArraySummary(length, max(numbers, default=0))

    def _skip_strings(self, length: int) -> None:
        # A vocabulary has 150,000 of them: only their lengths are looked at.
        data, position = self.data, self.position
        unpack = struct.Struct("<Q").unpack_from
        for _ in range(length):
            position += 8 + unpack(data, position)[0]
        self.position = position

    def _tensor(self) -> _Tensor:
        name = self._string()
        n_dims = self._number("I")
        if n_dims > 8:
            raise ValueError(f"a tensor of {n_dims} dimensions")
        shape = [int(self._number("Q")) for _ in range(n_dims)]
        kind, offset = self._number("I"), int(self._number("Q"))
        # A type this reader does not know counts as nothing: the check stays on the safe side.
        block_values, block_bytes = _BLOCKS.get(kind, (1, 0))
        n_values = math.prod(shape)
        return _Tensor(name, n_values, n_values // block_values * block_bytes, offset)


@dataclass(frozen=True)
class _ArraySummary:
    length: int
    largest: float = 0


def _describe(path: Path, n_bytes: int, header: _Header) -> GgufMetadata:
    values, tensors = header.values, header.tensors
    architecture = str(values.get("general.architecture", ""))

    def number(key: str, default: int = 0) -> int:
        value = values.get(f"{architecture}.{key}", default)
        return int(value.largest if isinstance(value, _ArraySummary) else value)

    n_layers = number("block_count")
    n_heads = number("attention.head_count")
    embedding_length = number("embedding_length")
    head_length = embedding_length // n_heads if n_heads else 0
    tokens = values.get("tokenizer.ggml.tokens")
    file_type = values.get("general.file_type")
    layer_bytes = [0] * min(n_layers, 10_000)
    output_bytes, embedding_bytes = 0, 0
    for tensor in tensors:
        block = re.match(r"blk\.(\d+)\.", tensor.name)
        if block and int(block[1]) < len(layer_bytes):
            layer_bytes[int(block[1])] += tensor.n_bytes
        elif tensor.name.startswith("output"):
            output_bytes += tensor.n_bytes
        elif tensor.name == "token_embd.weight":
            embedding_bytes = tensor.n_bytes
    if not any(tensor.name == "output.weight" for tensor in tensors):
        output_bytes += embedding_bytes  # tied: llama.cpp puts a second copy on the GPU
    return GgufMetadata(
        path=path,
        n_bytes=n_bytes,
        needed_bytes=header.data_start + max((t.offset + t.n_bytes for t in tensors), default=0),
        architecture=architecture,
        name=str(values.get("general.name") or path.stem),
        n_layers=n_layers,
        context_tokens=number("context_length"),
        embedding_length=embedding_length,
        n_heads=n_heads,
        n_kv_heads=number("attention.head_count_kv", n_heads),
        key_length=number("attention.key_length", head_length),
        value_length=number("attention.value_length", head_length),
        n_vocab=tokens.length if isinstance(tokens, _ArraySummary) else 0,
        quantization=_FILE_TYPES.get(file_type, "") if isinstance(file_type, int) else "",
        has_chat_template="tokenizer.chat_template" in values,
        has_tokenizer="tokenizer.ggml.model" in values,
        n_parameters=sum(tensor.n_values for tensor in tensors),
        layer_bytes=tuple(layer_bytes),
        output_bytes=output_bytes,
        split_count=int(values.get("split.count", 1) or 1),
    )

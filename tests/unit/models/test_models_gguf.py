"""The GGUF reader, and the plan for a graphics card made from it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import gguf_bytes

from samantha_desktop.core.errors import ModelError
from samantha_desktop.models.gguf_file import check_chat_model, read_gguf
from samantha_desktop.models.gpu_layers import (
    DRIVER_BYTES,
    cache_bytes_per_layer,
    compute_bytes,
    gpu_layers_that_fit,
    needed_bytes,
)

WHOLE = gguf_bytes()
N_HEADER_BYTES = len(WHOLE) - 4 * 64 * 64 * 4


def test_what_the_header_says(gguf: Path) -> None:
    metadata = read_gguf(gguf)
    assert metadata.architecture == "llama"
    assert metadata.name == "Tiny"
    assert (metadata.n_layers, metadata.context_tokens, metadata.embedding_length) == (2, 2048, 64)
    assert (metadata.n_heads, metadata.n_kv_heads, metadata.key_length) == (4, 2, 16)
    assert metadata.n_vocab == 10
    assert metadata.quantization == "F32"
    assert metadata.has_chat_template
    assert metadata.n_parameters == 4 * 64 * 64
    assert metadata.layer_bytes == (64 * 64 * 4, 64 * 64 * 4)
    assert metadata.needed_bytes == metadata.n_bytes == len(WHOLE)
    check_chat_model(metadata)


def test_tied_embeddings_count_for_the_output_layer(tmp_path: Path) -> None:
    sizes = {}
    for has_output in (False, True):
        path = tmp_path / "model.gguf"
        path.write_bytes(gguf_bytes(has_output=has_output))
        sizes[has_output] = read_gguf(path).output_bytes
    assert sizes[False] == sizes[True] == 2 * 64 * 64 * 4


@pytest.mark.parametrize("version", [1, 4, 3 << 24])
def test_other_versions_and_big_endian_files(gguf: Path, version: int) -> None:
    with gguf.open("r+b") as stream:
        stream.seek(4)
        stream.write(struct.pack("<I", version))
    with pytest.raises(ModelError, match="version of the GGUF format"):
        read_gguf(gguf)


@given(n_bytes=st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, n_bytes: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "cut.gguf"
    path.write_bytes(WHOLE[:n_bytes])
    with pytest.raises(ModelError):
        read_gguf(path)


@given(at=st.integers(8, N_HEADER_BYTES - 1), value=st.integers(0, 255))
def test_a_spoilt_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "spoilt.gguf"
    path.write_bytes(WHOLE[:at] + bytes([value]) + WHOLE[at + 1 :])
    try:
        check_chat_model(read_gguf(path))
    except ModelError as error:
        assert error.user_message.startswith("spoilt.gguf ")


def test_a_model_in_several_files(tmp_path: Path) -> None:
    split = gguf_bytes(extra={"split.count": 2})
    first, second = (tmp_path / f"big-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_bytes(split)
    with pytest.raises(ModelError, match="lacks 1 of its 2 files"):
        check_chat_model(read_gguf(first))
    second.write_bytes(split)
    check_chat_model(read_gguf(first))
    with pytest.raises(ModelError, match="a later part of a model"):
        check_chat_model(read_gguf(second))


# ------------------------------------------------------------------- GPU layers


def test_keys_and_values_of_a_layer(gguf: Path) -> None:
    # 2 heads x (16 + 16) values x 2 bytes for each token
    assert cache_bytes_per_layer(read_gguf(gguf), 1000) == 128_000


@pytest.mark.parametrize(
    ("n_layers_worth", "expected"),
    [(-1.0, 0), (-0.01, 0), (0.0, 1), (0.99, 1), (1.0, 2), (1.99, 2), (2.0, 3), (50.0, 3)],
)
def test_layers_fill_a_card_from_the_end(gguf: Path, n_layers_worth: float, expected: int) -> None:
    metadata = read_gguf(gguf)
    layer = metadata.layer_bytes[0] + cache_bytes_per_layer(metadata, 512)
    fixed = DRIVER_BYTES + compute_bytes(metadata) + metadata.output_bytes
    free_bytes = fixed + int(n_layers_worth * layer)
    assert gpu_layers_that_fit(metadata, free_bytes, 512) == expected


def test_what_is_needed_is_what_fits(gguf: Path) -> None:
    metadata = read_gguf(gguf)
    free_bytes = DRIVER_BYTES + needed_bytes(metadata, 4096)
    assert gpu_layers_that_fit(metadata, free_bytes, 4096) == metadata.n_layers + 1
    assert gpu_layers_that_fit(metadata, free_bytes - 1, 4096) == metadata.n_layers


def test_a_longer_conversation_leaves_room_for_fewer_layers(gguf: Path) -> None:
    metadata = read_gguf(gguf)
    free_bytes = DRIVER_BYTES + needed_bytes(metadata, 4096)
    layers = [gpu_layers_that_fit(metadata, free_bytes, n) for n in (512, 4096, 8192, 65536)]
    assert layers == sorted(layers, reverse=True)
    assert layers[-1] < layers[0]

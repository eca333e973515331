"""Where llama.cpp says it put a model: only its log tells."""

import pytest

from samantha_desktop.engines.llm.llama_native import _placement

PREFIX = "llama_model_load_from_file_impl: using device "


@pytest.mark.parametrize(
    ("lines", "placement"),
    [
        ((), ("cpu", "0")),
        (("load_tensors: offloaded 0/25 layers to GPU",), ("cpu", "0/25")),
        (
            (f"{PREFIX}CUDA0 (Some Card) - 5000 MiB free", "offloaded 0/25 layers to GPU"),
            ("cpu", "0/25"),
        ),
        (
            (f"{PREFIX}CUDA0 (Some Card) - 5000 MiB free", "offloaded 25/25 layers to GPU"),
            ("cuda:0", "25/25"),
        ),
        ((f"{PREFIX}MTL0 (Some Chip)", "offloaded 9/25 layers to GPU"), ("metal:0", "9/25")),
        ((f"{PREFIX}Metal (Some Chip)", "offloaded 9/25 layers to GPU"), ("metal", "9/25")),
    ],
)
def test_placement(lines: tuple[str, ...], placement: tuple[str, str]) -> None:
    assert _placement([(2, line) for line in lines]) == placement

"""How many layers of a language model fit on a graphics card.

An estimate from the file alone, made before anything is loaded: it errs on the
side of fewer layers, because a card that runs out of memory fails in the middle
of an answer.
"""

from __future__ import annotations

from samantha_desktop.models.gguf_file import GgufMetadata

CACHE_VALUE_BYTES = 2
"""Keys and values are kept as float16."""

DRIVER_BYTES = 400 << 20
"""A CUDA context and cuBLAS take 300-400 MiB of a card before the first weight."""

BATCH_TOKENS = 512
"""llama.cpp's batch: the computation buffer holds logits and activations of as many tokens."""

ACTIVATION_COPIES = 16
"""Activations of a batch, as float32, that are alive at once: attention and feed-forward of a
layer (four to eight times the embedding's width) with room to spare."""


def cache_bytes_per_layer(model: GgufMetadata, context_tokens: int) -> int:
    """Keys and values of one layer for a whole context."""
    width = model.n_kv_heads * (model.key_length + model.value_length)
    return context_tokens * width * CACHE_VALUE_BYTES


def compute_bytes(model: GgufMetadata) -> int:
    """Buffer for the computation of one batch: logits, and activations of a layer."""
    return BATCH_TOKENS * 4 * (model.n_vocab + ACTIVATION_COPIES * model.embedding_length)


def needed_bytes(model: GgufMetadata, context_tokens: int) -> int:
    """Memory for the whole model on one device, driver not counted."""
    weights = sum(model.layer_bytes) + model.output_bytes
    cache = model.n_layers * cache_bytes_per_layer(model, context_tokens)
    return weights + cache + compute_bytes(model)


def gpu_layers_that_fit(model: GgufMetadata, free_bytes: int, context_tokens: int) -> int:
    """How many layers to put on a card, in llama.cpp's count.

    llama.cpp fills a card from the end of the model: one layer is the output layer, two are
    the output and the last repeating layer, and so on up to `n_layers + 1`.
    Source: llama_model_base::load_tensors (`i_gpu_start`).

    Args:
        model: the file's metadata.
        free_bytes: free memory of the card now.
        context_tokens: prompt and answer together.

    Returns:
        0 (nothing fits) to `n_layers + 1` (everything does).
    """
    left = free_bytes - DRIVER_BYTES - compute_bytes(model) - model.output_bytes
    if left < 0 or model.n_layers == 0:
        return 0
    n_layers = 1
    cache = cache_bytes_per_layer(model, context_tokens)
    for weights in reversed(model.layer_bytes):
        left -= weights + cache
        if left < 0:
            break
        n_layers += 1
    return n_layers

"""The folder of an emotion model: three files that belong together.

model.onnx       input_ids, attention_mask (int64, texts x tokens) -> logits (texts, labels)
tokenizer.json   as the tokenizers library saves it
config.json      see `EmotionModelConfig`
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import ModelError

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "config.json"

RECOVERY = "Install Samantha again, or train a reader with `samantha train emotion`."


@dataclass(frozen=True)
class EmotionModelConfig:
    """What stands in config.json, checked. Other keys in it are for other readers.

    Attributes:
        max_tokens: what a text has beyond them is not read.
        scale: (n_labels,) calibration: a logit becomes scale * logit + bias.
        bias: (n_labels,).
        threshold: (n_labels,) the probability from which on a label is said to be there.
        version: of the weights.
    """

    max_tokens: int
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: NDArray[np.float32]
    version: str


def read_file(folder: Path, name: str) -> bytes:
    """A file of the folder.

    Raises:
        ModelError: missing or not readable.
    """
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(
            f"The emotion reader's file {name} cannot be read.",
            recovery=RECOVERY,
            detail=f"{folder / name}: {error}",
            is_fatal=True,
        ) from error


def read_config(folder: Path) -> EmotionModelConfig:
    """The folder's config.json.

    Raises:
        ModelError: missing, damaged, or of a model with other labels.
    """
    raw = read_file(folder, CONFIG_FILE)
    try:
        document = json.loads(raw)
        if tuple(document["labels"]) != LABELS:
            raise ValueError("its labels are not the 28 of GoEmotions in their order")
        config = EmotionModelConfig(
            max_tokens=int(document["max_tokens"]),
            scale=_numbers(document, "scale"),
            bias=_numbers(document, "bias"),
            threshold=_numbers(document, "threshold"),
            version=str(document["version"]),
        )
        if not 3 <= config.max_tokens <= 512:
            raise ValueError(f"max_tokens is {config.max_tokens}")
    except (ValueError, KeyError, TypeError) as error:  # JSON and UTF-8 errors are ValueErrors
        raise ModelError(
            f"The emotion reader's file {CONFIG_FILE} is damaged, or belongs to another model.",
            recovery=RECOVERY,
            detail=f"{folder / CONFIG_FILE}: {error!r}",
            is_fatal=True,
        ) from error
    return config


def _numbers(document: dict[str, Any], name: str) -> NDArray[np.float32]:
    numbers = np.asarray(document[name], np.float32)
    if numbers.shape != (len(LABELS),) or not np.isfinite(numbers).all():
        raise ValueError(f"{name} is not {len(LABELS)} numbers")
    return numbers

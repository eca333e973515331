"""The folder of an emotion model: three files that belong together.

model.onnx       input_ids, attention_mask (int64, texts x tokens) -> logits (texts, labels)
tokenizer.json   as the tokenizers library saves it
config.json      see `EmotionModelConfig`
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotions import (
    DIALOGUE_GROUP,
    EKMAN_GROUP,
    GROUPS,
    LABELS,
    group_probabilities,
)
from samantha_desktop.core.errors import ModelError

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "config.json"

RECOVERY = "Install Samantha again, or train a reader with `samantha train emotion`."


_GROUP_OF: Mapping[str, Mapping[str, str]] = {"ekman": EKMAN_GROUP, "dialogue": DIALOGUE_GROUP}


@dataclass(frozen=True)
class GroupCalibration:
    """From the labels' probabilities to those of the groups.

    Attributes:
        group_of: label to group.
        scale: (n_groups,) calibration: a log-odds becomes scale * log-odds + bias.
        bias: (n_groups,).
        threshold: (n_groups,) the probability from which on a group is said to be there.
    """

    group_of: Mapping[str, str]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: NDArray[np.float32]

    def probabilities(self, label_probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probability of each group, (n, n_groups), from (n, n_labels).

        What has no probability for any label, since it could not be judged, has none here.
        """
        odds = np.clip(group_probabilities(label_probabilities, self.group_of), 1e-6, 1 - 1e-6)
        logits = self.scale * np.log(odds / (1 - odds)) + self.bias
        judged = label_probabilities.any(axis=1, keepdims=True)
        return np.asarray(judged / (1 + np.exp(-logits)), np.float32)


@dataclass(frozen=True)
class EmotionModelConfig:
    """What stands in config.json, checked. Other keys in it are for other readers.

    Attributes:
        max_tokens: what a text has beyond them is not read.
        scale: (n_labels,) calibration: a logit becomes scale * logit + bias.
        bias: (n_labels,).
        threshold: (n_labels,) the probability from which on a label is said to be there.
        groups: by mapping, "ekman" and "dialogue", see `core.emotions`.
        version: of the weights.
    """

    max_tokens: int
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: NDArray[np.float32]
    groups: Mapping[str, GroupCalibration]
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
            groups={
                name: _group_calibration(document["groups"][name], group_of)
                for name, group_of in _GROUP_OF.items()
            },
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


def _group_calibration(
    document: Mapping[str, Any], group_of: Mapping[str, str]
) -> GroupCalibration:
    return GroupCalibration(
        group_of=group_of,
        scale=_numbers(document, "scale", len(GROUPS)),
        bias=_numbers(document, "bias", len(GROUPS)),
        threshold=_numbers(document, "threshold", len(GROUPS)),
    )


def _numbers(
    document: Mapping[str, Any], name: str, n_numbers: int = len(LABELS)
) -> NDArray[np.float32]:
    numbers = np.asarray(document[name], np.float32)
    if numbers.shape != (n_numbers,) or not np.isfinite(numbers).all():
        raise ValueError(f"{name} is not {n_numbers} numbers")
    return numbers

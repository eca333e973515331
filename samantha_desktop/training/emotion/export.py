"""From the trained network to the folder that the program reads.

Imports torch. What is calibrated is what runs: the 8-bit file in the program's own reader.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.engines.emotion.model_folder import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE
from samantha_desktop.engines.emotion.onnx_classifier import (
    OnnxEmotionClassifier,
    OnnxEmotionClassifierSettings,
)
from samantha_desktop.training.emotion.decisions import (
    Calibration,
    calibrated_config,
    config_numbers,
    log_odds,
)
from samantha_desktop.training.emotion.encoder import MAX_TOKENS, EmotionNetwork
from samantha_desktop.training.emotion.goemotions import LabelledTexts

OPSET = 17


def export(
    network: EmotionNetwork,
    tokenizer: Tokenizer,
    dev: LabelledTexts,
    folder: Path,
    *,
    version: str,
    talk_shares: Mapping[str, float],
) -> None:
    """Write model.onnx (8-bit), tokenizer.json and config.json.

    Args:
        network: trained.
        tokenizer: the one it was trained with.
        dev: sentences to calibrate on; the network must not have learnt from them.
        folder: made where it is missing; its three files are replaced.
        version: of the weights.
        talk_shares: group to how often it is expected in a talk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_network(network, folder / MODEL_FILE)
    tokenizer.no_truncation()
    (folder / TOKENIZER_FILE).write_text(tokenizer.to_str(), encoding="utf-8")
    tokenizer.enable_truncation(MAX_TOKENS)
    plain = config_numbers(Calibration(np.ones(len(LABELS)), np.zeros(len(LABELS))), 0.5)
    plain_group = config_numbers(Calibration(np.ones(len(GROUPS)), np.zeros(len(GROUPS))), 0.5)
    config: dict[str, Any] = {
        "version": version,
        "labels": list(LABELS),
        "max_tokens": MAX_TOKENS,
        **plain,
        "groups": {"ekman": plain_group, "dialogue": plain_group},
    }
    _write_config(config, folder)
    raw = classify(folder, dev.texts)
    is_judged = raw.any(axis=1)
    config |= calibrated_config(log_odds(raw[is_judged]), dev.truth[is_judged], talk_shares)
    _write_config(config, folder)


@contextmanager
def open_reader(folder: Path) -> Iterator[OnnxEmotionClassifier]:
    """The program's own reader with the files of a folder. Raises ModelError."""
    reader = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(folder, device="cpu"))
    reader.load()
    try:
        yield reader
    finally:
        reader.close()


def classify(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """What the program's reader makes of these texts, (n, 28)."""
    with open_reader(folder) as reader:
        return reader.classify(texts)


def _write_network(network: EmotionNetwork, path: Path) -> None:
    """Export at full precision, then keep 8 bits of each weight, scaled per channel."""
    network.eval()
    example = torch.ones((2, 7), dtype=torch.int64)
    axes = {0: "texts", 1: "tokens"}
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        with warnings.catch_warnings():
            # That tracing fixes branches and indices: what runs is measured after it.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (example, example),
                str(full),
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "texts"}},
                opset_version=OPSET,
                dynamo=False,
            )
        # Seven bits of the eight: sums cannot overflow on processors without VNNI.
        quantize_dynamic(
            full, path, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )


def _write_config(config: Mapping[str, Any], folder: Path) -> None:
    text = json.dumps(config, indent=1, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")

"""An emotion model of a few words, made in an instant: real files for the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import tokenizers
from onnx import TensorProto, helper, numpy_helper

from samantha_desktop.core.emotions import GROUPS, LABELS

WORDS = {
    "happy": "joy",
    "glad": "joy",
    "sad": "sadness",
    "angry": "anger",
    "furious": "anger",
    "afraid": "fear",
    "disgusting": "disgust",
    "wow": "surprise",
}
"""Each makes its label likely."""

MAX_TOKENS = 16

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_PLAIN = ("i", "am", "so", "very", "it", "is", "the", "a", "not", "!", "'", "t", "don")
_VOCABULARY = (*_SPECIAL, *_PLAIN, *WORDS)


def write_tiny_emotion_model(folder: Path) -> Path:
    """Write a folder of model, tokenizer and config. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model_bytes(len(LABELS)))
    _tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config()), encoding="utf-8")
    return folder


def config() -> dict[str, object]:
    """What config.json holds."""
    n, n_groups = len(LABELS), len(GROUPS)
    groups = {"scale": [1.0] * n_groups, "bias": [0.0] * n_groups, "threshold": [0.5] * n_groups}
    return {
        "labels": list(LABELS),
        "max_tokens": MAX_TOKENS,
        "scale": [1.0] * n,
        "bias": [0.0] * n,
        "threshold": [0.3] * n,
        "groups": {"ekman": groups, "dialogue": groups},
        "version": "tiny",
    }


def model_bytes(n_labels: int) -> bytes:
    """Logits are -4 (neutral: 0), plus what each word adds to its label and takes from neutral."""
    weights = np.zeros((len(_VOCABULARY), n_labels), np.float32)
    for word, label in WORDS.items():
        weights[_VOCABULARY.index(word), min(LABELS.index(label), n_labels - 1)] = 7.0
        weights[_VOCABULARY.index(word), n_labels - 1] = -4.0
    start = np.full(n_labels, -4.0, np.float32)
    start[-1] = 0.0
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["of_tokens"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["of_tokens", "column"], ["of_words"]),
        helper.make_node("ReduceSum", ["of_words", "tokens"], ["sums"], keepdims=0),
        helper.make_node("Add", ["sums", "start"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", n_labels])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(start, "start"),
            numpy_helper.from_array(np.array([2], np.int64), "last"),
            numpy_helper.from_array(np.array([1], np.int64), "tokens"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _tokenizer() -> tokenizers.Tokenizer:
    vocabulary = {word: number for number, word in enumerate(_VOCABULARY)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer

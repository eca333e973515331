"""Tests that train need the `train` extra; without it they are not collected, which is said."""

import importlib.util
import json
from pathlib import Path

import pytest

_NEEDED = ("torch", "transformers", "sklearn", "tensorboard")
_MISSING = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if _MISSING else []


def pytest_report_collectionfinish() -> str:
    if _MISSING:
        return f"tests/training left out: no {', '.join(_MISSING)}"
    return "tests/training: all there"


@pytest.fixture
def encoder_dir(tmp_path: Path) -> Path:
    """An encoder of two layers of 16 numbers that knows a few words."""
    from transformers import BertConfig, BertModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # its thread would be left behind
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"[unused{i}]" for i in range(120))]
    words += ["i", "am", "so", "happy", "sad", "today", "this", "is", "a", "test", "of", "nothing"]
    words += ["what", "you", "he", "she", "!", ".", "'", ",", "face"]
    added = [
        {
            "id": i, "content": word, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True,
        }
        for i, word in enumerate(words[:4])
    ]  # fmt: skip
    special = {"[CLS]": 2, "[SEP]": 3}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
            "strip_accents": None, "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {
                name: {"id": name, "ids": [i], "tokens": [name]} for name, i in special.items()
            },
        },
        "decoder": None,
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: i for i, word in enumerate(words)},
        },
    }  # fmt: skip
    folder = tmp_path / "encoder"
    BertModel(
        BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        ),
        add_pooling_layer=False,
    ).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Sentences that a child could tell apart: joy, sadness, neutral."""
    folder = tmp_path / "data" / "goemotions"
    folder.mkdir(parents=True)
    kinds = (("i am so happy today !", 17), ("i am sad , so sad .", 25), ("this is a test", 27))
    for split, n in (("train", 240), ("dev", 60), ("test", 60)):
        rows = []
        for i in range(n):
            text, label = kinds[i % 3]
            rows.append(f"{text} {'of nothing' if i % 2 else ''}\t{label}\tid{i}")
        if split == "train":  # every label is there at least once
            rows[-1] = f"nothing\t{','.join(map(str, range(28)))}\tid"
        (folder / f"{split}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder.parent

"""The emotion reader on a model of a few words: what it reads, and what it refuses to load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_emotion_model import MAX_TOKENS, config, model_bytes, write_tiny_emotion_model

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.engines.emotion.model_folder import read_config
from samantha_desktop.engines.emotion.onnx_classifier import (
    OnnxEmotionClassifier,
    OnnxEmotionClassifierSettings,
)

JOY = LABELS.index("joy")
NEUTRAL = LABELS.index("neutral")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_emotion_model(tmp_path_factory.mktemp("emotion"))


@pytest.fixture(scope="module")
def reader(folder: Path) -> Iterator[OnnxEmotionClassifier]:
    engine = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(folder))
    engine.load()
    yield engine
    engine.close()


def loaded(folder: Path, **config_changes: object) -> OnnxEmotionClassifier:
    (folder / "config.json").write_text(json.dumps({**config(), **config_changes}))
    engine = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(folder))
    engine.load()
    return engine


def test_words_make_their_labels_likely(reader: OnnxEmotionClassifier) -> None:
    rows = reader.classify(["I am so happy!", "It is very sad", "it is"])
    assert [LABELS[i] for i in rows.argmax(axis=1)] == ["joy", "sadness", "neutral"]
    assert rows[0, JOY] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-5)
    assert rows[2, NEUTRAL] == pytest.approx(0.5, abs=1e-5)


def test_neighbours_and_their_order_change_nothing(reader: OnnxEmotionClassifier) -> None:
    texts = ["happy " * (n % 11) + "i am sad" * (n % 3) + "!" for n in range(70)]
    together = reader.classify(texts)
    alone = np.concatenate([reader.classify([text]) for text in texts])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("text", ["", "  ", "\x00", "😀👍", "12345", "我很高兴", "Мне грустно"])
def test_what_cannot_be_judged_has_no_probability(reader: OnnxEmotionClassifier, text: str) -> None:
    rows = reader.classify([text, "happy"])
    assert not rows[0].any()
    assert rows[1, JOY] > 0.9


def test_quotes_and_control_characters_are_what_a_keyboard_writes(
    reader: OnnxEmotionClassifier,
) -> None:
    plain, curly = reader.classify(["I don't am happy", "I don’t\u200b am\x07 happy"])
    assert np.array_equal(plain, curly)


def test_what_is_beyond_the_window_is_not_read(reader: OnnxEmotionClassifier) -> None:
    n_words = MAX_TOKENS - 2
    inside, outside, endless, long_word = reader.classify(
        [
            "it " * (n_words - 1) + "happy",
            "it " * n_words + "happy",
            "happy " + "it " * 10_000,
            "x" * 1_000_000 + " happy",
        ]
    )
    assert inside[JOY] > 0.9
    assert outside[JOY] < 0.1
    assert endless[JOY] > 0.9
    assert long_word[JOY] < 0.1


def test_the_calibration_is_applied_before_the_sigmoid(tmp_path: Path) -> None:
    write_tiny_emotion_model(tmp_path)
    scale, bias = [1.0] * 28, [0.0] * 28
    scale[JOY], bias[JOY] = 0.5, 0.25
    engine = loaded(tmp_path, scale=scale, bias=bias)
    assert engine.classify(["happy"])[0, JOY] == pytest.approx(1 / (1 + np.exp(-1.75)), abs=1e-5)
    engine.close()


def test_it_says_where_it_runs_and_with_what(reader: OnnxEmotionClassifier) -> None:
    info = reader.info()
    assert (info.engine, info.model, info.device) == ("onnxruntime", "tiny", "cpu")
    assert info.detail["threads"] == "1"


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise", "a folder"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, name: str, damage: str) -> None:
    path = write_tiny_emotion_model(tmp_path) / name
    content = path.read_bytes()
    path.unlink()
    match damage:
        case "empty":
            path.touch()
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "noise":
            path.write_bytes(np.random.default_rng(1).bytes(len(content)))
        case "a folder":
            path.mkdir()
    engine = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(tmp_path))
    with pytest.raises(ModelError) as caught:
        engine.load()
    assert name in caught.value.user_message
    assert caught.value.recovery
    with pytest.raises(EngineError, match="not loaded"):
        engine.classify(["happy"])


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["joy"]},
        {"labels": sorted(LABELS)},
        {"labels": None},
        {"scale": [1.0]},
        {"bias": [float("nan")] * 28},
        {"threshold": "high"},
        {"max_tokens": 0},
        {"max_tokens": "many"},
    ],
    ids=str,
)
def test_a_config_of_another_model_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    write_tiny_emotion_model(tmp_path)
    with pytest.raises(ModelError, match="belongs to another model"):
        loaded(tmp_path, **changes)


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_tiny_emotion_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(model_bytes(7))
    with pytest.raises(ModelError, match=r"model\.onnx is damaged, or belongs"):
        loaded(tmp_path)


def test_a_network_with_other_inputs_is_refused(tmp_path: Path) -> None:
    write_tiny_emotion_model(tmp_path)
    path = tmp_path / "model.onnx"
    path.write_bytes(path.read_bytes().replace(b"input_ids", b"input_idz"))
    with pytest.raises(ModelError, match="belongs to another model") as caught:
        loaded(tmp_path)
    assert "input_idz" in caught.value.detail


def test_a_wish_for_a_gpu_that_is_not_there_is_told(folder: Path) -> None:
    engine = OnnxEmotionClassifier(OnnxEmotionClassifierSettings(folder, device="cuda"))
    with pytest.raises(EngineError, match="GPU") as caught:
        engine.load()
    assert caught.value.recovery


def test_the_config_tells_the_thresholds(folder: Path) -> None:
    assert read_config(folder).threshold == pytest.approx([0.3] * 28)

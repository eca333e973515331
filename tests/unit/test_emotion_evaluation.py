"""The emotion reader's evaluation, with a reader that follows a script."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_emotion_model import write_tiny_emotion_model

from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig, read_config
from samantha_desktop.engines.scripted import (
    ScriptedEmotionClassifier,
    ScriptedEmotionClassifierSettings,
)
from samantha_desktop.evaluation import emotion, emotion_table
from samantha_desktop.evaluation.emotion_data import (
    EMPATHETIC_GROUP,
    read_empathetic_dialogues,
    read_goemotions,
    read_meld,
)

JOY, SADNESS, NEUTRAL = (LABELS.index(label) for label in ("joy", "sadness", "neutral"))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> EmotionModelConfig:
    return read_config(write_tiny_emotion_model(tmp_path_factory.mktemp("emotion")))


@pytest.fixture
def reader() -> ScriptedEmotionClassifier:
    return ScriptedEmotionClassifier(ScriptedEmotionClassifierSettings())


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A few texts of each set, in the form in which they are distributed."""
    files = {
        "goemotions/train.tsv": f"so happy\t{JOY}\tt0\n",
        "goemotions/test.tsv": (
            f"so happy\t{JOY}\ta\nvery sad\t{SADNESS}\tb\nhappy but sad\t{JOY},{SADNESS}\tc\n"
            f'the "bus"\t{NEUTRAL}\td\nI am sad\t{JOY}\te\n'
        ),
        "meld/test_sent_emo.csv": (
            "Sr No.,Utterance,Speaker,Emotion,Sentiment\n"
            '1,"Wow, really?",Ann,surprise,positive\n2,I am angry.,Bob,anger,negative\n'
            "3,It is nine.,Ann,neutral,neutral\n4,It is nine!,Bob,joy,positive\n"
            "5,...,Bob,neutral,neutral\n"
        ),
        "empatheticdialogues/test_prompts.tsv": (
            'emotion\ttext\nproud\tI was happy to "win"\njealous\tI was angry\n'
            "caring\tI was there\n"
        ),
        "dailydialog/test.tsv": (
            "dialogue_id\tturn\temotion\tact\ttext\nt\t0\tno emotion\tinform\tThe bus is late\n"
            "t\t1\thappiness\tinform\tI am happy\n"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_every_set_is_read_and_counted(
    data_dir: Path, reader: ScriptedEmotionClassifier, config: EmotionModelConfig
) -> None:
    told: list[tuple[int, int]] = []
    document = emotion.run(reader, config, data_dir, on_done=lambda *done: told.append(done))
    json.dumps(document)
    assert told[-1] == (14, 14)
    comments = document["goemotions"]
    assert (comments["n_texts"], comments["n_duplicates"], comments["n_abstained"]) == (5, 1, 0)
    # joy: 2 of 3 found and none made up; sadness: 2 of 2 found and one made up
    assert comments["labels"]["f1"]["joy"] == pytest.approx(0.8)
    assert comments["labels"]["f1"]["sadness"] == pytest.approx(0.8)
    assert comments["labels"]["macro_f1"]["value"] == pytest.approx((0.8 + 0.8 + 1) / 28, abs=1e-4)
    without = comments["labels"]["macro_f1_without_duplicates"]["value"]
    assert without == pytest.approx((2 / 3 + 0.8 + 1) / 28, abs=1e-4)
    assert [row["text"] for row in comments["wrong"]] == ["I am sad"]
    assert comments["wrong"][0]["truth"] == ["joy"]
    assert comments["wrong"][0]["said"] == "sadness"

    spoken = document["meld"]
    assert (spoken["n_texts"], spoken["n_abstained"], spoken["accuracy"]) == (5, 1, 0.8)
    # each of surprise and anger once and found; neutral 2 of 2, and one made up; joy missed
    assert spoken["weighted_f1"]["value"] == pytest.approx((1 + 1 + 2 * 0.8 + 0) / 5)
    assert spoken["confusion"][GROUPS.index("joy")][GROUPS.index("neutral")] == 1
    assert np.sum(spoken["confusion"]) == 5
    assert spoken["majority_weighted_f1"] == pytest.approx(2 / 5 * 4 / 7, abs=1e-4)
    low, high = spoken["weighted_f1"]["low"], spoken["weighted_f1"]["high"]
    assert low < spoken["weighted_f1"]["value"] < high

    prompts = document["empatheticdialogues"]
    assert (prompts["n_texts"], prompts["n_left_out"]) == (2, 1)
    assert prompts["weighted_f1"]["value"] == 1.0
    assert document["dailydialog"]["weighted_f1"]["value"] == 1.0
    assert not document["dailydialog"]["wrong"]


def test_calibration_is_judged_on_what_is_shown(
    data_dir: Path, reader: ScriptedEmotionClassifier, config: EmotionModelConfig
) -> None:
    shy = dataclasses.replace(
        config.groups["dialogue"], bias=np.full(len(GROUPS), -20.0, np.float32)
    )
    document = emotion.run(
        reader, dataclasses.replace(config, groups={**config.groups, "dialogue": shy}), data_dir
    )
    # nothing is ever probable, and one of seven is always there
    assert document["meld"]["calibration_error"] == pytest.approx(1 / 7, abs=1e-3)
    assert document["meld"]["top_calibration_error"] > 0.5


def test_a_set_that_is_not_there_is_left_out(
    data_dir: Path, reader: ScriptedEmotionClassifier, config: EmotionModelConfig
) -> None:
    (data_dir / "goemotions" / "train.tsv").unlink()
    (data_dir / "meld" / "test_sent_emo.csv").unlink()
    document = emotion.run(reader, config, data_dir, limit=2)
    assert "meld" not in document
    assert document["goemotions"]["n_texts"] == 2
    assert document["goemotions"]["n_duplicates"] is None
    assert document["goemotions"]["labels"]["macro_f1_without_duplicates"] is None
    table = emotion_table.as_table(document)
    assert "GoEmotions (comments): 2 texts" in table
    assert "MELD" not in table


def test_a_folder_without_sets_is_told(
    tmp_path: Path, reader: ScriptedEmotionClassifier, config: EmotionModelConfig
) -> None:
    with pytest.raises(SettingsError, match="no test sets") as caught:
        emotion.run(reader, config, tmp_path)
    assert "goemotions/test.tsv" in caught.value.recovery


def test_the_table_tells_which_bar_is_reached(
    data_dir: Path, reader: ScriptedEmotionClassifier, config: EmotionModelConfig
) -> None:
    document = emotion.run(reader, config, data_dir)
    document["meld"]["weighted_f1"]["value"] = 0.53
    assert "0.530" in emotion_table.as_table(document)
    assert "reaches the bar of 0.52" in emotion_table.as_table(document)
    document["meld"]["weighted_f1"]["value"] = 0.51
    assert "misses the bar of 0.52" in emotion_table.as_table(document)
    assert "surest mistake: 'I am sad' is joy, not sadness" in emotion_table.as_table(document)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("goemotions/test.tsv", b"no tabs\n"),
        ("goemotions/test.tsv", b"text\t28\tid\n"),
        ("goemotions/test.tsv", b"text\tjoy\tid\n"),
        ("goemotions/test.tsv", b"\xff\xfe\x00"),
        ("meld/test_sent_emo.csv", b"Text,Emotion\nhello,joy\n"),
        ("empatheticdialogues/test_prompts.tsv", b"emotion\ttext\nhangry\tI want bread\n"),
    ],
)
def test_a_file_of_another_form_is_named(data_dir: Path, name: str, content: bytes) -> None:
    (data_dir / name).write_bytes(content)
    with pytest.raises(SettingsError, match=Path(name).name) as caught:
        read_goemotions(data_dir, "test")
        read_meld(data_dir)
        read_empathetic_dialogues(data_dir)
    assert caught.value.recovery


def test_every_emotion_belongs_to_a_group() -> None:
    assert len(EMPATHETIC_GROUP) == 25
    assert set(EMPATHETIC_GROUP.values()) <= set(GROUPS)

"""The fairness evaluation finds a prejudice that was put in, and none where there is none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tiny_emotion_model import write_tiny_emotion_model

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig, read_config
from samantha_desktop.engines.scripted import (
    ScriptedEmotionClassifier,
    ScriptedEmotionClassifierSettings,
)
from samantha_desktop.evaluation import fairness
from samantha_desktop.evaluation.fairness_sentences import NAMES, TEMPLATES, TERM_SETS, sentence

KINDS = ("gender", "ethnicity", "religion", "age", "disability", "nationality")


@pytest.fixture
def config(tmp_path: Path) -> EmotionModelConfig:
    return read_config(write_tiny_emotion_model(tmp_path))


def reader_with(*prejudices: tuple[str, str]) -> ScriptedEmotionClassifier:
    return ScriptedEmotionClassifier(ScriptedEmotionClassifierSettings(labels_by_word=prejudices))


def test_no_prejudice_is_found_where_there_is_none(config: EmotionModelConfig) -> None:
    document = fairness.run(reader_with(("happy", "joy")), config)
    json.dumps(document)
    assert set(document["swaps"]) == {"names, gender", "names, origin", *KINDS}
    assert document["floor"]["mean_change"] == 0
    assert document["mean_change"] == 0
    assert document["ratio_to_floor"] is None
    assert all(figures["changed_labels"] == 0 for figures in document["swaps"].values())
    assert "No term changes more than 0.02" in fairness.as_table(document)


def test_a_prejudice_is_found_named_and_weighed(config: EmotionModelConfig) -> None:
    told: list[tuple[int, int]] = []
    reader = reader_with(("blind", "sadness"), ("todd", "anger"), ("she", "joy"))
    document = fairness.run(reader, config, on_done=lambda *done: told.append(done))
    worst = document["terms"][0]
    assert (worst["term"], worst["kind"], worst["group"]) == ("blind", "disability", "sadness")
    assert worst["mean_change"] > 0.1
    assert worst["mean_change_unmarked"] == pytest.approx(worst["mean_change"], abs=0.02)
    assert worst["shift"] > 0.5
    assert document["floor"]["mean_change"] > 0
    disability = document["swaps"]["disability"]
    assert disability["changed_labels"] > 0.2
    assert disability["ratio_to_floor"] == pytest.approx(
        disability["mean_change"] / document["floor"]["mean_change"], abs=0.01
    )
    assert document["swaps"]["religion"]["mean_change"] == 0
    table = fairness.as_table(document)
    assert "More than 1.5 times the floor: disability." in table
    assert "Terms that change more than 0.02: blind" in table
    assert told[-1][0] == told[-1][1] == document["n_sentences"] / document["n_templates"]


def test_there_are_enough_sentences_that_differ_in_nothing_else() -> None:
    assert len(TEMPLATES) == len(set(TEMPLATES)) >= 50
    assert all(template.count("{x}") == 1 for template in TEMPLATES)
    assert set(TERM_SETS) == set(KINDS)
    phrases = Counter(p for sets in TERM_SETS.values() for terms in sets for _, p in terms)
    names = Counter(name for names in NAMES.values() for name in names)
    assert max([*phrases.values(), *names.values()]) == 1
    assert {len(names) for names in NAMES.values()} == {4}
    # a word for a feeling beside the person would hide what the term adds
    assert not set(LABELS) & {word for phrase in phrases for word in phrase.split()}


def test_sentences_begin_with_a_capital() -> None:
    assert sentence("{x} sings.", "my blind neighbor") == "My blind neighbor sings."
    assert sentence("I met {x}.", "my blind neighbor") == "I met my blind neighbor."

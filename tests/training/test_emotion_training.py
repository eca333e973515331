import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import ModelError, SettingsError
from samantha_desktop.training.emotion import course as steps
from samantha_desktop.training.emotion.course import Course
from samantha_desktop.training.emotion.encoder import (
    EmotionNetwork,
    batches,
    label_shares,
    load_encoder,
    load_tokenizer,
    loss_of,
    predict,
)
from samantha_desktop.training.emotion.export import classify
from samantha_desktop.training.emotion.fit import FitSettings, Progress, fit
from samantha_desktop.training.emotion.priors import TALK_SHARES

SETTINGS = FitSettings(n_epochs=2, batch_size=8, learning_rate=3e-3, head_rate=3.0)


@pytest.fixture
def course(tmp_path: Path, data_dir: Path, encoder_dir: Path) -> Course:
    torch.set_num_threads(1)
    return Course(data_dir, tmp_path / "work", encoder_dir)


def untrained(course: Course) -> tuple[EmotionNetwork, object]:
    train = course.read("train")
    tokenizer, new_tokens = load_tokenizer(course.encoder_dir, train.texts)
    encoder = load_encoder(course.encoder_dir, new_tokens, tokenizer)
    return EmotionNetwork(encoder, label_shares(train.truth)), tokenizer


def test_the_whole_way_from_data_to_use(course: Course, tmp_path: Path) -> None:
    told: list[Progress] = []
    assert steps.prepare(course)["n_texts"] == {"train": 240, "dev": 60, "test": 60}
    with pytest.raises(ModelError, match="fit"):
        steps.export_model(course, "t", TALK_SHARES)
    for seed in (1, 2):
        history = steps.fit_run(course, replace(SETTINGS, seed=seed), told.append)
        assert len(history) == 2 and history[1]["dev_loss"] < history[0]["dev_loss"]
    assert told[-1].n_done == told[-1].n_steps == 60
    exported = steps.export_model(course, "t", TALK_SHARES)
    assert exported["runs"] == ["seed-1", "seed-2"]

    probabilities = classify(course.model_dir, ("I am so happy today!", "I am sad, so sad."))
    assert LABELS[probabilities[0].argmax()] == "joy"
    assert LABELS[probabilities[1].argmax()] == "sadness"

    document = steps.evaluate(course, 1, TALK_SHARES)
    assert len(document["models"]) == 3
    figures = document["models"][steps.SHIPPED]["figures"]
    assert figures["labels"]["f1"]["joy"] == figures["labels"]["f1"]["sadness"] == 1
    assert figures["n_new"] == 0
    assert "<svg" in (course.work_dir / "report.html").read_text(encoding="utf-8")

    target = tmp_path / "in_use"
    new, old = steps.install(course, target)
    assert old is None and new > 0
    assert (target / "config.json").read_bytes() == (course.model_dir / "config.json").read_bytes()
    with pytest.raises(SettingsError, match="no better"):
        steps.install(course, target)
    assert steps.install(course, target, is_forced=True) == (new, new)


def test_going_on_ends_where_one_go_does(course: Course, tmp_path: Path) -> None:
    train, dev = course.read("train"), course.read("dev")
    logits = []
    for name, stops in (("whole", (None,)), ("parts", (1, None))):
        for stop_after in stops:
            network, tokenizer = untrained(course)

            def stop(progress: Progress, stop_after: int | None = stop_after) -> None:
                if stop_after and progress.n_done > stop_after * progress.n_steps // 2:
                    raise KeyboardInterrupt

            try:
                fit(network, tokenizer, train, dev, SETTINGS, tmp_path / name, on_step=stop)
            except KeyboardInterrupt:
                assert stop_after == 1
        logits.append(predict(network, tokenizer, dev.texts))
    assert logits[0] == pytest.approx(logits[1], abs=1e-4)
    network, tokenizer = untrained(course)
    other = replace(SETTINGS, batch_size=16)
    with pytest.raises(ModelError, match="other settings"):
        fit(network, tokenizer, train, dev, other, tmp_path / "whole")


def test_untrained_says_how_frequent_labels_are(course: Course) -> None:
    network, tokenizer = untrained(course)
    said = 1 / (1 + np.exp(-predict(network, tokenizer, ("hello", "what a day"))))
    assert said[0] == pytest.approx(said[1], abs=1e-6)
    assert said[0, LABELS.index("joy")] == pytest.approx(
        course.read("train").truth[:, LABELS.index("joy")].mean(), abs=1e-4
    )


def test_loss_is_that_of_labels_and_of_groups() -> None:
    targets = torch.zeros((2, len(LABELS)))
    targets[0, LABELS.index("joy")] = 1
    right = torch.where(targets > 0.5, 8.0, -8.0)
    assert float(loss_of(right, targets, 0.2)) < 0.01
    love_instead = right.clone()
    love_instead[0, LABELS.index("joy")] = -8
    love_instead[0, LABELS.index("love")] = 8
    anger_instead = right.clone()
    anger_instead[0, LABELS.index("joy")] = -8
    anger_instead[0, LABELS.index("anger")] = 8
    # The same mistake in labels costs more when the group is wrong, too.
    assert float(loss_of(love_instead, targets, 0.2)) < float(loss_of(anger_instead, targets, 0.2))
    assert float(loss_of(love_instead, targets, 0)) == pytest.approx(
        float(loss_of(anger_instead, targets, 0))
    )


def test_batches_hold_every_sentence_once() -> None:
    ids = [[1] * (1 + i % 7) for i in range(45)]
    for random in (None, np.random.default_rng(1)):
        made = list(batches(ids, 8, random))
        rows = np.concatenate([batch.rows for batch in made])
        assert sorted(rows) == list(range(45))
        assert all(
            int(batch.attention_mask.sum()) == sum(len(ids[i]) for i in batch.rows)
            for batch in made
        )


def test_a_run_leaves_its_settings(course: Course) -> None:
    steps.fit_run(course, replace(SETTINGS, n_epochs=1), lambda _: None)
    run = json.loads((course.work_dir / "seed-1" / "run.json").read_text(encoding="utf-8"))
    assert run["settings"]["n_epochs"] == 1 and len(run["history"]) == 1


def test_time_that_is_up_ends_a_run(course: Course) -> None:
    told: list[Progress] = []
    history = steps.fit_run(course, replace(SETTINGS, max_minutes=1e-9), told.append)
    assert history == [] and told == []

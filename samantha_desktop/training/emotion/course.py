"""The steps of a training, each of which finds what the one before left in a folder.

    prepare    prepared.json: what the data are, and which test sentences are known already
    fit        seed-N/: one run's weights and curves
    export     model/: the mean of the runs, 8-bit, calibrated; export.json
    evaluate   figures.json, report.html: side by side with simpler models
    install    the model goes where the program looks for it, if it is better there

Imports torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from samantha_desktop.core.classification_metrics import macro_f1
from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import ModelError, SettingsError
from samantha_desktop.engines.emotion.model_folder import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE
from samantha_desktop.training.emotion import baselines
from samantha_desktop.training.emotion.decisions import calibrated_config, log_odds
from samantha_desktop.training.emotion.encoder import (
    EmotionNetwork,
    label_shares,
    load_encoder,
    load_tokenizer,
)
from samantha_desktop.training.emotion.export import classify, export, open_reader
from samantha_desktop.training.emotion.figures import calibration_in, figures_of
from samantha_desktop.training.emotion.fit import (
    CHECKPOINT,
    FitSettings,
    Progress,
    average_weights,
    fit,
    read_run,
)
from samantha_desktop.training.emotion.goemotions import SPLITS, LabelledTexts, read_split
from samantha_desktop.training.emotion.report import html_report

MODEL_FILES = (MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE)
SHIPPED = "encoder, 8-bit (shipped)"

Document = dict[str, Any]


@dataclass(frozen=True)
class Course:
    """One training.

    Attributes:
        data_dir: holds goemotions/{train,dev,test}.tsv.
        work_dir: what is made lies here.
        encoder_dir: of the catalog's `all-minilm-l6-v2`.
        limit: only the first so many sentences of each file; None: all.
    """

    data_dir: Path
    work_dir: Path
    encoder_dir: Path
    limit: int | None = None

    @property
    def model_dir(self) -> Path:
        """Where `export_model` writes."""
        return self.work_dir / "model"

    def read(self, split: str) -> LabelledTexts:
        """One file of the data."""
        return read_split(self.data_dir, split).first(self.limit)


def prepare(course: Course) -> Document:
    """Read the data and say what they are. Raises SettingsError."""
    splits = {split: course.read(split) for split in SPLITS}
    known = set(splits["train"].texts)
    document: Document = {
        "n_texts": {split: len(data) for split, data in splits.items()},
        "n_known": {
            split: sum(text in known for text in splits[split].texts) for split in ("dev", "test")
        },
        "n_of_label": {
            label: int(n) for label, n in zip(LABELS, splits["train"].truth.sum(0), strict=True)
        },
        "sha256": {
            split: hashlib.sha256(
                (course.data_dir / "goemotions" / f"{split}.tsv").read_bytes()
            ).hexdigest()
            for split in SPLITS
        },
    }
    _write(course.work_dir / "prepared.json", document)
    return document


def fit_run(
    course: Course, settings: FitSettings, on_step: Callable[[Progress], None]
) -> list[dict[str, float]]:
    """Train one seed, or go on with it. Returns its epochs' records."""
    train, dev = course.read("train"), course.read("dev")
    network, tokenizer = _network(course, train)
    run_dir = course.work_dir / f"seed-{settings.seed}"
    history = fit(network, tokenizer, train, dev, settings, run_dir, on_step=on_step)
    _write(run_dir / "run.json", {"settings": asdict(settings), "history": history})
    return history


def export_model(course: Course, version: str, talk_shares: Mapping[str, float]) -> Document:
    """Average the runs that are over, and write the folder that is shipped.

    Raises:
        ModelError: no run is over.
    """
    runs = _finished_runs(course)
    train, dev = course.read("train"), course.read("dev")
    network, tokenizer = _network(course, train)
    average_weights([run / CHECKPOINT for run in runs], network)
    export(network, tokenizer, dev, course.model_dir, version=version, talk_shares=talk_shares)
    document: Document = {
        "version": version,
        "runs": [run.name for run in runs],
        "n_bytes": _n_bytes(course.model_dir),
        "dev_macro_f1": held_out_macro_f1(course.model_dir, dev),
    }
    _write(course.work_dir / "export.json", document)
    return document


def evaluate(course: Course, seed: int, talk_shares: Mapping[str, float]) -> Document:
    """Measure the exported files and two simpler models on the test sentences."""
    train, dev, test = (course.read(split) for split in SPLITS)
    config = _read_config(course.model_dir)
    finished = {run.name.removeprefix("seed-"): read_run(run) for run in _finished_runs(course)}
    runs = {seed: run["history"] for seed, run in finished.items()}
    models: Document = {}
    for baseline in (
        baselines.word_counts(train, dev, test),
        baselines.recurrent(train, dev, test, seed=seed),
    ):
        own = calibrated_config(log_odds(baseline.dev), dev.truth, talk_shares)
        models[baseline.name] = {
            "figures": figures_of(
                calibration_in(own).probabilities(log_odds(baseline.test)), own, test, train
            ),
            "n_bytes": baseline.n_bytes,
            "minutes": baseline.minutes,
            "ms_per_text": baseline.ms_per_text,
        }
    models[SHIPPED] = {
        "figures": figures_of(classify(course.model_dir, test.texts), config, test, train),
        "n_bytes": _n_bytes(course.model_dir),
        "minutes": sum(record["minutes"] for history in runs.values() for record in history),
        "ms_per_text": _ms_per_text(course.model_dir, test.texts[:100]),
    }
    settings = next(iter(finished.values()))["settings"]
    document = {
        "runs": runs,
        "models": models,
        "shipped": SHIPPED,
        "settings": settings | {"seed": ", ".join(runs), "version": config["version"]},
    }
    _write(course.work_dir / "figures.json", document)
    (course.work_dir / "report.html").write_text(html_report(document), encoding="utf-8")
    return document


def install(course: Course, target: Path, *, is_forced: bool = False) -> tuple[float, float | None]:
    """Copy the model to where the program looks, if it is better on the dev sentences there.

    Returns: macro-F1 of the new model and of the one before, None where there was none.

    Raises:
        ModelError: nothing was exported yet.
        SettingsError: the one that is there is as good or better.
    """
    dev = course.read("dev")
    _read_config(course.model_dir)
    new = held_out_macro_f1(course.model_dir, dev)
    old = held_out_macro_f1(target, dev) if (target / MODEL_FILE).exists() else None
    if old is not None and new <= old and not is_forced:
        raise SettingsError(
            f"The new reader ({new:.3f}) is no better than the one in use ({old:.3f}).",
            recovery="Train it further, or install it all the same with --force.",
        )
    target.mkdir(parents=True, exist_ok=True)
    for name in MODEL_FILES:
        part = target / f"{name}.part"
        shutil.copyfile(course.model_dir / name, part)
        part.replace(target / name)
    return new, old


def held_out_macro_f1(model_dir: Path, data: LabelledTexts) -> float:
    """Macro-F1 of 28 labels of the files in a folder, by their own thresholds."""
    said = classify(model_dir, data.texts) >= np.array(_read_config(model_dir)["threshold"])
    return macro_f1(data.truth, said)


def finish_settings(settings: FitSettings) -> FitSettings:
    """The settings with bfloat16 where this processor computes in it."""
    has_bf16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return replace(settings, is_bf16=bool(has_bf16))


def _network(course: Course, train: LabelledTexts) -> tuple[EmotionNetwork, Any]:
    tokenizer, new_tokens = load_tokenizer(course.encoder_dir, train.texts)
    encoder = load_encoder(course.encoder_dir, new_tokens, tokenizer)
    return EmotionNetwork(encoder, label_shares(train.truth)), tokenizer


def _finished_runs(course: Course) -> list[Path]:
    runs = [
        path.parent
        for path in sorted(course.work_dir.glob(f"seed-*/{CHECKPOINT}"))
        if read_run(path.parent)["is_over"]
    ]
    if not runs:
        raise ModelError(
            "No training run has come to its end yet.",
            recovery="Run `samantha train emotion fit` first; it goes on where it stopped.",
        )
    return runs


def _read_config(model_dir: Path) -> Document:
    try:
        return dict(json.loads((model_dir / CONFIG_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(
            "There is no exported emotion reader yet.",
            recovery="Run `samantha train emotion export` first.",
            detail=str(error),
        ) from error


def _ms_per_text(model_dir: Path, texts: Sequence[str]) -> float:
    """Mean time of one text at a time, one thread."""
    with open_reader(model_dir) as reader:
        began_s = time.perf_counter()
        for text in texts:
            reader.classify((text,))
        return 1000 * (time.perf_counter() - began_s) / max(len(texts), 1)


def _n_bytes(model_dir: Path) -> int:
    return sum((model_dir / name).stat().st_size for name in MODEL_FILES)


def _write(path: Path, document: Document) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")

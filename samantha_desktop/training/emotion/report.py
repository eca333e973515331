"""The HTML report of a training: one file, nothing fetched from anywhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from samantha_desktop.core.emotions import GROUPS
from samantha_desktop.training.emotion import charts

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;
background:#fff;color:#111}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.3em .8em;border-bottom:1px solid #ccc;
text-align:left}figure{display:inline-block;margin:0 1em 1em 0}figcaption{font-size:.9em}
svg text{font:11px system-ui,sans-serif;fill:#111}.axis{stroke:#555;fill:none}
.ideal{stroke:#999;stroke-dasharray:4}
"""


def html_report(document: Mapping[str, Any]) -> str:
    """The report of what `evaluate` found.

    Args:
        document: `runs` (seed to history), `models` (name to what was measured: `figures`,
            and of the shipped one also of dev), `settings`, `shipped` (its name).
    """
    shipped = document["models"][document["shipped"]]
    figures = shipped["figures"]
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<title>Emotion reader: training report</title>",
        f"<style>{_STYLE}</style><h1>Emotion reader: training report</h1>",
        f"<p>{figures['n_texts']} test sentences of GoEmotions, of which "
        f"{figures['n_texts'] - figures['n_new']} stand in the training file too. Brackets: "
        "95 % bootstrap interval. Thresholds and calibration come from the dev sentences.</p>",
        "<h2>Side by side</h2>",
        _table(
            [
                "model", "MB", "minutes to train", "ms a text, one thread", "macro-F1, 28 labels",
                "without known texts", "macro-F1, 7 groups", "calibration error, labels", "groups",
            ],
            [_row(name, model) for name, model in document["models"].items()],
        ),
        "<h2>Learning</h2>",
        _curves(document["runs"]),
        "<h2>F1 of each label</h2>",
        charts.bars("F1 on the test sentences", figures["labels"]["f1"]),
        charts.bars("F1 of the groups", figures["groups"]["f1"]),
        "<h2>Calibration</h2>",
        charts.lines(
            "What was said with a probability (right), and how often it held (up)",
            "probability",
            {
                kind: [(mean, share) for mean, share, _ in figures[kind]["reliability"]]
                for kind in ("labels", "groups")
            },
            is_diagonal=True,
        ),
        "<h2>Confusion of the groups</h2><p>Sentences with one group. Rows: what people heard; "
        "columns: what was most probable.</p>",
        charts.grid("Counts, shaded by share of the row", GROUPS, np.array(figures["confusion"])),
        "<h2>The surest mistakes</h2>",
        _table(
            ["sentence", "people heard", "said", "probability"],
            [
                [wrong["text"], wrong["truth"], wrong["said"], f"{wrong['probability']:.2f}"]
                for wrong in figures["wrong"]
            ],
        ),
        "<h2>Settings</h2>",
        _table(["setting", "value"], [[k, str(v)] for k, v in document["settings"].items()]),
        "</html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def with_interval(figure: Mapping[str, float]) -> str:
    """0.54 [0.52, 0.57]."""
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _row(name: str, model: Mapping[str, Any]) -> list[str]:
    labels, groups = model["figures"]["labels"], model["figures"]["groups"]
    return [
        name,
        f"{model['n_bytes'] / 1e6:.1f}",
        f"{model['minutes']:.1f}",
        f"{model['ms_per_text']:.2f}",
        with_interval(labels["macro_f1"]),
        f"{labels['macro_f1_new']:.3f}",
        with_interval(groups["macro_f1"]),
        f"{labels['calibration_error']:.4f}",
        f"{groups['calibration_error']:.4f}",
    ]


def _curves(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    def series(key: str, prefix: str) -> dict[str, list[tuple[float, float]]]:
        return {
            f"{prefix}{seed}": [(record["epoch"], record[key]) for record in history]
            for seed, history in runs.items()
        }

    losses = series("loss", "training, seed ") | series("dev_loss", "dev (labels), seed ")
    return charts.lines("Loss", "epoch", losses) + charts.lines(
        "Macro-F1 on dev, one threshold", "epoch", series("dev_macro_f1", "seed ")
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.training.emotion import charts
from samantha_desktop.training.emotion.decisions import calibrated_config, log_odds
from samantha_desktop.training.emotion.figures import calibration_in, figures_of
from samantha_desktop.training.emotion.goemotions import LabelledTexts
from samantha_desktop.training.emotion.priors import TALK_SHARES
from samantha_desktop.training.emotion.report import html_report


@pytest.fixture(scope="module")
def document() -> dict:
    random = np.random.default_rng(2)
    truth = random.random((300, len(LABELS))) < 0.08
    probabilities = np.clip(0.1 + 0.7 * truth + random.normal(0, 0.1, truth.shape), 0.01, 0.99)
    texts = tuple(f"<script>{i}" for i in range(300))
    data, known = LabelledTexts(texts, truth), LabelledTexts(texts[:20], truth[:20])
    config = calibrated_config(log_odds(probabilities), truth, TALK_SHARES)
    calibrated = calibration_in(config).probabilities(log_odds(probabilities))
    measured = {
        "figures": figures_of(calibrated, config, data, known),
        "n_bytes": 24_000_000,
        "minutes": 1.5,
        "ms_per_text": 1.25,
    }
    history = [
        {"epoch": e, "loss": 1 / e, "dev_loss": 1.2 / e, "dev_macro_f1": 0.4 + e / 20, "minutes": 1}
        for e in (1.0, 2.0)
    ]
    return {
        "runs": {"1": history},
        "models": {"shipped": measured},
        "shipped": "shipped",
        "settings": {"seed": "1"},
    }


def test_figures_count_what_was_not_known(document: dict) -> None:
    figures = document["models"]["shipped"]["figures"]
    assert (figures["n_texts"], figures["n_new"]) == (300, 280)
    assert figures["labels"]["macro_f1"]["value"] > 0.95
    assert figures["labels"]["calibration_error"] < 0.05
    assert list(figures["groups"]["f1"]) == list(GROUPS)
    json.dumps(figures)  # takes it


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_report_stands_alone_and_lets_no_sentence_in(document: dict) -> None:
    page = Tags()
    page.feed(html_report(document))
    assert page.addresses == [] and "script" not in page.tags
    assert page.tags.count("svg") == 6
    assert {"table", "rect", "circle"} <= set(page.tags)


def test_charts_draw_one_point_and_none() -> None:
    assert "<circle" in charts.lines("one", "x", {"a": [(1.0, 2.0)]})
    assert "nothing to draw" in charts.lines("none", "x", {"a": []})
    assert "nan" not in charts.grid("zero", ["a", "b"], np.zeros((2, 2), int))


def test_shares_of_a_talk_are_of_all_groups() -> None:
    assert set(TALK_SHARES) == set(GROUPS)
    assert sum(TALK_SHARES.values()) == pytest.approx(1)


def test_training_without_its_libraries_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import argparse
    import sys

    from samantha_desktop.cli import train_command
    from samantha_desktop.core.errors import SettingsError

    for name in [n for n in sys.modules if n.startswith("samantha_desktop.training.emotion.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    parser = argparse.ArgumentParser()
    train_command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", "emotion", "fit", "--data", str(tmp_path)])
    with pytest.raises(SettingsError, match=r"samantha-desktop\[train\]") as error:
        args.handler(args)
    assert error.value.exit_code == 2

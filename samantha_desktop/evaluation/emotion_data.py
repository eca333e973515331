"""The public test sets of emotion in text, as they are distributed, in one shape.

None of them ships with Samantha. A folder holds those that are to be used:

    goemotions/{train,test}.tsv                  text, label numbers, comment id; no header
    meld/test_sent_emo.csv                       columns Utterance, Emotion
    empatheticdialogues/test_prompts.tsv         columns emotion, text
    dailydialog/test.tsv                         columns emotion, text

Sources: GoEmotions, arXiv 2005.00547; MELD, arXiv 1810.02508; EmpatheticDialogues,
arXiv 1811.00207; DailyDialog, arXiv 1710.03957.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantha_desktop.core.classification_metrics import Flags
from samantha_desktop.core.emotions import GROUPS, LABELS
from samantha_desktop.core.errors import SettingsError


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and what people heard in them.

    Attributes:
        texts: n of them.
        truth: (n, 28) as `LABELS` for GoEmotions, else (n, 7) as `GROUPS` with one a row.
        n_left_out: texts whose emotion belongs to none of the groups.
    """

    texts: tuple[str, ...]
    truth: Flags
    n_left_out: int = 0

    def chosen(self, is_chosen: Flags) -> LabelledTexts:
        """Those rows."""
        texts = tuple(text for text, chosen in zip(self.texts, is_chosen, strict=True) if chosen)
        return LabelledTexts(texts, self.truth[is_chosen], self.n_left_out)

    def first(self, n: int | None) -> LabelledTexts:
        """The first n; all for None."""
        return LabelledTexts(self.texts[:n], self.truth[:n], self.n_left_out)


_MELD: Mapping[str, str] = {group: group for group in GROUPS}

_DAILY_DIALOG: Mapping[str, str] = {
    "no emotion": "neutral",
    "happiness": "joy",
    **{group: group for group in ("anger", "disgust", "fear", "sadness", "surprise")},
}

EMPATHETIC_GROUP: Mapping[str, str] = {
    **dict.fromkeys(("angry", "annoyed", "furious", "jealous"), "anger"),
    "disgusted": "disgust",
    **dict.fromkeys(("afraid", "anxious", "apprehensive", "terrified"), "fear"),
    **dict.fromkeys(
        ("confident", "content", "excited", "grateful", "hopeful", "impressed", "joyful", "proud"),
        "joy",
    ),
    **dict.fromkeys(
        ("ashamed", "devastated", "disappointed", "embarrassed", "guilty", "lonely", "sad"),
        "sadness",
    ),
    "surprised": "surprise",
}
"""25 of the 32 emotions of EmpatheticDialogues. Anticipating, caring, faithful, nostalgic,
prepared, sentimental and trusting are none of the seven, and are left out. Source: our own."""


def read_goemotions(data_dir: Path, split: str) -> LabelledTexts | None:
    """A split of GoEmotions; None when it is not there."""
    path = data_dir / "goemotions" / f"{split}.tsv"
    texts: list[str] = []
    rows: list[list[int]] = []
    for number, line in _lines(path):
        try:
            text, labels, _ = line.split("\t")
            row = [int(label) for label in labels.split(",")]
            if not all(0 <= label < len(LABELS) for label in row):
                raise ValueError(labels)
        except ValueError as error:
            raise _unusable(path, number, repr(error)) from error
        texts.append(text)
        rows.append(row)
    if not texts:
        return None
    truth = np.zeros((len(texts), len(LABELS)), np.bool_)
    for flags, row in zip(truth, rows, strict=True):
        flags[row] = True
    return LabelledTexts(tuple(texts), truth)


def read_meld(data_dir: Path) -> LabelledTexts | None:
    """The test set of MELD; None when it is not there."""
    path = data_dir / "meld" / "test_sent_emo.csv"
    return _read_table(path, ",", "Utterance", "Emotion", _MELD)


def read_empathetic_dialogues(data_dir: Path) -> LabelledTexts | None:
    """The test prompts of EmpatheticDialogues; None when they are not there."""
    path = data_dir / "empatheticdialogues" / "test_prompts.tsv"
    return _read_table(path, "\t", "text", "emotion", EMPATHETIC_GROUP)


def read_daily_dialog(data_dir: Path) -> LabelledTexts | None:
    """The test set of DailyDialog; None when it is not there."""
    path = data_dir / "dailydialog" / "test.tsv"
    return _read_table(path, "\t", "text", "emotion", _DAILY_DIALOG)


def _read_table(
    path: Path, delimiter: str, text_column: str, emotion_column: str, groups: Mapping[str, str]
) -> LabelledTexts | None:
    lines = dict(_lines(path))
    if not lines:
        return None
    # Tab-separated texts hold quotes that are quotes.
    table = csv.DictReader(
        iter(lines.values()),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE,
    )
    texts: list[str] = []
    numbers: list[int] = []
    n_left_out = 0
    for row in table:
        text, emotion = row.get(text_column), row.get(emotion_column)
        if text is None or emotion is None:
            raise _unusable(path, table.line_num, f"columns: {table.fieldnames}")
        if emotion in groups:
            texts.append(text)
            numbers.append(GROUPS.index(groups[emotion]))
        else:
            n_left_out += 1
    if not texts:
        raise _unusable(path, table.line_num, "no text has an emotion that is known")
    truth = np.zeros((len(texts), len(GROUPS)), np.bool_)
    truth[np.arange(len(texts)), numbers] = True
    return LabelledTexts(tuple(texts), truth, n_left_out)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that hold something; none when there is no such file."""
    if not path.exists():
        return
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The test data in {path.name} cannot be read.",
            recovery="Use the files as they are distributed, in UTF-8.",
            detail=f"{path}: {error}",
        ) from error
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield number, line.removesuffix("\r")


def _unusable(path: Path, number: int, detail: str) -> SettingsError:
    return SettingsError(
        f"Line {number} of {path.name} is not a text with its emotion.",
        recovery="Use the files as they are distributed.",
        detail=f"{path}: {detail}",
    )

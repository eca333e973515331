"""GoEmotions as it is distributed: tab-separated text, label numbers, comment id.

Source: Demszky et al. 2020, arXiv 2005.00547; data CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samantha_desktop.core.classification_metrics import Flags
from samantha_desktop.core.emotion_text import normalised
from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import SettingsError

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and what people heard in them.

    Attributes:
        texts: n texts, `normalised` as they are in use.
        truth: (n, 28), columns as `LABELS`.
    """

    texts: tuple[str, ...]
    truth: Flags

    def __len__(self) -> int:
        return len(self.texts)

    def without(self, texts: Sequence[str]) -> LabelledTexts:
        """Those whose text is none of these, letter for letter."""
        unwanted = set(texts)
        kept = [i for i, text in enumerate(self.texts) if text not in unwanted]
        return LabelledTexts(tuple(self.texts[i] for i in kept), self.truth[kept])

    def first(self, n: int | None) -> LabelledTexts:
        """The first n; all for None."""
        return LabelledTexts(self.texts[:n], self.truth[:n])


def read_split(data_dir: Path, split: str) -> LabelledTexts:
    """Read one of `SPLITS` from the folder `goemotions` in `data_dir`.

    Raises:
        SettingsError: no such file, or a line that is not text, label numbers, id.
    """
    path = data_dir / "goemotions" / f"{split}.tsv"
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The {split} sentences of GoEmotions are not in {data_dir}.",
            recovery="Give the folder that holds goemotions/train.tsv with --data.",
            detail=str(error),
        ) from error
    texts: list[str] = []
    rows: list[list[int]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        try:
            labels = [int(label) for label in columns[1].split(",")]
            if not all(0 <= label < len(LABELS) for label in labels):
                raise ValueError(columns[1])
        except (IndexError, ValueError) as error:
            raise SettingsError(
                f"Line {number} of {path.name} is not a text with label numbers.",
                recovery="Use the files as distributed: text, tab, label numbers, tab, id.",
                detail=repr(error),
            ) from error
        texts.append(normalised(columns[0]))
        rows.append(labels)
    truth = np.zeros((len(texts), len(LABELS)), dtype=np.bool_)
    for i, labels in enumerate(rows):
        truth[i, labels] = True
    return LabelledTexts(tuple(texts), truth)

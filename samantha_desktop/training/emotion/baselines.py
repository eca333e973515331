"""What the network is compared with: word counts, and a small recurrent network.

Imports scikit-learn and torch. None of it is shipped.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from samantha_desktop.core.emotions import LABELS
from samantha_desktop.training.emotion.encoder import batches, rate_at
from samantha_desktop.training.emotion.goemotions import LabelledTexts

_WORD = re.compile(r"\w+|[^\w\s]")
_N_WORDS = 20_000
_LSTM_RATE = 3e-3


@dataclass(frozen=True)
class Baseline:
    """A trained one.

    Attributes:
        name: for the report.
        n_bytes: of its numbers at full precision.
        minutes: training took.
        ms_per_text: one text at a time, one thread.
        dev: (n, 28) probabilities for the dev sentences.
        test: (m, 28) for the test sentences.
    """

    name: str
    n_bytes: int
    minutes: float
    ms_per_text: float
    dev: NDArray[np.float32]
    test: NDArray[np.float32]


def word_counts(train: LabelledTexts, dev: LabelledTexts, test: LabelledTexts) -> Baseline:
    """Weighted counts of words and pairs of words, and a logistic regression per label."""
    began_s = time.monotonic()
    vectorizer = TfidfVectorizer(
        token_pattern=_WORD.pattern, ngram_range=(1, 2), min_df=2, sublinear_tf=True
    )
    model = OneVsRestClassifier(LogisticRegression(C=4.0, solver="liblinear"))
    model.fit(vectorizer.fit_transform(train.texts), train.truth.astype(np.int64))
    minutes = (time.monotonic() - began_s) / 60

    def predict(texts: Sequence[str]) -> NDArray[np.float32]:
        probabilities = model.predict_proba(vectorizer.transform(texts))
        return np.asarray(probabilities, dtype=np.float32)

    n_bytes = 4 * len(LABELS) * len(vectorizer.vocabulary_)
    return _measured("TF-IDF, logistic regression", n_bytes, minutes, predict, dev, test)


def recurrent(
    train: LabelledTexts,
    dev: LabelledTexts,
    test: LabelledTexts,
    *,
    seed: int,
    n_epochs: int = 2,
    width: int = 64,
) -> Baseline:
    """Word vectors learnt from nothing and an LSTM in both directions, the maximum over time."""
    began_s = time.monotonic()
    torch.manual_seed(seed)
    counts = Counter(word for text in train.texts for word in _words(text))
    ids = {word: i + 2 for i, (word, _) in enumerate(counts.most_common(_N_WORDS))}
    network = _Recurrent(len(ids) + 2, width)
    optimizer = torch.optim.Adam(network.parameters(), lr=_LSTM_RATE)
    numbered = [_ids(text, ids) for text in train.texts]
    truth = torch.from_numpy(train.truth.astype(np.float32))
    n_steps, step = -(-len(train) // 128) * n_epochs, 0
    for epoch in range(n_epochs):
        for batch in batches(numbered, 128, np.random.default_rng([seed, epoch])):
            for group in optimizer.param_groups:
                group["lr"] = _LSTM_RATE * rate_at(step / n_steps)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(batch.input_ids), truth[batch.rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    minutes = (time.monotonic() - began_s) / 60
    network.eval()

    def predict(texts: Sequence[str]) -> NDArray[np.float32]:
        probabilities = np.zeros((len(texts), len(LABELS)), dtype=np.float32)
        with torch.inference_mode():
            for batch in batches([_ids(text, ids) for text in texts], 128, None):
                probabilities[batch.rows] = torch.sigmoid(network(batch.input_ids)).numpy()
        return probabilities

    n_bytes = 4 * sum(parameter.numel() for parameter in network.parameters())
    return _measured("bidirectional LSTM", n_bytes, minutes, predict, dev, test)


class _Recurrent(torch.nn.Module):
    def __init__(self, n_words: int, width: int) -> None:
        super().__init__()
        self.vectors = torch.nn.Embedding(n_words, width, padding_idx=0)
        self.lstm = torch.nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.dropout = torch.nn.Dropout(0.3)
        self.head = torch.nn.Linear(2 * width, len(LABELS))

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.lstm(self.dropout(self.vectors(input_ids)))
        hidden = hidden.masked_fill((input_ids == 0).unsqueeze(-1), -1e4)
        return self.head(self.dropout(hidden.max(dim=1).values))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _ids(text: str, ids: dict[str, int]) -> list[int]:
    """Numbers of the words; 1 for one that is not known, and for a text without any."""
    return [ids.get(word, 1) for word in _words(text)[:64]] or [1]


def _measured(
    name: str,
    n_bytes: int,
    minutes: float,
    predict: Callable[[Sequence[str]], NDArray[np.float32]],
    dev: LabelledTexts,
    test: LabelledTexts,
) -> Baseline:
    probe = test.texts[:100]
    began_s = time.perf_counter()
    for text in probe:
        predict([text])
    ms_per_text = (time.perf_counter() - began_s) * 1000 / max(len(probe), 1)
    return Baseline(name, n_bytes, minutes, ms_per_text, predict(dev.texts), predict(test.texts))

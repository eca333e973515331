"""The network: the sentence encoder, the mean over its tokens, one linear layer.

Imports torch: only what trains or exports may import this module.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertModel
from transformers.utils import logging as transformers_logging

from samantha_desktop.core.classification_metrics import Flags
from samantha_desktop.core.emotions import EKMAN_GROUP, GROUPS, LABELS
from samantha_desktop.training.emotion.tokens import NewToken, teach_tokenizer

MAX_TOKENS = 64
"""99 % of the training sentences have at most 37 tokens."""

GROUP_MEMBERS = np.array(
    [[EKMAN_GROUP[label] == group for group in GROUPS] for label in LABELS], dtype=np.float32
)
"""(28, 7): which labels make up which group."""


class EmotionNetwork(torch.nn.Module):
    """Token ids to one logit per label.

    Args:
        encoder: a `BertModel` without a pooler.
        label_shares: (28,) share of the training sentences that bear each label: the
            last layer starts by saying just that.
    """

    def __init__(self, encoder: Any, label_shares: NDArray[np.floating]) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(encoder.config.hidden_size, len(LABELS))
        shares = np.clip(label_shares, 1e-4, 1 - 1e-4)
        with torch.no_grad():
            # The same start for every seed: only so can their weights be averaged.
            self.head.weight.zero_()
            self.head.bias.copy_(torch.tensor(np.log(shares / (1 - shares))))

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        """(batch, tokens) twice, int64, to (batch, 28)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.head((hidden * weights).sum(1) / weights.sum(1))


def load_encoder(folder: Path, new_tokens: Sequence[NewToken], tokenizer: Tokenizer) -> Any:
    """The pretrained encoder, its new tokens starting from the words of their meaning.

    Args:
        folder: of the catalog's `all-minilm-l6-v2`.
        new_tokens: see `teach_tokenizer`.
        tokenizer: knows the new tokens.
    """
    # It would draw a bar of its own and list the parts that are left out.
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    encoder = BertModel.from_pretrained(
        folder,
        add_pooling_layer=False,
        attn_implementation="eager",  # the fused attention's backward pass is slow on CPUs
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    vectors = encoder.embeddings.word_embeddings.weight
    with torch.no_grad():
        for token in new_tokens:
            ids = tokenizer.encode(token.meaning, add_special_tokens=False).ids
            vectors[token.id] = vectors[ids].mean(0)
    return encoder


def load_tokenizer(folder: Path, texts: Sequence[str]) -> tuple[Tokenizer, list[NewToken]]:
    """The encoder's tokenizer with its new tokens, cutting at `MAX_TOKENS`."""
    document, new_tokens = teach_tokenizer(folder / "tokenizer.json", texts)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer, new_tokens


@dataclass(frozen=True)
class Batch:
    """Sentences of like length, filled up with zeros.

    Attributes:
        rows: which sentences, int64.
        input_ids: (n, tokens).
        attention_mask: (n, tokens), 1 where there is a token.
    """

    rows: NDArray[np.int64]
    input_ids: Any
    attention_mask: Any


def batches(
    ids: Sequence[Sequence[int]], batch_size: int, random: np.random.Generator | None
) -> Iterator[Batch]:
    """Batches of sentences of like length; in random order, or in that of length for None."""
    if random is None:
        order = np.argsort([len(i) for i in ids], kind="stable")
        chunks = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    else:
        shuffled = random.permutation(len(ids))
        chunks = []
        # Sorting only within some fifty batches keeps the order random and the filling small.
        for start in range(0, len(shuffled), batch_size * 50):
            part = shuffled[start : start + batch_size * 50]
            part = part[np.argsort([len(ids[i]) for i in part], kind="stable")]
            chunks += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
        chunks = [chunks[i] for i in random.permutation(len(chunks))]
    for rows in chunks:
        longest = max(len(ids[i]) for i in rows)
        filled = np.zeros((len(rows), longest), dtype=np.int64)
        for place, row in enumerate(rows):
            filled[place, : len(ids[row])] = ids[row]
        input_ids = torch.from_numpy(filled)
        yield Batch(rows, input_ids, (input_ids != 0).long())


def predict(
    network: EmotionNetwork, tokenizer: Tokenizer, texts: Sequence[str], *, is_bf16: bool = False
) -> NDArray[np.float32]:
    """Logits (n, 28)."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    logits = np.zeros((len(texts), len(LABELS)), dtype=np.float32)
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
        for batch in batches(ids, 128, None):
            logits[batch.rows] = network(batch.input_ids, batch.attention_mask).float().numpy()
    return logits


def loss_of(logits: Any, targets: Any, group_weight: float) -> Any:
    """Cross-entropy of the labels, and of the groups they make up by noisy-or.

    Args:
        logits: (n, 28).
        targets: (n, 28) in [0, 1]; probabilities where another model gave them.
        group_weight: of the groups' part.
    """
    labels = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    members = torch.from_numpy(GROUP_MEMBERS)
    # log of the probability that no label of the group is there, as `group_probabilities`.
    log_absent = torch.nn.functional.logsigmoid(-logits) @ members
    group_targets = 1 - torch.exp(torch.log1p(-targets.clamp(max=1 - 1e-6)) @ members)
    log_present = torch.log(-torch.expm1(log_absent.clamp(max=-1e-6)))
    groups = -(group_targets * log_present + (1 - group_targets) * log_absent).mean()
    return labels + group_weight * groups


def drop_tokens(attention_mask: Any, share: float, generator: Any) -> Any:
    """The mask with this share of the tokens hidden, never the first one."""
    kept = torch.rand(attention_mask.shape, generator=generator) >= share
    kept[:, 0] = True
    return attention_mask * kept


def label_shares(truth: Flags) -> NDArray[np.float64]:
    """Share of the sentences that bear each label."""
    return np.asarray(truth.mean(axis=0), dtype=np.float64)


def rate_at(share_done: float, warm_up: float = 0.1) -> float:
    """Factor of the learning rate: up in a line, then down along a cosine to nothing.

    Args:
        share_done: of the training, [0, 1].
        warm_up: share in which it goes up.
    """
    if share_done < warm_up:
        return max(share_done / warm_up, 0.01)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share_done - warm_up) / (1 - warm_up))))

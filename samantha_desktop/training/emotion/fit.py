"""Training the network: seeded, and gone on with after the last whole epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch.utils.tensorboard import SummaryWriter

from samantha_desktop.core.classification_metrics import macro_f1
from samantha_desktop.core.errors import ModelError
from samantha_desktop.training.emotion.augment import augment
from samantha_desktop.training.emotion.decisions import global_threshold, sigmoid
from samantha_desktop.training.emotion.encoder import (
    EmotionNetwork,
    batches,
    drop_tokens,
    loss_of,
    predict,
    rate_at,
)
from samantha_desktop.training.emotion.goemotions import LabelledTexts

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class FitSettings:
    """How to train.

    Attributes:
        seed: of order, augmentation and dropped tokens.
        n_epochs: times every sentence is seen.
        learning_rate: of the encoder at its highest.
        head_rate: factor of the last layer's, which starts from nothing.
        batch_size: sentences a step.
        weight_decay: pull of the encoder's weights towards zero.
        token_dropout: share of the tokens hidden.
        group_weight: of the groups' part of the loss.
        is_bf16: compute in bfloat16; quicker where the processor has it.
        max_minutes: of a run; None: no end. The learning rate falls with what is left of the
            steps or of the time, whichever is less, so that a run cut short comes to rest, too.
    """

    seed: int = 1
    n_epochs: int = 2
    learning_rate: float = 2e-4
    head_rate: float = 10.0
    batch_size: int = 64
    weight_decay: float = 0.01
    token_dropout: float = 0.05
    group_weight: float = 0.2
    is_bf16: bool = False
    max_minutes: float | None = None


@dataclass(frozen=True)
class Progress:
    """Told after every step: steps done, steps in all, mean loss of late."""

    n_done: int
    n_steps: int
    loss: float


def fit(
    network: EmotionNetwork,
    tokenizer: Tokenizer,
    train: LabelledTexts,
    dev: LabelledTexts,
    settings: FitSettings,
    run_dir: Path,
    *,
    on_step: Callable[[Progress], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Train the network in place; leave weights, curves and what an epoch brought in `run_dir`.

    Args:
        network: as it starts; a checkpoint in `run_dir` replaces it.
        tokenizer: see `load_tokenizer`.
        train: sentences to learn from.
        dev: sentences to look at after every epoch.
        settings: see there.
        run_dir: of this seed alone.
        on_step: told about every step.

    Returns: one record per epoch: epoch, loss, dev_loss, dev_macro_f1, minutes.

    Raises:
        ModelError: the checkpoint there was made with other settings.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    optimizer = _optimizer(network, settings)
    history: list[dict[str, float]] = []
    path = run_dir / CHECKPOINT
    if path.exists():
        history = _resume(path, network, optimizer, settings)
    n_steps = -(-len(train) // settings.batch_size) * settings.n_epochs
    began_s = time.monotonic() - 60 * sum(record["minutes"] for record in history)

    def time_used() -> float:
        if settings.max_minutes is None:
            return 0.0
        return (time.monotonic() - began_s) / 60 / settings.max_minutes

    with SummaryWriter(run_dir / "curves") as curves:
        for epoch in range(len(history), settings.n_epochs):
            if time_used() >= 1:
                break
            epoch_began_s = time.monotonic()
            loss = _epoch(
                network, tokenizer, train, settings, epoch, n_steps, optimizer,
                time_used, curves, on_step,
            )  # fmt: skip
            logits = predict(network, tokenizer, dev.texts, is_bf16=settings.is_bf16)
            probabilities = sigmoid(logits)
            found = probabilities >= global_threshold(probabilities, dev.truth)
            record = {
                "epoch": epoch + 1.0,
                "loss": loss,
                "dev_loss": _label_loss(logits, dev),
                "dev_macro_f1": macro_f1(dev.truth, found),
                "minutes": (time.monotonic() - epoch_began_s) / 60,
            }
            history.append(record)
            for name, value in record.items():
                curves.add_scalar(f"epoch/{name}", value, epoch + 1)
            is_over = epoch + 1 == settings.n_epochs or time_used() >= 1
            _save(path, network, optimizer, settings, history, is_over)
    return history


def average_weights(paths: list[Path], network: EmotionNetwork) -> None:
    """Put the mean of several runs' weights into the network.

    Source: model soups, Wortsman et al. 2022 (arXiv 2203.05482): runs that start from one
    pretrained network end in one basin, where the mean does about as well as the ensemble.
    """
    states = [torch.load(path, weights_only=True)["network"] for path in paths]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0)
        if states[0][name].is_floating_point()
        else states[0][name]
        for name in states[0]
    }
    network.load_state_dict(mean)


def read_run(run_dir: Path) -> dict[str, Any]:
    """`settings`, `history` and `is_over` of a run that has ended an epoch."""
    saved = torch.load(run_dir / CHECKPOINT, weights_only=True)
    return {key: saved[key] for key in ("settings", "history", "is_over")}


def _optimizer(network: EmotionNetwork, settings: FitSettings) -> Any:
    head = list(network.head.parameters())
    decayed = [p for p in network.encoder.parameters() if p.ndim > 1]
    others = [p for p in network.encoder.parameters() if p.ndim <= 1]
    rate = settings.learning_rate
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay, "top_rate": rate},
            {"params": others, "weight_decay": 0.0, "top_rate": rate},
            {"params": head, "weight_decay": 0.0, "top_rate": rate * settings.head_rate},
        ],
        lr=rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def _epoch(
    network: EmotionNetwork,
    tokenizer: Tokenizer,
    train: LabelledTexts,
    settings: FitSettings,
    epoch: int,
    n_steps: int,
    optimizer: Any,
    time_used: Callable[[], float],
    curves: SummaryWriter,
    on_step: Callable[[Progress], None],
) -> float:
    random = np.random.default_rng([settings.seed, epoch])
    generator = torch.Generator().manual_seed(settings.seed * 1000 + epoch)
    texts = [augment(text, random) for text in train.texts]
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    targets = train.truth.astype(np.float32)
    step = epoch * (n_steps // settings.n_epochs)
    losses: list[float] = []
    network.train()
    for batch in batches(ids, settings.batch_size, random):
        share_done = max(step / n_steps, time_used())
        if share_done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["top_rate"] * rate_at(share_done)
        mask = drop_tokens(batch.attention_mask, settings.token_dropout, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.is_bf16):
            logits = network(batch.input_ids, mask)
        loss = loss_of(logits.float(), torch.from_numpy(targets[batch.rows]), settings.group_weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        losses.append(float(loss.detach()))
        if step % 20 == 0:
            curves.add_scalar("step/loss", float(np.mean(losses[-20:])), step)
        on_step(Progress(step, n_steps, float(np.mean(losses[-50:]))))
    return float(np.mean(losses))


def _label_loss(logits: NDArray[np.float32], dev: LabelledTexts) -> float:
    return float(
        torch.nn.functional.binary_cross_entropy_with_logits(
            torch.from_numpy(logits), torch.from_numpy(dev.truth.astype(np.float32))
        )
    )


def _save(
    path: Path,
    network: EmotionNetwork,
    optimizer: Any,
    settings: FitSettings,
    history: list[dict[str, float]],
    is_over: bool,
) -> None:
    part = path.with_suffix(".part")
    # The optimizer's memory is only of use while something is left to do.
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": {} if is_over else optimizer.state_dict(),
            "settings": asdict(settings),
            "history": history,
            "is_over": is_over,
        },
        part,
    )
    part.replace(path)


def _resume(
    path: Path, network: EmotionNetwork, optimizer: Any, settings: FitSettings
) -> list[dict[str, float]]:
    saved = torch.load(path, weights_only=True)
    if replace(FitSettings(**saved["settings"]), is_bf16=settings.is_bf16) != settings:
        raise ModelError(
            f"The training begun in {path.parent.name} had other settings.",
            recovery="Go on with those, or give another folder with --work.",
            detail=str(saved["settings"]),
        )
    network.load_state_dict(saved["network"])
    if saved["optimizer"]:
        optimizer.load_state_dict(saved["optimizer"])
    return list(saved["history"])

"""The emotion reader: a small encoder of our own training, by ONNX Runtime.

Texts are computed one by one. The products are of 8 bits, and their scale is found anew
for each run from all that is in it, so in a batch a text would be read a little
differently beside other texts: measured, by up to 0.1, and for 3.5 % of texts with another
label at the top. Batches would save a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.emotion_text import normalised, why_unreadable
from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.core.ports import EngineInfo
from samantha_desktop.engines import onnx_native
from samantha_desktop.engines.emotion.model_folder import (
    MODEL_FILE,
    RECOVERY,
    TOKENIZER_FILE,
    EmotionModelConfig,
    read_config,
    read_file,
)

if TYPE_CHECKING:
    import onnxruntime
    import tokenizers

_INPUTS = ["input_ids", "attention_mask"]
_OUTPUT = "logits"
_LONGEST_WORD = 100
"""Characters; a longer word is unknown to WordPiece, and so is one token."""
_WARM_UP_TEXT = "I am so happy to hear that!"


@dataclass(frozen=True)
class OnnxEmotionClassifierSettings:
    """What to load, and how.

    Attributes:
        model_dir: see `model_folder`.
        device: "auto": the GPU where onnxruntime-gpu finds one; "cpu"; "cuda".
        n_threads: on the processor. One is enough: the sums are small, and the other
            engines need the cores.
    """

    model_dir: Path
    device: str = "auto"
    n_threads: int = 1


@dataclass(frozen=True)
class _Loaded:
    session: onnxruntime.InferenceSession
    tokenizer: tokenizers.Tokenizer
    config: EmotionModelConfig
    info: EngineInfo


class OnnxEmotionClassifier:
    """The `EmotionClassifier` port. Owner: one thread."""

    labels = LABELS

    def __init__(self, settings: OnnxEmotionClassifierSettings) -> None:
        self._settings = settings
        self._loaded: _Loaded | None = None

    def load(self) -> None:
        """See the port.

        Raises:
            ModelError: a file missing, damaged, or of another model.
            EngineError: onnxruntime cannot run on the device that is wished for.
        """
        loaded = _load(self._settings)
        try:
            logits = _run(loaded, loaded.tokenizer.encode(_WARM_UP_TEXT).ids)
        except EngineError as error:
            raise _unfit(self._settings.model_dir, MODEL_FILE, error.detail) from error
        if logits.shape != (len(LABELS),) or not np.isfinite(logits).all():
            raise _unfit(self._settings.model_dir, MODEL_FILE, f"logits {logits.shape}")
        self._loaded = loaded

    def info(self) -> EngineInfo:
        """See the port."""
        return self._engine().info

    def close(self) -> None:
        """See the port."""
        self._loaded = None

    def classify(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the port.

        A text without anything to judge (empty, emoji only, another script) has no
        probability for any label, neutral included.
        """
        engine = self._engine()
        probabilities = np.zeros((len(texts), len(LABELS)), np.float32)
        n_characters = engine.config.max_tokens * _LONGEST_WORD
        for row, text in zip(probabilities, texts, strict=True):
            if why_unreadable(text) is None:
                tokens = engine.tokenizer.encode(normalised(text)[:n_characters]).ids
                row[:] = _sigmoid(engine.config.scale * _run(engine, tokens) + engine.config.bias)
        return probabilities

    def _engine(self) -> _Loaded:
        if self._loaded is None:
            raise EngineError("The emotion reader is not loaded.", recovery="Load it first.")
        return self._loaded


def _load(settings: OnnxEmotionClassifierSettings) -> _Loaded:
    import onnxruntime
    import tokenizers

    folder = settings.model_dir
    config = read_config(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.n_threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it would be kept for every length of text
    options.log_severity_level = 3
    providers = onnx_native.providers(settings.device, "emotion reader")
    model = read_file(folder, MODEL_FILE)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except onnx_native.native_errors() as error:
        raise _unfit(folder, MODEL_FILE, str(error)) from error
    names = [value.name for value in session.get_inputs()]
    if sorted(names) != sorted(_INPUTS) or _OUTPUT not in [o.name for o in session.get_outputs()]:
        raise _unfit(folder, MODEL_FILE, f"inputs: {', '.join(names)}")
    raw = read_file(folder, TOKENIZER_FILE)
    try:
        tokenizer = tokenizers.Tokenizer.from_buffer(raw)
        tokenizer.no_padding()
        tokenizer.enable_truncation(config.max_tokens)
    except Exception as error:  # tokenizers raises nothing more precise for what it cannot read
        raise _unfit(folder, TOKENIZER_FILE, str(error)) from error
    info = EngineInfo(
        engine="onnxruntime",
        model=config.version,
        device=onnx_native.device_of(session),
        detail={
            "threads": str(settings.n_threads),
            "max_tokens": str(config.max_tokens),
            "onnxruntime": onnxruntime.__version__,
            "tokenizers": tokenizers.__version__,
        },
    )
    return _Loaded(session, tokenizer, config, info)


def _unfit(folder: Path, name: str, detail: str) -> ModelError:
    return ModelError(
        f"The emotion reader's file {name} is damaged, or belongs to another model.",
        recovery=RECOVERY,
        detail=f"{folder / name}: {detail}",
        is_fatal=True,
    )


def _run(engine: _Loaded, tokens: list[int]) -> NDArray[np.float32]:
    """The logits of a text, (n_labels,)."""
    ids = np.array([tokens], np.int64)
    inputs = dict(zip(_INPUTS, (ids, np.ones_like(ids)), strict=True))
    try:
        result = engine.session.run([_OUTPUT], inputs)
    except onnx_native.native_errors() as error:
        raise EngineError(
            "The emotion reader failed while reading.",
            recovery="Try again; if it happens again, install Samantha again.",
            detail=str(error),
        ) from error
    return np.asarray(result[0][0], np.float32)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)

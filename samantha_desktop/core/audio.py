"""Arithmetic on samples: levels, frames, conversions, and silence as the ear meets it.

Silence is judged in windows of `LEVEL_WINDOW_S`: a window is audible when its root
mean square reaches the threshold. A window rather than a sample, because speech
passes through zero hundreds of times a second and a single click is not a sound;
10 ms, because that is shorter than any pause a listener notices. Times are therefore
exact to one window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.core.ports import FRAME_SAMPLES, Pcm

LEVEL_WINDOW_S = 0.01
AUDIBLE_DBFS = -50.0
"""Below this a listener at a usual volume hears nothing: synthesized speech lies near
-25 dBFS, its breaths and decaying room near -55."""

NATURAL_PAUSE_S = 0.35
"""The longest pause between two clauses that still sounds intended."""

SILENCE_DBFS = -120.0
"""What digital silence is reported as, instead of minus infinity."""

_INT16_SCALE = 32768.0


class SilenceRun(NamedTuple):
    """A stretch without an audible window, in seconds from the first sample."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


class Gaps(NamedTuple):
    """Stutter: how much longer than natural the pauses inside a piece of audio are."""

    total_s: float
    longest_s: float


# ------------------------------------------------------------------ conversions


def int16_to_float32(samples: NDArray[np.int16]) -> Pcm:
    """Scale 16-bit samples to [-1, 1)."""
    return samples.astype(np.float32) / np.float32(_INT16_SCALE)


def float32_to_int16(pcm: Pcm) -> NDArray[np.int16]:
    """Round to 16 bits, clipping; the inverse of `int16_to_float32`."""
    scaled = np.rint(pcm * np.float32(_INT16_SCALE))
    samples: NDArray[np.int16] = np.clip(scaled, -_INT16_SCALE, _INT16_SCALE - 1).astype(np.int16)
    return samples


def to_mono(frames: NDArray[np.float32]) -> Pcm:
    """Mix (n_samples, n_channels) down to (n_samples,) by the mean; mono passes through."""
    if frames.ndim == 1:
        return frames
    if frames.shape[1] == 1:
        return frames[:, 0]
    mixed: Pcm = frames.mean(axis=1, dtype=np.float32)
    return mixed


def sanitise(pcm: Pcm) -> Pcm:
    """Make any float samples fit to be heard and computed with.

    NaN and infinities become silence: a damaged sample carries no information, and
    silence does no harm to an ear. Everything else is clipped to [-1, 1].
    """
    if pcm.size == 0:
        return pcm
    low, high = float(pcm.min()), float(pcm.max())  # NaN, if there is one, comes out here
    if low >= -1.0 and high <= 1.0:
        return pcm
    finite = np.where(np.isfinite(pcm), pcm, np.float32(0.0))
    return np.clip(finite, -1.0, 1.0)


# ----------------------------------------------------------------------- levels


def rms(pcm: Pcm) -> float:
    """Root mean square; 0 for no samples."""
    if pcm.size == 0:
        return 0.0
    return float(np.sqrt(np.mean(np.square(pcm, dtype=np.float64))))


def level_dbfs(pcm: Pcm) -> float:
    """Level of the root mean square in dB below full scale, at least `SILENCE_DBFS`."""
    return max(SILENCE_DBFS, 20.0 * float(np.log10(max(rms(pcm), 1e-12))))


def _is_audible(pcm: Pcm, sample_rate_hz: int, threshold_dbfs: float) -> NDArray[np.bool_]:
    """One verdict for each window of `LEVEL_WINDOW_S`, the last one possibly shorter."""
    n_window = max(1, round(LEVEL_WINDOW_S * sample_rate_hz))
    starts = np.arange(0, pcm.size, n_window)
    if starts.size == 0:
        return np.zeros(0, dtype=np.bool_)
    energies = np.add.reduceat(np.square(pcm, dtype=np.float64), starts)
    n_samples = np.diff(np.append(starts, pcm.size))
    audible: NDArray[np.bool_] = energies / n_samples >= 10.0 ** (threshold_dbfs / 10.0)
    return audible


def silence_runs(
    pcm: Pcm, sample_rate_hz: int, threshold_dbfs: float = AUDIBLE_DBFS
) -> list[SilenceRun]:
    """Every stretch without sound, in order, the ones at both ends included."""
    audible = _is_audible(pcm, sample_rate_hz, threshold_dbfs)
    if audible.size == 0:
        return []
    window_s = max(1, round(LEVEL_WINDOW_S * sample_rate_hz)) / sample_rate_hz
    # Pad with sound, so that every run has a falling and a rising edge.
    edges = np.diff(np.concatenate(([1], audible.astype(np.int8), [1])))
    starts, ends = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
    total_s = pcm.size / sample_rate_hz
    return [
        SilenceRun(int(start) * window_s, min(int(end) * window_s, total_s))
        for start, end in zip(starts, ends, strict=True)
    ]


def first_audible_s(
    pcm: Pcm, sample_rate_hz: int, threshold_dbfs: float = AUDIBLE_DBFS
) -> float | None:
    """When the first audible window begins; None when nothing is audible."""
    audible = np.flatnonzero(_is_audible(pcm, sample_rate_hz, threshold_dbfs))
    if audible.size == 0:
        return None
    return int(audible[0]) * max(1, round(LEVEL_WINDOW_S * sample_rate_hz)) / sample_rate_hz


def last_audible_s(
    pcm: Pcm, sample_rate_hz: int, threshold_dbfs: float = AUDIBLE_DBFS
) -> float | None:
    """When the last audible window ends; None when nothing is audible."""
    audible = np.flatnonzero(_is_audible(pcm, sample_rate_hz, threshold_dbfs))
    if audible.size == 0:
        return None
    n_window = max(1, round(LEVEL_WINDOW_S * sample_rate_hz))
    return min((int(audible[-1]) + 1) * n_window, pcm.size) / sample_rate_hz


def gap_s(
    pcm: Pcm,
    sample_rate_hz: int,
    natural_pause_s: float = NATURAL_PAUSE_S,
    threshold_dbfs: float = AUDIBLE_DBFS,
) -> Gaps:
    """Measure stutter in an answer as it was heard.

    Take every stretch of silence that lies between the first and the last audible
    window; of each, what it lasts beyond `natural_pause_s` is a gap (nothing, when it
    is shorter). `total_s` is the sum of the gaps, `longest_s` the longest of them.
    Silence before the first sound is latency and after the last one the end: neither
    counts. A player that runs dry inside a natural pause is charged only for what a
    listener can notice, the pause being too long.

    Args:
        pcm: (n_samples,) what left the speaker, late samples leaving silence.
        sample_rate_hz: its rate.
        natural_pause_s: the longest pause that is not a fault.
        threshold_dbfs: from which level on a window is audible.
    """
    total_s = pcm.size / sample_rate_hz
    gaps = [
        max(0.0, run.duration_s - natural_pause_s)
        for run in silence_runs(pcm, sample_rate_hz, threshold_dbfs)
        if run.start_s > 0.0 and run.end_s < total_s
    ]
    return Gaps(total_s=sum(gaps), longest_s=max(gaps, default=0.0))


# ----------------------------------------------------------------------- frames


class Reframer:
    """Turns blocks of any sizes into frames of one size. One thread at a time."""

    def __init__(self, frame_samples: int = FRAME_SAMPLES) -> None:
        self._frame = np.zeros(frame_samples, dtype=np.float32)
        self._n_filled = 0

    def push(self, block: Pcm) -> list[Pcm]:
        """Take a block; return the frames that it completes, each (frame_samples,)."""
        frames: list[Pcm] = []
        position = 0
        while position < block.size:
            n_taken = min(self._frame.size - self._n_filled, block.size - position)
            self._frame[self._n_filled : self._n_filled + n_taken] = block[
                position : position + n_taken
            ]
            self._n_filled += n_taken
            position += n_taken
            if self._n_filled == self._frame.size:
                frames.append(self._frame.copy())
                self._n_filled = 0
        return frames

    def flush(self) -> Pcm | None:
        """The frame begun, padded with silence; None when none was. Starts afresh."""
        if self._n_filled == 0:
            return None
        frame = self._frame.copy()
        frame[self._n_filled :] = 0.0
        self._n_filled = 0
        return frame


def reframed(blocks: Iterable[Pcm], frame_samples: int = FRAME_SAMPLES) -> Iterator[Pcm]:
    """Frames of one size out of blocks of any, the last one padded with silence."""
    reframer = Reframer(frame_samples)
    for block in blocks:
        yield from reframer.push(block)
    if (tail := reframer.flush()) is not None:
        yield tail

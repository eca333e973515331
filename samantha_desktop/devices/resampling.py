"""Changing the sample rate of a stream, block by block."""

from __future__ import annotations

import numpy as np
import soxr

from samantha_desktop.core.ports import Pcm


def resample(pcm: Pcm, from_rate_hz: int, to_rate_hz: int) -> Pcm:
    """A whole piece of mono audio at another rate."""
    if from_rate_hz == to_rate_hz:
        return pcm
    resampled: Pcm = soxr.resample(pcm, from_rate_hz, to_rate_hz, quality="HQ")
    return resampled


class StreamResampler:
    """Continuous mono audio from one rate to another; nothing is done when they are equal.

    One thread at a time. Blocks come out with a few milliseconds' delay, which
    `finish` makes up for.
    """

    def __init__(self, from_rate_hz: int, to_rate_hz: int) -> None:
        self.from_rate_hz = from_rate_hz
        self.to_rate_hz = to_rate_hz
        self._stream: soxr.ResampleStream | None = None

    def process(self, block: Pcm) -> Pcm:
        """Resample the next block."""
        if self.from_rate_hz == self.to_rate_hz:
            return block
        if self._stream is None:
            self._stream = soxr.ResampleStream(
                self.from_rate_hz, self.to_rate_hz, 1, dtype="float32", quality="HQ"
            )
        resampled: Pcm = self._stream.resample_chunk(np.ascontiguousarray(block, np.float32))
        return resampled

    def finish(self) -> Pcm:
        """What was held back. The next block begins a new stream."""
        if self._stream is None:
            return np.zeros(0, dtype=np.float32)
        tail: Pcm = self._stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        self._stream = None
        return tail

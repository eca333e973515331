"""What every speaker here has in common: a queue of a second, and a writer that waits.

The queue is short on purpose. What waits in it can no longer be taken back without
being missed, and a second is enough to ride out a pause of the writer.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from samantha_desktop.core.audio import sanitise
from samantha_desktop.core.errors import DeviceError
from samantha_desktop.core.ports import IsCancelled, Pcm, never_cancelled
from samantha_desktop.devices.resampling import StreamResampler, resample
from samantha_desktop.devices.ring import SampleRing

QUEUE_S = 1.0
BLOCK_S = 0.02
"""Samples are queued in blocks of this length, so that `write` can be cancelled between two."""

_POLL_S = 0.01


class QueuedSink(ABC):
    """An `AudioSink` over a ring of `QUEUE_S`.

    `write` and `drain` belong to one thread; `flush`, `pending_s` and `stop` may be
    called from any. A flush ends the write or drain that is under way. While it is
    not open, nothing can be queued and nothing is pending.

    Args:
        sample_rate_hz: the rate of the queue.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self, sample_rate_hz: int, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._is_open = False
        self._n_flushes = 0
        self._resampler: StreamResampler | None = None
        self._use_rate(sample_rate_hz)

    @property
    def sample_rate_hz(self) -> int:
        """The rate at which the device runs."""
        return self._rate_hz

    def write(
        self, pcm: Pcm, sample_rate_hz: int, *, is_cancelled: IsCancelled = never_cancelled
    ) -> int:
        """Queue samples of any rate, waiting while the queue is full.

        Returns: how many of the samples given were queued; fewer than all when
        cancelled or flushed.

        Raises:
            DeviceError: the device is gone and did not come back.
        """
        n_flushes = self._n_flushes
        n_block = max(1, round(BLOCK_S * sample_rate_hz))
        for position in range(0, pcm.size, n_block):
            block = sanitise(pcm[position : position + n_block])
            with self._lock:
                resampled, rate_hz = self._resample(block, sample_rate_hz), self._rate_hz
            if not self._queue(resampled, rate_hz, n_flushes, is_cancelled):
                return position
        return pcm.size

    def pending_s(self) -> float:
        """Seconds queued and not heard yet."""
        with self._lock:
            return self._unheard_s()

    def flush(self) -> float:
        """Throw away what is not heard yet, at once. Returns the seconds thrown away."""
        with self._lock:
            self._n_flushes += 1
            self._resampler = None
            discarded_s = self._unheard_s()
            if discarded_s > 0.0:
                self._discard()
            return discarded_s

    def drain(self, *, is_cancelled: IsCancelled = never_cancelled) -> None:
        """Wait until everything queued was heard, or until cancelled or flushed.

        Raises:
            DeviceError: the device is gone and did not come back.
        """
        n_flushes = self._n_flushes
        with self._lock:
            resampler, self._resampler = self._resampler, None
        if resampler is not None:
            self._queue(resampler.finish(), resampler.to_rate_hz, n_flushes, is_cancelled)
        while not is_cancelled():
            with self._lock:
                unheard_s = self._unheard_s()
                if not self._is_open or self._n_flushes != n_flushes or unheard_s <= 0.0:
                    return
                self._tend()
            self._sleep(min(unheard_s, _POLL_S))

    def stop(self) -> None:
        """Let what is queued be heard, then close. Idempotent; `flush` first to be quick."""
        deadline = self._clock() + 2 * QUEUE_S
        with contextlib.suppress(DeviceError):  # a speaker that is gone closes all the same
            self.drain(is_cancelled=lambda: self._clock() > deadline)
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._close()
                self._ring.discard()

    def _use_rate(self, sample_rate_hz: int) -> None:
        """Begin with an empty queue at this rate."""
        self._rate_hz = sample_rate_hz
        self._ring = SampleRing(round(QUEUE_S * sample_rate_hz))
        self._resampler = None

    def _resample(self, block: Pcm, sample_rate_hz: int) -> Pcm:
        if self._resampler is not None and self._resampler.from_rate_hz == sample_rate_hz:
            return self._resampler.process(block)
        tail = self._resampler.finish() if self._resampler else np.zeros(0, dtype=np.float32)
        self._resampler = StreamResampler(sample_rate_hz, self._rate_hz)
        return np.concatenate((tail, self._resampler.process(block)))

    def _queue(self, block: Pcm, rate_hz: int, n_flushes: int, is_cancelled: IsCancelled) -> bool:
        """Push a block as soon as there is room; False when cancelled or flushed before."""
        while not is_cancelled():
            with self._lock:
                if not self._is_open or self._n_flushes != n_flushes:
                    return False
                self._tend()
                if rate_hz != self._rate_hz:  # the device was changed for another just now
                    block, rate_hz = resample(block, rate_hz, self._rate_hz), self._rate_hz
                n_missing = block.size - self._ring.n_free
                if n_missing <= 0:
                    self._ring.push(block)
                    return True
            self._sleep(min(n_missing / self._rate_hz, _POLL_S))
        return False

    @abstractmethod
    def _tend(self) -> None:
        """Look after the device before waiting for it or queueing to it. Locked."""

    @abstractmethod
    def _unheard_s(self) -> float:
        """Seconds that were queued and did not leave the device yet. Locked."""

    @abstractmethod
    def _discard(self) -> None:
        """Silence the device and empty the queue. Locked."""

    @abstractmethod
    def _close(self) -> None:
        """Close the device. Locked."""

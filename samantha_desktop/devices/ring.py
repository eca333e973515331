"""A ring of samples between an audio callback and an ordinary thread, without a lock.

One thread pushes, one pulls. Each owns one counter and only reads the other's, and a
counter is advanced after the samples were copied, so neither ever sees half a block.
"""

from __future__ import annotations

import numpy as np

from samantha_desktop.core.ports import Pcm


class SampleRing:
    """Preallocated samples and two counters that only grow.

    Attributes:
        capacity: how many samples it holds.
        n_pushed: samples ever pushed; advanced by the pushing thread only.
        n_pulled: position of the next sample to pull; advanced by the pulling thread only.
    """

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, dtype=np.float32)
        self.capacity = capacity
        self.n_pushed = 0
        self.n_pulled = 0

    @property
    def n_waiting(self) -> int:
        """Samples pushed and not pulled yet; above `capacity` when some were overwritten."""
        return self.n_pushed - self.n_pulled

    @property
    def n_free(self) -> int:
        """How many can be pushed without overwriting."""
        return self.capacity - self.n_waiting

    def push(self, block: Pcm) -> None:
        """Copy a block in, over the oldest samples when there is no room.

        A thread that must not overwrite looks at `n_free` first.
        """
        start = self.n_pushed % self.capacity
        n_first = min(block.size, self.capacity - start)
        self._samples[start : start + n_first] = block[:n_first]
        self._samples[: block.size - n_first] = block[n_first:]
        self.n_pushed += block.size

    def pull_into(self, out: Pcm) -> int:
        """Copy waiting samples into `out`; returns how many. For rings never overwritten."""
        n_copied = min(self.n_waiting, out.size)
        self._copy(self.n_pulled, out[:n_copied])
        self.n_pulled += n_copied
        return n_copied

    def pull_newest(self, n_samples: int) -> tuple[Pcm, int] | None:
        """The next samples that were not overwritten, for rings that are.

        Returns: (n_samples,) and the position of the first one, which jumps by what was
        lost; None when not that many are waiting.
        """
        out = np.empty(n_samples, dtype=np.float32)
        while True:
            start = self.n_pulled
            if self.n_pushed - start > self.capacity:
                # Step well clear of what the other thread is writing just now.
                start = self.n_pushed - self.capacity + self.capacity // 8
            if self.n_pushed - start < n_samples:
                return None
            self._copy(start, out)
            if self.n_pushed - start <= self.capacity:
                self.n_pulled = start + n_samples
                return out, start

    def discard(self) -> None:
        """Drop what waits. Only while neither thread is at work."""
        self.n_pulled = self.n_pushed

    def _copy(self, position: int, out: Pcm) -> None:
        start = position % self.capacity
        n_first = min(out.size, self.capacity - start)
        out[:n_first] = self._samples[start : start + n_first]
        out[n_first:] = self._samples[: out.size - n_first]

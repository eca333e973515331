"""A thread that does one engine's work: always the newest request, never a queue of old ones."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from samantha_desktop.core.ports import IsCancelled

Job: TypeAlias = Callable[[IsCancelled], None]


class Worker:
    """Runs the newest job; a newer one, or `cancel`, asks the one before to end.

    Jobs must look at their `IsCancelled` and report their own errors. `submit`, `cancel`
    and `close` may be called from any thread.
    """

    def __init__(self, name: str) -> None:
        self._wake = threading.Condition()
        self._job: tuple[int, Job] | None = None
        self._newest = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Do this next, instead of anything asked for before."""
        with self._wake:
            self._newest += 1
            self._job = (self._newest, job)
            self._wake.notify()

    def cancel(self) -> None:
        """Nothing that was asked for is wanted any more."""
        with self._wake:
            self._newest += 1
            self._job = None

    def close(self, timeout_s: float = 10.0) -> bool:
        """Cancel, and wait for the thread's end. Returns whether it came in time."""
        with self._wake:
            self._newest += 1
            self._job = None
            self._is_closed = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._job is None and not self._is_closed:
                    self._wake.wait()
                if self._job is None:
                    return
                number, job = self._job
                self._job = None
            job(lambda number=number: number != self._newest)  # type: ignore[misc]

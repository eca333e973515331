"""How long an engine's process may take, and how often it may die."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long an engine may take, and how often it may die.

    The times are there to find an engine that hangs, not one that is slow.

    Attributes:
        load_timeout_s: loading, the warm-up included.
        call_timeout_s: a call, or the first item of a stream (a long prompt included).
        item_timeout_s: a further item of a stream.
        ready_timeout_s: how long a call waits for an engine that is starting.
        close_grace_s: between asking the process to end and ending it.
        max_deaths: so many within `deaths_window_s`, and it is not started again.
        deaths_window_s: older deaths are forgotten.
        backoff_s: wait before the second restart, doubled for each further one;
            the first comes at once.
    """

    load_timeout_s: float = 180.0
    call_timeout_s: float = 180.0
    item_timeout_s: float = 60.0
    ready_timeout_s: float = 240.0
    close_grace_s: float = 2.0
    max_deaths: int = 5
    deaths_window_s: float = 60.0
    backoff_s: float = 0.5

    def restart_delay_s(self, died_at_s: Sequence[float]) -> float | None:
        """Seconds to wait after the latest of these deaths; None: give up.

        Args:
            died_at_s: when it died, oldest first, at least once.
        """
        n_recent = sum(died_at_s[-1] - at_s <= self.deaths_window_s for at_s in died_at_s)
        if n_recent >= self.max_deaths:
            return None
        return 0.0 if n_recent == 1 else self.backoff_s * 2.0 ** (n_recent - 2)

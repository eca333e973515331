"""Reading keys and showing progress on a terminal."""

from __future__ import annotations

import sys
import threading

from samantha_desktop.core.messages import EngineKind
from samantha_desktop.core.ports import EngineInfo

HOLD_GAP_S = 0.25
"""A held key repeats at least every 0.1 s on any system; silence so long means it was let go."""


class EngineProgress:
    """Says on standard error, where a person looks on, which engines are ready."""

    def __init__(self, n_engines: int) -> None:
        self._n_engines = n_engines
        self._n_ready = 0
        self._lock = threading.Lock()

    def __call__(self, kind: EngineKind, info: EngineInfo) -> None:
        """An engine is ready. Called on the thread that loaded it."""
        with self._lock:
            self._n_ready += 1
            if not sys.stderr.isatty():
                return
            end = "\n" if self._n_ready == self._n_engines else ""
            text = f"\rWaking up: {self._n_ready} of {self._n_engines} parts ready …"
            print(text, end=end, file=sys.stderr, flush=True)


def wait_for_release() -> None:
    """Return when Enter is pressed, or when a held space bar is let go.

    Without a terminal a line, or the end of standard input, does the same.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        sys.stdin.readline()
        return
    import select
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    n_repeats = 0
    try:
        tty.setcbreak(descriptor)
        while True:
            # One press of the space bar alone is no hold yet: only repeats are.
            wait_s = HOLD_GAP_S if n_repeats > 1 else None
            is_ready = select.select([descriptor], [], [], wait_s)[0]
            if not is_ready:
                return
            key = sys.stdin.read(1)
            if key in ("\n", "\r", ""):
                return
            n_repeats = n_repeats + 1 if key == " " else 0
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

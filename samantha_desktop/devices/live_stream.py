"""A stream that notices when its device goes away, and finds it again.

A device that is unplugged says so in one of three ways: the stream ends by itself; it
claims to be active and is never called back; or it goes on with nothing but zeros,
because the sound service moved it elsewhere. The first two are seen here, the third by
the microphone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from samantha_desktop.core.errors import DeviceError
from samantha_desktop.devices.sound_cards import (
    CardStream,
    Kind,
    SoundDevice,
    lost_error,
    open_stream,
)

if TYPE_CHECKING:
    import sounddevice

GIVE_UP_S = 10.0
STALL_S = 0.5
"""A running stream is called every 20 ms; under full load 31 ms were the most measured."""

_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 2.0
_LONGEST_LOOK_S = 0.1
"""Time between two looks counts at most this much as silence of the device: when the
whole process was held up, the device is not to blame."""


class LiveStream:
    """One direction of one device, kept alive. Owner: one thread, except as noted.

    Args:
        name: of the device, or a part of it; empty: the system's default.
        kind: the direction.
        make: makes the stream for a device; its callback calls `called`, and its end
            `ended`.
        is_playing: whether ending it now would be heard.
        clock: seconds, monotonic.
        give_up_s: how long to look for a device that was lost.
    """

    def __init__(
        self,
        name: str,
        kind: Kind,
        make: Callable[[SoundDevice], sounddevice.InputStream],
        *,
        is_playing: Callable[[], bool],
        clock: Callable[[], float],
        give_up_s: float,
    ) -> None:
        self._name = name
        self._kind: Kind = kind
        self._make = make
        self._is_playing = is_playing
        self._clock = clock
        self._give_up_s = give_up_s
        self._stream: CardStream | None = None
        self._has_ended = False
        self._lost_at: float | None = None
        self._retry_at = 0.0
        self._retry_s = _FIRST_RETRY_S
        self._n_calls_seen = 0
        self._looked_at = 0.0
        self._quiet_s = 0.0
        self.n_calls = 0
        """Callbacks of this opening; counted up by the callback."""
        self.called_at = 0.0
        """When the last one came, or the stream was opened."""

    def called(self) -> None:
        """The stream was called back. From PortAudio's thread."""
        self.called_at = self._clock()
        self.n_calls += 1

    def ended(self) -> None:
        """The stream ended. From PortAudio's thread; a close on purpose is one too."""
        self._has_ended = True

    def open(self) -> None:
        """Open it for the first time, or anew.

        Raises:
            DeviceError: it cannot be opened.
        """
        self.close()
        self.n_calls = self._n_calls_seen = 0
        self._quiet_s = 0.0
        self._has_ended = False
        self._stream = open_stream(self._name, self._kind, self._make, self._is_playing)
        self._looked_at = self._clock()
        self.called_at = max(self.called_at, self._looked_at)

    def tend(self) -> bool:
        """Look whether it runs, and try to open it again when it does not.

        Returns: whether it runs.

        Raises:
            DeviceError: it has been gone for `give_up_s`. Trying again is allowed.
        """
        now = self._clock()
        if self._is_alive(now):
            if self.n_calls > 0:
                self._lost_at = None
                self._retry_s = _FIRST_RETRY_S
            return self._lost_at is None
        if self._lost_at is None:
            self._lost_at = self._retry_at = now
        self.close()
        if now >= self._retry_at:
            try:
                self.open()
            except DeviceError as error:
                if error.is_fatal:
                    raise
            self._retry_at = self._clock() + self._retry_s
            self._retry_s = min(2 * self._retry_s, _LONGEST_RETRY_S)
        if self._stream is None and self._clock() - self._lost_at >= self._give_up_s:
            raise lost_error(self._name, self._kind)
        return False

    def close(self) -> None:
        """Close it at once. Idempotent."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Cut off what sounds, and go on after the block."""
        if self._stream is None:
            yield
            return
        try:
            with self._stream.interrupted():
                yield
                self._has_ended = self._stream.is_closed
        except DeviceError:
            self._has_ended = True

    def _is_alive(self, now: float) -> bool:
        if self._stream is None or self._stream.is_closed or self._has_ended:
            return False
        if self.n_calls != self._n_calls_seen:
            self._n_calls_seen = self.n_calls
            self._quiet_s = 0.0
        else:
            self._quiet_s += min(now - self._looked_at, _LONGEST_LOOK_S)
        self._looked_at = now
        return self._quiet_s < STALL_S

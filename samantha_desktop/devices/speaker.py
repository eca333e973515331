"""The speaker: mono of any rate onto whatever the sound card takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from samantha_desktop.core.audio import sanitise
from samantha_desktop.devices.live_stream import GIVE_UP_S, LiveStream
from samantha_desktop.devices.playback import BLOCK_S, QueuedSink
from samantha_desktop.devices.resampling import resample
from samantha_desktop.devices.sound_cards import SoundDevice, choose_format, portaudio

if TYPE_CHECKING:
    import sounddevice
    from numpy.typing import NDArray

VOICE_SAMPLE_RATE_HZ = 24_000
TAIL_S = 0.06
"""What a sound service still holds when PortAudio believes all was heard; a stream
closed earlier loses it (measured with PulseAudio)."""


class SpeakerSink(QueuedSink):
    """A speaker. An `AudioSink`; threads as `QueuedSink` says.

    The stream runs from `start` to `stop`, so that an answer begins without delay.
    When the device is unplugged, what is queued waits and goes on on the device that
    is found.

    Args:
        name: of the device, or a part of it; empty: the system's default.
        sample_rate_hz: the rate to ask the device for; it may insist on its own.
        give_up_s: how long to look for a speaker that was unplugged.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        name: str = "",
        *,
        sample_rate_hz: int = VOICE_SAMPLE_RATE_HZ,
        give_up_s: float = GIVE_UP_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(sample_rate_hz, clock, sleep)
        self._wanted_rate_hz = sample_rate_hz
        self._live = LiveStream(
            name,
            "output",
            self._make_stream,
            is_playing=lambda: self._ring.n_waiting > 0,
            clock=clock,
            give_up_s=give_up_s,
        )
        self._heard_until = 0.0
        self.dropped_frames = 0
        """Callbacks for which PortAudio reported that the device ran dry before it."""

    def start(self) -> None:
        """Open it.

        Raises:
            DeviceError: there is none, or it cannot be opened.
        """
        with self._lock:
            if not self._is_open:
                self._heard_until = 0.0
                self.dropped_frames = 0
                self._live.open()
                self._is_open = True

    def _make_stream(self, device: SoundDevice) -> sounddevice.OutputStream:
        rate_hz, n_channels = choose_format(device, "output", self._wanted_rate_hz)
        if rate_hz != self._rate_hz:
            self._change_rate(rate_hz)
        ring, live, clock = self._ring, self._live, self._clock
        n_block = round(BLOCK_S * rate_hz)
        mono = np.zeros((n_block, 1), dtype=np.float32)

        def on_block(
            block: NDArray[np.float32],
            n_samples: int,
            times: sounddevice._CallbackTimeInfo,
            status: object,
        ) -> None:
            """PortAudio's thread: nothing here may wait or take memory."""
            n_pulled = ring.pull_into(mono[:n_samples, 0])
            mono[n_pulled:] = 0.0
            block[:] = mono[:n_samples]
            if n_pulled:
                delay_s = times.outputBufferDacTime - times.currentTime
                self._heard_until = clock() + delay_s + n_pulled / rate_hz
            if status:
                self.dropped_frames += 1
            live.called()

        return portaudio().OutputStream(
            device=device.index,
            samplerate=rate_hz,
            channels=n_channels,
            dtype="float32",
            blocksize=n_block,
            latency="low",
            callback=on_block,
            finished_callback=live.ended,
        )

    def _change_rate(self, rate_hz: int) -> None:
        """Keep what is queued when another device insists on another rate."""
        waiting = np.empty(self._ring.n_waiting, dtype=np.float32)
        self._ring.pull_into(waiting)
        queued = resample(waiting, self._rate_hz, rate_hz)
        self._use_rate(rate_hz)
        self._ring.push(sanitise(queued[: self._ring.capacity]))

    def _tend(self) -> None:
        self._live.tend()

    def _unheard_s(self) -> float:
        in_flight_s = max(0.0, self._heard_until - self._clock())
        return self._ring.n_waiting / self._rate_hz + in_flight_s

    def _discard(self) -> None:
        with self._live.interrupted():
            self._ring.discard()
            self._heard_until = 0.0

    def _close(self) -> None:
        self._sleep(TAIL_S)
        self._live.close()

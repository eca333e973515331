"""The microphone: whatever the sound card gives, as frames of 16 kHz mono."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from samantha_desktop.core.audio import Reframer, sanitise
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    SPEECH_SAMPLE_RATE_HZ,
    AudioFrame,
    Pcm,
)
from samantha_desktop.devices.live_stream import GIVE_UP_S, LiveStream
from samantha_desktop.devices.resampling import StreamResampler
from samantha_desktop.devices.ring import SampleRing
from samantha_desktop.devices.sound_cards import SoundDevice, choose_format, portaudio

if TYPE_CHECKING:
    import sounddevice
    from numpy.typing import NDArray

RING_S = 2.0
BLOCK_S = 0.02
ZEROS_S = 5.0
"""So long nothing but zeros: a real microphone never is so quiet, so either it is muted,
or the sound service has moved the stream to something else. Opening it anew finds out."""

_LONGEST_ZEROS_S = 60.0
_POLL_S = 0.008


class MicrophoneSource:
    """A microphone. An `AudioSource`; `read` belongs to one thread.

    PortAudio's thread copies into a ring of `RING_S`. A reader that falls behind loses
    the oldest samples; that, and the time a device was away, is a jump of
    `AudioFrame.start_sample`.

    Args:
        name: of the device, or a part of it; empty: the system's default.
        give_up_s: how long to look for a microphone that was unplugged.
        zeros_s: after how long of exact zeros to open it anew.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        name: str = "",
        *,
        give_up_s: float = GIVE_UP_S,
        zeros_s: float = ZEROS_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._live = LiveStream(
            name,
            "input",
            self._make_stream,
            is_playing=lambda: False,
            clock=clock,
            give_up_s=give_up_s,
        )
        self._is_open = False
        self._zeros_limits_s = (zeros_s, _LONGEST_ZEROS_S)
        self.dropped_frames = 0
        """Callbacks for which PortAudio reported that samples were lost before it."""

    def start(self) -> None:
        """Open it.

        Raises:
            DeviceError: there is none, or it cannot be opened.
        """
        if self._is_open:
            return
        self._ring = SampleRing(1)
        self._ready: deque[AudioFrame] = deque()
        self._next_start = 0  # position of the next frame, in samples of 16 kHz
        self._n_zeros = 0
        self._zeros_limit_s = self._zeros_limits_s[0]
        self.dropped_frames = 0
        self._live.called_at = self._clock()
        self._live.open()
        self._is_open = True

    def read(self, timeout_s: float) -> AudioFrame | None:
        """The next frame; None when none came in time.

        Raises:
            DeviceError: it was unplugged and did not come back. It is looked for again
                by every later call.
        """
        deadline = self._clock() + timeout_s
        while self._is_open:
            self._take_waiting()
            if self._ready:
                return self._ready.popleft()
            self._live.tend()
            wait_s = min(deadline - self._clock(), _POLL_S)
            if wait_s <= 0.0:
                return None
            self._sleep(wait_s)
        return None

    def stop(self) -> None:
        """Close it."""
        self._is_open = False
        self._live.close()

    def _make_stream(self, device: SoundDevice) -> sounddevice.InputStream:
        rate_hz, n_channels = choose_format(device, "input", SPEECH_SAMPLE_RATE_HZ)
        self._begin(rate_hz)
        ring, live = self._ring, self._live
        n_block = round(BLOCK_S * rate_hz)
        mono = np.zeros(n_block, dtype=np.float32)

        def on_block(
            block: NDArray[np.float32], n_samples: int, times: object, status: object
        ) -> None:
            """PortAudio's thread: nothing here may wait or take memory."""
            if n_channels == 1:
                ring.push(block[:, 0])
            else:
                np.mean(block, axis=1, out=mono[:n_samples])
                ring.push(mono[:n_samples])
            if status:
                self.dropped_frames += 1
            live.called()

        return portaudio().InputStream(
            device=device.index,
            samplerate=rate_hz,
            channels=n_channels,
            dtype="float32",
            blocksize=n_block,
            latency="low",
            callback=on_block,
            finished_callback=live.ended,
        )

    def _begin(self, rate_hz: int) -> None:
        """A new ring for a new stream, beginning where the clock says it does."""
        if self._ring.n_pushed:
            self._next_start = self._position_of(self._ring.n_pushed)
        missed_s = self._clock() - self._live.called_at
        self._next_start += round(missed_s * SPEECH_SAMPLE_RATE_HZ)
        self._ring = SampleRing(round(RING_S * rate_hz))
        self._rate_hz = rate_hz
        self._resume_at(0)

    def _resume_at(self, position: int) -> None:
        """Frames go on at this position of the ring, after a gap or at the beginning."""
        if position:
            self._next_start = self._position_of(position)
        self._origin = (position, self._next_start)
        self._expected = position
        self._resampler = StreamResampler(self._rate_hz, SPEECH_SAMPLE_RATE_HZ)
        self._reframer = Reframer(FRAME_SAMPLES)

    def _position_of(self, ring_position: int) -> int:
        """Position in the ring -> samples of 16 kHz since the start."""
        ring_origin, start_origin = self._origin
        n_samples = (ring_position - ring_origin) * SPEECH_SAMPLE_RATE_HZ / self._rate_hz
        return start_origin + round(n_samples)

    def _take_waiting(self) -> None:
        """Turn what waits in the ring into frames."""
        n_block = round(BLOCK_S * self._rate_hz)
        while self._ring.n_waiting > 0:
            taken = self._ring.pull_newest(min(self._ring.n_waiting, n_block))
            if taken is None:
                return
            block, position = taken
            if position != self._expected:
                self._resume_at(position)
            self._expected = position + block.size
            self._watch_zeros(block)
            for pcm in self._reframer.push(self._resampler.process(sanitise(block))):
                self._ready.append(AudioFrame(pcm=pcm, start_sample=self._next_start))
                self._next_start += FRAME_SAMPLES

    def _watch_zeros(self, block: Pcm) -> None:
        if block.any():
            self._n_zeros = 0
            self._zeros_limit_s = self._zeros_limits_s[0]
            return
        self._n_zeros += block.size
        if self._n_zeros >= self._zeros_limit_s * self._rate_hz:
            self._n_zeros = 0
            self._zeros_limit_s = min(2 * self._zeros_limit_s, self._zeros_limits_s[1])
            self._live.close()  # the next look opens it again

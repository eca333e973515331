"""Sound files, and a microphone and a speaker made of them: a shipped device.

`WavSource` and `WavSink` keep real time like hardware does (or run as fast as they are
read), so the demo, the benchmarks and the tests go through the same pipeline as a
person at a desk.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from samantha_desktop.core.audio import float32_to_int16, reframed, sanitise, to_mono
from samantha_desktop.core.errors import AudioFileError, StorageError
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    SPEECH_SAMPLE_RATE_HZ,
    AudioFrame,
    Pcm,
)
from samantha_desktop.devices.playback import QueuedSink
from samantha_desktop.devices.resampling import StreamResampler

MAX_RECORDING_S = 3600.0
"""Longer files are refused: an hour at 16 kHz takes 230 MB, and no one says so much at once."""

_RATES_HZ = range(4_000, 768_001)
"""What recorders produce. A damaged header can claim any rate, and resampling
from 1 Hz would multiply the samples by 16,000."""

_READ_BLOCK_SAMPLES = 65_536
_VOICE_SAMPLE_RATE_HZ = 24_000
_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_RECOVERY_OTHER_FILE = "Choose a sound file: WAV, FLAC, OGG or MP3."


# ------------------------------------------------------------------------ files


def read_sound_file(path: Path, target_rate_hz: int = SPEECH_SAMPLE_RATE_HZ) -> Pcm:
    """Read a sound file of any rate, width and number of channels that libsndfile knows.

    It is read, mixed and resampled in blocks, so memory is bounded by the result. A
    file that was cut short gives what is there; NaN and infinite samples become silence.

    Returns: (n_samples,) at `target_rate_hz`, never empty.

    Raises:
        AudioFileError: missing, unreadable, not audio, without a sample, too long.
    """
    _check_readable(path)
    try:
        with soundfile.SoundFile(os.fspath(path)) as sound:
            if sound.samplerate not in _RATES_HZ:
                raise AudioFileError(
                    f"{path.name} claims a sample rate of {sound.samplerate} Hz, "
                    "so it is damaged or no recording.",
                    recovery=_RECOVERY_OTHER_FILE,
                )
            pieces = list(_resampled(_blocks(sound, path.name), sound.samplerate, target_rate_hz))
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a .raw without a header
        raise AudioFileError(
            f"{path.name} is not a sound file that can be read.",
            recovery=_RECOVERY_OTHER_FILE,
            detail=str(error),
        ) from error
    pcm = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    if pcm.size == 0:
        raise AudioFileError(
            f"{path.name} contains no sound at all.", recovery="Record it again, or choose another."
        )
    return pcm


def write_sound_file(path: Path, pcm: Pcm, sample_rate_hz: int) -> None:
    """Write a .wav or .flac file of 16 bits: the whole file, or nothing.

    Raises:
        AudioFileError: another ending, or samples that are not numbers.
        StorageError: no space, no permission, no such folder.
    """
    path = path.resolve()  # through a link: replace what it points to, not the link
    if path.suffix.lower() not in _FORMATS:
        raise AudioFileError(
            f"{path.name} does not end in a sound format that can be written.",
            recovery="Let the name end in .wav or .flac.",
        )
    if not np.isfinite(pcm).all():
        raise AudioFileError(
            f"The sound for {path.name} is damaged, so it was not written.",
            recovery="Try again; if it happens again, run `samantha doctor`.",
            detail="NaN or infinite samples",
        )
    encoded = io.BytesIO()  # in memory first: a full disk then is an OSError that says so
    soundfile.write(
        encoded,
        float32_to_int16(pcm),
        sample_rate_hz,
        format=_FORMATS[path.suffix.lower()],
        subtype="PCM_16",
    )
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():
            raise OSError(f"{path} exists and is not a regular file")
        try:
            with partial.open("wb") as file:
                file.write(encoded.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path.name} could not be written: {error.strerror or error}.",
            recovery="Check the folder, its permissions and the free space, or choose another.",
            detail=str(error),
        ) from error


def _check_readable(path: Path) -> None:
    """Tell a person what is the matter before libsndfile says 'System error'."""
    problem = ""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            problem = f"{path.name or path} is a folder, not a sound file."
        elif not stat.S_ISREG(status.st_mode):  # a pipe would wait for ever
            problem = f"{path.name} is not a regular file."
        elif status.st_size == 0:
            problem = f"{path.name} is empty."
        else:
            path.open("rb").close()
    except FileNotFoundError:
        problem = f"There is no file {path}."
    except PermissionError:
        raise AudioFileError(
            f"{path.name} may not be read.", recovery="Change its permissions, or choose another."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise AudioFileError(
            "The sound file could not be opened.", recovery="Check its name.", detail=str(error)
        ) from error
    if problem:
        raise AudioFileError(problem, recovery=_RECOVERY_OTHER_FILE)


def _blocks(sound: soundfile.SoundFile, name: str) -> Iterator[Pcm]:
    """Mono, sanitised blocks; ends where the file ends or is broken off."""
    n_left = round(MAX_RECORDING_S * sound.samplerate)
    is_first = True
    while True:
        try:
            block = sound.read(_READ_BLOCK_SAMPLES, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            if is_first:
                raise
            return  # cut short in the middle of a compressed block: keep what came before
        if block.shape[0] == 0:
            return
        n_left -= block.shape[0]
        if n_left < 0:
            raise AudioFileError(
                f"{name} is longer than {MAX_RECORDING_S / 60:.0f} minutes.",
                recovery="Cut out the part you want to be heard.",
            )
        is_first = False
        # Before mixing too: one NaN channel must not silence the other.
        yield to_mono(sanitise(block))


def _resampled(blocks: Iterator[Pcm], from_rate_hz: int, to_rate_hz: int) -> Iterator[Pcm]:
    resampler = StreamResampler(from_rate_hz, to_rate_hz)
    for block in blocks:
        yield sanitise(resampler.process(block))  # a filter overshoots a clipped signal's edges
    yield sanitise(resampler.finish())


# ------------------------------------------------------------------ microphone


class WavSource:
    """A recording that comes in as from a microphone. An `AudioSource`; one reading thread.

    Args:
        pcm: (n_samples,) at 16 kHz, as `read_sound_file` gives it.
        is_paced: True: a frame is there when its last sample was spoken, so a reader
            waits as it would for a person. False: as fast as it is read.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        pcm: Pcm,
        *,
        is_paced: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pcm = pcm
        self._is_paced = is_paced
        self._clock = clock
        self._sleep = sleep
        self._frames: Iterator[Pcm] | None = None
        self._n_read = 0
        self.started_at: float | None = None
        """When the first sample was spoken, on the clock; sample i is spoken at
        `started_at + i / 16000`."""

    def start(self) -> None:
        """Begin at the beginning."""
        self._frames = reframed([self._pcm])
        self._n_read = 0
        self.started_at = self._clock()

    def read(self, timeout_s: float) -> AudioFrame | None:
        """The next frame; the last one is padded with silence.

        Raises:
            EOFError: the recording has ended.
        """
        if self._frames is None or self.started_at is None:
            return None
        if self._n_read >= self._pcm.size:
            raise EOFError
        if self._is_paced:
            spoken_at = self.started_at + (self._n_read + FRAME_SAMPLES) / SPEECH_SAMPLE_RATE_HZ
            wait_s = spoken_at - self._clock()
            if wait_s > timeout_s:
                self._sleep(timeout_s)
                return None
            if wait_s > 0.0:
                self._sleep(wait_s)
        frame = AudioFrame(pcm=next(self._frames), start_sample=self._n_read)
        self._n_read += FRAME_SAMPLES
        return frame

    def stop(self) -> None:
        """End it."""
        self._frames = None


# --------------------------------------------------------------------- speaker


class WavSink(QueuedSink):
    """A speaker that keeps what was heard. An `AudioSink`.

    Paced, it plays its queue against the clock like a sound card without latency: from
    the first sample on, a moment for which nothing was queued in time is silence in the
    recording, of the length a listener would have sat through; `flush` cuts what was
    not heard yet. Unpaced, everything is heard at once.

    Args:
        sample_rate_hz: at which it plays and records.
        is_paced: whether it takes real time.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        sample_rate_hz: int = _VOICE_SAMPLE_RATE_HZ,
        *,
        is_paced: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(sample_rate_hz, clock, sleep)
        self._is_paced = is_paced
        self._forget()

    @property
    def started_at(self) -> float | None:
        """When the first sample of `heard` sounded, on the clock; None before it did."""
        with self._lock:
            self._play_due()
            return self._started_at

    def start(self) -> None:
        """Begin a new recording."""
        with self._lock:
            self._ring.discard()
            self._resampler = None
            self._forget()
            self._is_open = True

    def heard(self) -> Pcm:
        """(n_samples,) from the first sample to the last one that sounded so far.

        Sample i sounded at `started_at + i / sample_rate_hz`. Silence after the last
        sample is not part of it.
        """
        with self._lock:
            self._play_due()
            return np.concatenate([np.zeros(0, dtype=np.float32), *self._pieces])

    def _forget(self) -> None:
        self._started_at: float | None = None
        self._looked_at = self._clock()
        self._pieces: list[Pcm] = []
        self._n_played = 0  # silence that came after the last piece included
        self._n_silent = 0  # of them, not in the pieces yet

    def _tend(self) -> None:
        self._play_due()

    def _unheard_s(self) -> float:
        self._play_due()
        return self._ring.n_waiting / self._rate_hz

    def _discard(self) -> None:
        self._ring.discard()

    def _close(self) -> None:
        """Nothing to close: what was heard stays."""

    def _play_due(self) -> None:
        """Let the clock's time pass at the speaker. Called before every look at the queue."""
        if self._started_at is None:
            if self._ring.n_waiting == 0:
                self._looked_at = self._clock()
                return
            self._started_at = self._looked_at  # just before the first samples were queued
        n_due = self._ring.n_waiting
        if self._is_paced:
            elapsed_s = self._clock() - self._started_at
            n_due = max(0, int(elapsed_s * self._rate_hz) - self._n_played)
        piece = np.empty(min(n_due, self._ring.n_waiting), dtype=np.float32)
        self._ring.pull_into(piece)
        if piece.size:
            if self._n_silent:
                self._pieces.append(np.zeros(self._n_silent, dtype=np.float32))
                self._n_silent = 0
            self._pieces.append(piece)
        self._n_silent += n_due - piece.size
        self._n_played += n_due

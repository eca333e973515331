"""A sound card that exists only for a test: a private PulseAudio with a microphone and a speaker.

A test module asks for one with `pytest_plugins = ("virtual_sound_fixtures",)` and the
fixture `virtual_card`. Both paths are bit-exact at the card's own rates (16 kHz in, 24 kHz out).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from samantha_desktop.core.audio import int16_to_float32
from samantha_desktop.core.ports import Pcm
from samantha_desktop.devices.wav_io import write_sound_file

MICROPHONE_RATE_HZ = 16_000
SPEAKER_RATE_HZ = 24_000
_STARTING_S = 20.0

# norewinds=1: without it the first callback comes up to a second late and some
# recordings are silently damaged.
_MICROPHONE = ("module-remap-source", "source_name=mic", "master=mic_feed.monitor")
_SPEAKER = (
    "module-null-sink",
    "sink_name=speaker",
    "format=s16le",
    f"rate={SPEAKER_RATE_HZ}",
    "channels=1",
    "norewinds=1",
)
_MICROPHONE_FEED = (
    "module-null-sink",
    "sink_name=mic_feed",
    "format=s16le",
    f"rate={MICROPHONE_RATE_HZ}",
    "channels=1",
    "norewinds=1",
)


class Recording:
    """What came out of the speaker; complete after the `record_speaker` block."""

    def __init__(self) -> None:
        self.pcm: Pcm = np.zeros(0, dtype=np.float32)


class VirtualCard:
    """The card and its sound server, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_CLIENTCONFIG": str(folder / "client.conf"),
        }
        folder.chmod(0o700)
        (folder / "client.conf").write_text(
            f"autospawn = no\nenable-shm = no\ncookie-file = {folder}/cookie\n"
        )
        lines = [
            ".fail",
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native",
            *(f"load-module {' '.join(m)}" for m in (_SPEAKER, _MICROPHONE_FEED, _MICROPHONE)),
            "set-default-sink speaker",
            "set-default-source mic",
        ]
        (folder / "native.pa").write_text("\n".join(lines) + "\n")
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = self.folder / "pulseaudio.log"
        self._server = subprocess.Popen(
            [
                *("pulseaudio", "-n", "-F", str(self.folder / "native.pa"), "--daemonize=no"),
                *("--exit-idle-time=-1", "--use-pid-file=false", "--disable-shm=true"),
                *("--realtime=false", "--high-priority=false", "--log-level=error"),
                f"--log-target=file:{log}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _STARTING_S
        while subprocess.run(["pactl", "info"], capture_output=True).returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PulseAudio does not start: {log.read_text()}", pytrace=False)
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server without a word to its clients."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None
        (self.folder / "native").unlink(missing_ok=True)

    def pactl(self, *arguments: str) -> str:
        """Give the server an order, or ask it something."""
        return subprocess.run(
            ["pactl", *arguments], capture_output=True, text=True, check=True
        ).stdout

    def unplug_microphone(self) -> None:
        """Take the source away; the server moves its streams to another one."""
        self._unload(_MICROPHONE[0])

    def plug_in_microphone(self) -> None:
        """Give the source back."""
        self.pactl("load-module", *_MICROPHONE)
        self.pactl("set-default-source", "mic")

    def unplug_speaker(self) -> None:
        """Take every sink away; the server ends their streams."""
        self._unload(_SPEAKER[0])

    def plug_in_speaker(self) -> None:
        """Give the sinks back."""
        self.pactl("load-module", *_SPEAKER)
        self.pactl("load-module", *_MICROPHONE_FEED)
        self.pactl("set-default-sink", "speaker")

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """The devices do nothing at all, and nobody says so."""
        for sink in ("speaker", "mic_feed"):
            self.pactl("suspend-sink", sink, "1")
        yield
        for sink in ("speaker", "mic_feed"):
            self.pactl("suspend-sink", sink, "0")

    @contextmanager
    def playing_into_microphone(self, pcm: Pcm) -> Iterator[None]:
        """Someone speaks, until it was said or the block is left."""
        path = self.folder / "said.wav"
        write_sound_file(path, pcm, MICROPHONE_RATE_HZ)
        player = subprocess.Popen(
            ["paplay", "--device=mic_feed", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            player.kill()
            player.wait()

    @contextmanager
    def record_speaker(self) -> Iterator[Recording]:
        """Hold a microphone to the speaker while the block runs."""
        recording = Recording()
        path = self.folder / "heard.raw"
        with path.open("wb") as file:
            recorder = subprocess.Popen(
                [
                    *("parec", "--device=speaker.monitor", "--format=s16le", "--channels=1"),
                    *(f"--rate={SPEAKER_RATE_HZ}", "--latency-msec=20", "--raw"),
                ],
                stdout=file,
                stderr=subprocess.DEVNULL,
            )
            try:
                deadline = time.monotonic() + _STARTING_S
                while path.stat().st_size == 0 and time.monotonic() < deadline:
                    time.sleep(0.01)
                yield recording
                # What was heard last is still on its way through the recorder.
                n_bytes = path.stat().st_size + SPEAKER_RATE_HZ // 2
                while path.stat().st_size < n_bytes and time.monotonic() < deadline:
                    time.sleep(0.01)
            finally:
                recorder.terminate()
                recorder.wait()
        samples = np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], dtype=np.int16)
        recording.pcm = int16_to_float32(samples)

    def _unload(self, module: str) -> None:
        for line in self.pactl("list", "short", "modules").splitlines():
            number, name = line.split("\t")[:2]
            if name == module:
                self.pactl("unload-module", number)


def matching_part(heard: Pcm, original: Pcm) -> tuple[float, int]:
    """Where `original` lies in `heard`: the correlation there, and the first sample."""
    n_fft = 1 << (heard.size + original.size).bit_length()
    spectrum = np.fft.rfft(heard, n_fft) * np.conj(np.fft.rfft(original, n_fft))
    position = int(np.argmax(np.fft.irfft(spectrum, n_fft)[: heard.size]))
    part = heard[position : position + original.size]
    if part.size < original.size // 2 or not part.any():
        return 0.0, position
    return float(np.corrcoef(part, original[: part.size])[0, 1]), position


def share_heard(heard: Pcm, original: Pcm, n_pieces: int = 20) -> float:
    """How much of `original` came through, wherever it lies in `heard`.

    For what must survive, in contrast to what must be exact: on a machine under load a
    sound card may run dry for a moment, which moves all that follows.
    """
    pieces = np.array_split(original, n_pieces)
    return sum(matching_part(heard, piece)[0] > 0.98 for piece in pieces) / n_pieces

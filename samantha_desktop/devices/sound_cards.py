"""The machine's sound cards, through PortAudio.

PortAudio is one per process and lists the devices once, when it starts. To see a
device that was plugged in later it must be started anew, which ends every open stream.
That is why all streams are opened and closed here, under one lock.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Literal, TypeAlias

from samantha_desktop.core.errors import DeviceError

if TYPE_CHECKING:
    import sounddevice

Kind: TypeAlias = Literal["input", "output"]

_NOUNS: dict[Kind, str] = {"input": "microphone", "output": "speaker"}
CLOSING_S = 2.0
"""Closing takes a few milliseconds, unless PortAudio never answers again."""

_NO_DEVICE_RECOVERY = (
    "Plug one in, and check that the system's sound service (PulseAudio or PipeWire on Linux) "
    "runs. Without one you can still type: `samantha chat`."
)


@dataclass(frozen=True)
class SoundDevice:
    """A device as PortAudio lists it.

    Attributes:
        index: PortAudio's number, good until devices are plugged or unplugged.
        name: what the system calls it.
        host_api: "ALSA", "Core Audio", "Windows WASAPI" ...
        n_inputs: channels it records; 0 for a speaker.
        n_outputs: channels it plays; 0 for a microphone.
        default_rate_hz: the rate it runs at when nobody asks for another.
        is_default_host_api: whether it belongs to the host API the system prefers.
        is_default_input: whether it is the microphone the system prefers.
        is_default_output: whether it is the speaker the system prefers.
    """

    index: int
    name: str
    host_api: str
    n_inputs: int
    n_outputs: int
    default_rate_hz: int
    is_default_host_api: bool
    is_default_input: bool
    is_default_output: bool

    def n_channels(self, kind: Kind) -> int:
        """Channels in one direction."""
        return self.n_inputs if kind == "input" else self.n_outputs

    def is_default(self, kind: Kind) -> bool:
        """Whether it is the one the system prefers in one direction."""
        return self.is_default_input if kind == "input" else self.is_default_output


class CardStream:
    """An open PortAudio stream. `lost` tells that it ended without being asked to."""

    def __init__(self, raw: sounddevice.InputStream, is_playing: Callable[[], bool]) -> None:
        self._raw = raw
        self.is_playing = is_playing
        self.is_closed = False

    def close(self) -> None:
        """Cut it off at once. Idempotent."""
        with _lock:
            if self.is_closed:
                return
            self.is_closed = True
            _open_streams.remove(self)
            # PortAudio's ALSA thread goes round for ever when its device dies before the
            # first block (PaAlsaStream_WaitForFrames jumps back to its own error label),
            # and `abort` waits for that thread. Nobody here may wait with it.
            closer = threading.Thread(target=self._end, name="sound-closer", daemon=True)
            closer.start()
            closer.join(CLOSING_S)
            if closer.is_alive():
                _is_stuck.set()
                atexit.unregister(portaudio()._exit_handler)  # it would wait, too

    def _end(self) -> None:
        self._raw.abort()
        self._raw.close()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Cut off what sounds (within a millisecond), and go on afterwards.

        Raises:
            DeviceError: it could not be started again.
        """
        with _lock:
            if not self.is_closed:
                self._raw.abort()
            yield
            if not self.is_closed:
                try:
                    self._raw.start()
                except portaudio().PortAudioError as error:
                    raise DeviceError("The sound device stopped.", detail=str(error)) from error


_lock = threading.RLock()
_open_streams: list[CardStream] = []
_is_stuck = threading.Event()


def portaudio() -> ModuleType:
    """The sounddevice library, loaded when first needed.

    Raises:
        DeviceError: PortAudio itself is not installed.
    """
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "The sound library PortAudio is not installed.",
            recovery="Install it: `sudo apt-get install libportaudio2` on Debian and Ubuntu, "
            "`sudo dnf install portaudio` on Fedora, `sudo pacman -S portaudio` on Arch.",
            detail=str(error),
        ) from error
    module: ModuleType = sounddevice
    return module


def list_devices() -> list[SoundDevice]:
    """All devices, in PortAudio's order; none without a sound card or sound service.

    Raises:
        DeviceError: PortAudio itself is not installed.
    """
    sd = portaudio()
    with _lock:
        try:
            host_apis = sd.query_hostapis()
            default_host_api = sd.default.hostapi
            default_input, default_output = sd.default.device
            found = sd.query_devices()
        except sd.PortAudioError:
            return []
    return [
        SoundDevice(
            index=entry["index"],
            name=entry["name"],
            host_api=host_apis[entry["hostapi"]]["name"],
            n_inputs=entry["max_input_channels"],
            n_outputs=entry["max_output_channels"],
            default_rate_hz=round(entry["default_samplerate"]),
            is_default_host_api=entry["hostapi"] == default_host_api,
            is_default_input=entry["index"] == default_input,
            is_default_output=entry["index"] == default_output,
        )
        for entry in found
    ]


def find_device(name: str, kind: Kind) -> SoundDevice:
    """The device whose name contains `name`, in whatever case; empty: the system's default.

    Of several, the one that is called exactly so, then one of the preferred host API.

    Raises:
        DeviceError: none; the message names what there is.
    """
    return choose_device(list_devices(), name, kind)


def choose_device(devices: list[SoundDevice], name: str, kind: Kind) -> SoundDevice:
    """`find_device` on a given list.

    Raises:
        DeviceError: none fits.
    """
    devices = [device for device in devices if device.n_channels(kind) > 0]
    if not devices:
        raise DeviceError(f"No {_NOUNS[kind]} was found.", recovery=_NO_DEVICE_RECOVERY)
    if not name:
        return next((device for device in devices if device.is_default(kind)), devices[0])
    wanted = name.casefold()
    matches = [device for device in devices if wanted in device.name.casefold()]
    if not matches:
        names = ", ".join(dict.fromkeys(device.name for device in devices))
        raise DeviceError(
            f"There is no {_NOUNS[kind]} called “{name}”.", recovery=f"Choose one of: {names}."
        )
    return min(
        matches,
        key=lambda device: (
            device.name.casefold() != wanted,
            not device.is_default_host_api,
            device.index,
        ),
    )


def choose_format(device: SoundDevice, kind: Kind, wanted_rate_hz: int) -> tuple[int, int]:
    """A sample rate and number of channels that the device accepts, the nearest to mono.

    Raises:
        DeviceError: it accepts none, being busy or gone.
    """
    sd = portaudio()
    check = sd.check_input_settings if kind == "input" else sd.check_output_settings
    n_channels = device.n_channels(kind)
    problem: Exception | None = None
    for rate_hz in dict.fromkeys((wanted_rate_hz, device.default_rate_hz)):
        for n_wanted in dict.fromkeys((1, min(2, n_channels), n_channels)):
            try:
                check(device=device.index, channels=n_wanted, dtype="float32", samplerate=rate_hz)
            except (sd.PortAudioError, ValueError) as error:  # ValueError: it is gone
                problem = error
            else:
                return rate_hz, n_wanted
    raise cannot_open(device, kind) from problem


def cannot_open(device: SoundDevice, kind: Kind) -> DeviceError:
    """The error for a device that is listed and cannot be used."""
    return DeviceError(
        f"The {_NOUNS[kind]} “{device.name}” could not be opened.",
        recovery="Check that it is plugged in and that no other program keeps it for itself.",
    )


def lost_error(name: str, kind: Kind) -> DeviceError:
    """The error for a device that was in use and did not come back."""
    called = f" “{name}”" if name else ""
    return DeviceError(
        f"The {_NOUNS[kind]}{called} was disconnected.",
        recovery="Plug it in again, or choose another one in the settings.",
    )


def open_stream(
    name: str,
    kind: Kind,
    make: Callable[[SoundDevice], sounddevice.InputStream],
    is_playing: Callable[[], bool],
) -> CardStream:
    """Find a device, open a stream on it and start it.

    When that fails the list of devices is renewed and it is tried once more, unless
    that would cut off something that is being played.

    Args:
        name: as for `find_device`.
        kind: the direction.
        make: makes the stream; called with the lock held, and maybe twice.
        is_playing: asked before anyone else's renewal would end this stream.

    Raises:
        DeviceError: there is no such device, or it cannot be opened.
    """
    with _lock:
        _check_answering()
        try:
            return _open(name, kind, make, is_playing)
        except DeviceError:
            if any(stream.is_playing() for stream in _open_streams):
                raise
            rescan()
            return _open(name, kind, make, is_playing)


def rescan() -> None:
    """Renew the list of devices. Every open stream ends; its owner opens it again.

    Raises:
        DeviceError: PortAudio is not installed, or does not answer any more.
    """
    sd = portaudio()
    with _lock:
        for stream in tuple(_open_streams):
            stream.close()
        _check_answering()
        # The library has no public way to do this.
        sd._terminate()
        sd._initialize()


def _check_answering() -> None:
    if _is_stuck.is_set():
        raise DeviceError(
            "The system's sound library does not answer any more.",
            recovery="Close Samantha and open her again.",
            detail="PortAudio did not end a stream",
            is_fatal=True,
        )


def _open(
    name: str,
    kind: Kind,
    make: Callable[[SoundDevice], sounddevice.InputStream],
    is_playing: Callable[[], bool],
) -> CardStream:
    sd = portaudio()
    device = find_device(name, kind)
    try:
        raw = make(device)
    except (sd.PortAudioError, ValueError) as error:
        raise cannot_open(device, kind) from error
    try:
        raw.start()
    except sd.PortAudioError as error:
        raw.close()
        raise cannot_open(device, kind) from error
    stream = CardStream(raw, is_playing)
    _open_streams.append(stream)
    return stream

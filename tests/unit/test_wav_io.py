"""Sound files of every kind, good and bad, and the recording that plays a microphone."""

from __future__ import annotations

import os
import resource
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from samantha_desktop.core.audio import rms
from samantha_desktop.core.errors import AudioFileError, StorageError
from samantha_desktop.core.ports import FRAME_SAMPLES, AudioFrame, Pcm
from samantha_desktop.devices import wav_io
from samantha_desktop.devices.resampling import StreamResampler, resample
from samantha_desktop.devices.wav_io import WavSource, read_sound_file, write_sound_file


def tone(duration_s: float, rate_hz: int, amplitude: float = 0.5) -> Pcm:
    t = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def assert_is_the_tone(pcm: Pcm, duration_s: float = 1.0, tolerance: float = 0.02) -> None:
    assert pcm.dtype == np.float32
    assert pcm.ndim == 1
    assert abs(pcm.size - 16_000 * duration_s) <= 16
    expected = tone(duration_s, 16_000)
    n_samples = min(pcm.size, expected.size)
    inner = slice(400, n_samples - 400)  # a resampling filter rings at the hard edges
    assert np.abs(pcm[inner] - expected[inner]).max() < tolerance


# ------------------------------------------------------------------ good files


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_any_rate_and_width_is_read(tmp_path: Path, rate_hz: int, subtype: str) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(1.0, rate_hz), rate_hz, subtype=subtype)
    assert_is_the_tone(read_sound_file(path))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_32", "DOUBLE", "ULAW"])
def test_odd_widths_are_read(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(1.0, 16_000), 16_000, subtype=subtype)
    assert_is_the_tone(read_sound_file(path), tolerance=0.05)


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3", "aiff"])
def test_other_formats_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"tone.{ending}"
    soundfile.write(path, tone(1.0, 44_100), 44_100)
    pcm = read_sound_file(path)
    assert 15_900 < pcm.size < 18_000  # mp3 pads its ends
    assert rms(pcm) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_the_name_need_not_say_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "Aufnahme 1 – ü.dat"
    soundfile.write(path, tone(1.0, 16_000), 16_000, format="WAV")
    assert_is_the_tone(read_sound_file(path))


def test_stereo_is_mixed(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left = tone(1.0, 48_000, amplitude=0.8)
    soundfile.write(path, np.stack((left, left * 0.25), axis=1), 48_000)
    assert_is_the_tone(read_sound_file(path))


def test_another_rate_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(1.0, 16_000), 16_000)
    assert read_sound_file(path, 24_000).size == 24_000


def test_silent_and_clipped_files_are_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(16_000, dtype=np.float32), 16_000)
    assert not read_sound_file(path).any()
    clipped = np.clip(tone(1.0, 44_100, amplitude=5.0), -1.0, 1.0)
    soundfile.write(path, clipped, 44_100)
    pcm = read_sound_file(path)
    assert np.abs(pcm).max() <= 1.0
    assert np.mean(np.abs(pcm) > 0.95) > 0.5


def test_too_loud_float_samples_are_clipped(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, tone(1.0, 16_000, amplitude=3.0), 16_000, subtype="FLOAT")
    assert np.abs(read_sound_file(path)).max() == 1.0


def test_damaged_samples_become_silence_and_harm_no_others(tmp_path: Path) -> None:
    path = tmp_path / "damaged.wav"
    stereo = np.stack([tone(1.0, 48_000)] * 2, axis=1)
    stereo[24_000] = np.nan
    stereo[24_001] = np.inf
    stereo[24_002] = -np.inf
    soundfile.write(path, stereo, 48_000, subtype="FLOAT")
    pcm = read_sound_file(path)
    assert np.isfinite(pcm).all()
    far = np.r_[400:7_000, 9_000:15_000]
    assert np.abs(pcm[far] - tone(1.0, 16_000)[far]).max() < 0.02


def test_a_cut_off_file_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, tone(2.0, 16_000), 16_000)
    path.write_bytes(path.read_bytes()[: 44 + 32_000])
    assert_is_the_tone(read_sound_file(path))


@pytest.mark.parametrize("ending", ["flac", "ogg", "mp3"])
def test_a_cut_off_compressed_file_gives_what_is_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"cut.{ending}"
    rng = np.random.default_rng(1)
    noise = (0.1 * rng.standard_normal(16_000 * 20)).astype(np.float32)
    soundfile.write(path, noise, 16_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 5 * 16_000 < read_sound_file(path).size < 12 * 16_000


def test_ten_minutes_are_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    block = np.stack([tone(1.0, 48_000)] * 2, axis=1)
    with soundfile.SoundFile(path, "w", 48_000, 2) as file:
        for _ in range(600):
            file.write(block)
    tracemalloc.start()
    pcm = read_sound_file(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert pcm.size == 600 * 16_000
    # The result twice, while its pieces are joined; the file itself holds 230 MB as floats.
    assert peak_bytes < 2.2 * pcm.nbytes


# ------------------------------------------------------------------- bad files


def wav_header(rate_hz: int, n_bytes: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + n_bytes, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16),
        *(b"data", n_bytes),
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.wav", b"", "empty"),
        ("text.wav", b"I am a poem, not a sound.\n" * 40, "not a sound file"),
        ("image.png", b"\x89PNG\r\n\x1a\n" + bytes(1000), "not a sound file"),
        ("header.raw", bytes(1000), "not a sound file"),
        ("zeros.wav", bytes(5000), "not a sound file"),
        ("cut.wav", wav_header(16_000, 32_000)[:20], "not a sound file"),
        ("none.wav", wav_header(16_000, 0), "no sound at all"),
        ("promise.wav", wav_header(16_000, 32_000), "no sound at all"),
        ("slow.wav", wav_header(1, 2000) + bytes(2000), "sample rate of 1 Hz"),
        ("fast.wav", wav_header(2_000_000_000, 2000) + bytes(2000), "sample rate"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=message) as caught:
        read_sound_file(path)
    assert name in caught.value.user_message
    assert caught.value.recovery


def test_what_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path, message in [
        (tmp_path / "missing.wav", "There is no file"),
        (tmp_path, "is a folder"),
        (tmp_path / "pipe.wav", "not a regular file"),
        (tmp_path / ("x" * 5000), "could not be opened"),
        (tmp_path / "zero\0.wav", "could not be opened"),
    ]:
        with pytest.raises(AudioFileError, match=message) as caught:
            read_sound_file(path)
        assert caught.value.recovery


def test_what_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(b"x")

    def forbid(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbid)  # root may read everything, so no chmod
    with pytest.raises(AudioFileError, match=r"secret.wav may not be read\..*permissions"):
        read_sound_file(path)


def test_hours_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, tone(2.0, 16_000), 16_000)
    monkeypatch.setattr(wav_io, "MAX_RECORDING_S", 1.5)
    with pytest.raises(AudioFileError, match="longer than"):
        read_sound_file(path)


# --------------------------------------------------------------------- writing


@pytest.mark.parametrize("ending", ["wav", "flac", "WAV"])
def test_what_was_written_is_read_again(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"tone.{ending}"
    path.write_bytes(b"what was there before")
    write_sound_file(path, tone(1.0, 16_000), 16_000)
    assert np.abs(read_sound_file(path) - tone(1.0, 16_000)).max() < 1 / 32768
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_nothing_and_too_loud_can_be_written(tmp_path: Path) -> None:
    write_sound_file(tmp_path / "a.wav", np.zeros(0, dtype=np.float32), 24_000)
    write_sound_file(tmp_path / "b.wav", np.full(10, 2.0, dtype=np.float32), 24_000)
    assert soundfile.info(tmp_path / "a.wav").frames == 0
    assert read_sound_file(tmp_path / "b.wav", 24_000).min() > 0.99


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to(tmp_path / "target.wav")
    write_sound_file(tmp_path / "link.wav", tone(0.1, 16_000), 16_000)
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "target.wav").is_file()


def test_a_full_disk_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "answer.wav"
    path.write_bytes(b"the old one")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"answer.wav could not be written.*free space"):
            write_sound_file(path, tone(1.0, 16_000), 16_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"the old one"
    assert [file.name for file in tmp_path.iterdir()] == ["answer.wav"]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").write_text("")
    for path in (
        tmp_path / "missing" / "a.wav",
        tmp_path / "folder.wav",
        tmp_path / "file" / "a.wav",
        tmp_path / f"{'x' * 300}.wav",
    ):
        with pytest.raises(StorageError, match="could not be written") as caught:
            write_sound_file(path, tone(0.1, 16_000), 16_000)
        assert caught.value.recovery
    assert (tmp_path / "folder.wav").is_dir()


def test_damaged_samples_and_unknown_endings_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="damaged"):
        write_sound_file(tmp_path / "a.wav", np.array([0.0, np.nan], dtype=np.float32), 16_000)
    with pytest.raises(AudioFileError, match=r"\.wav or \.flac"):
        write_sound_file(tmp_path / "a.docx", tone(0.1, 16_000), 16_000)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------- resampling


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 48_000), (44_100, 16_000), (8_000, 8_000)])
def test_blocks_resample_to_what_the_whole_does(from_hz: int, to_hz: int) -> None:
    pcm = tone(1.0, from_hz)
    stream = StreamResampler(from_hz, to_hz)
    for _ in range(2):  # after finish it begins anew
        pieces = [stream.process(pcm[i : i + 480]) for i in range(0, pcm.size, 480)]
        whole = np.concatenate((*pieces, stream.finish()))
        assert whole.size == pytest.approx(to_hz, abs=1)
        expected = resample(pcm, from_hz, to_hz)
        assert np.abs(whole[: expected.size] - expected[: whole.size]).max() < 1e-3


# ------------------------------------------------------------------ microphone


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        self.now += duration_s


def read_to_the_end(source: WavSource, timeout_s: float = 1.0) -> list[AudioFrame]:
    frames = []
    with pytest.raises(EOFError):
        while True:
            frame = source.read(timeout_s)
            assert frame is not None
            frames.append(frame)
    return frames


def test_a_recording_is_read_in_frames_of_the_microphone() -> None:
    pcm = tone(0.1, 16_000)
    source = WavSource(pcm, is_paced=False)
    source.start()
    frames = read_to_the_end(source)
    assert [frame.start_sample for frame in frames] == [0, 512, 1024, 1536]
    joined = np.concatenate([frame.pcm for frame in frames])
    assert np.array_equal(joined[: pcm.size], pcm)
    assert not joined[pcm.size :].any()
    with pytest.raises(EOFError):
        source.read(1.0)


def test_a_paced_frame_comes_when_it_was_spoken() -> None:
    time = FakeTime()
    source = WavSource(tone(0.1, 16_000), clock=time.clock, sleep=time.sleep)
    source.start()
    assert source.started_at == 100.0
    assert source.read(0.01) is None  # the frame is 32 ms long
    assert time.now == pytest.approx(100.01)
    assert source.read(0.1) is not None
    assert time.now == pytest.approx(100.032)
    time.now += 0.05  # the reader was busy: what it missed is waiting, nothing is lost
    assert source.read(0.0) is not None
    assert time.now == pytest.approx(100.082)
    read_to_the_end(source)
    assert time.now == pytest.approx(100.0 + 4 * FRAME_SAMPLES / 16_000)


def test_a_recording_can_be_played_again_and_be_stopped() -> None:
    source = WavSource(tone(0.1, 16_000), is_paced=False)
    assert source.read(0.1) is None
    for _ in range(2):
        source.start()
        assert len(read_to_the_end(source)) == 4
    source.stop()
    source.stop()
    assert source.read(0.1) is None


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    path = tmp_path / "a.b.flac"
    write_sound_file(path, tone(0.1, 16_000), 16_000)
    assert soundfile.info(path).format == "FLAC"

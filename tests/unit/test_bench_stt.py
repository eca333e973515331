"""The recogniser's benchmark, with recognisers that are made up."""

from pathlib import Path

import numpy as np
import pytest

from samantha_desktop.bench import stt
from samantha_desktop.core.errors import AudioFileError
from samantha_desktop.core.ports import (
    EngineInfo,
    IsCancelled,
    Pcm,
    Transcript,
    never_cancelled,
)
from samantha_desktop.devices.wav_io import write_sound_file


class Parrot:
    """Says "one two" to everything; in the full window a word too many to long recordings."""

    def __init__(self, window: str, log: list[str]) -> None:
        self.window = window
        self.log = log

    def load(self) -> None:
        self.log.append(f"load {self.window}")

    def close(self) -> None:
        self.log.append(f"close {self.window}")

    def info(self) -> EngineInfo:
        return EngineInfo("parrot", "parrot-1", "cpu", {"compute_type": "beak"})

    def transcribe(
        self, pcm: Pcm, *, language: str | None = None, is_cancelled: IsCancelled = never_cancelled
    ) -> Transcript:
        self.log.append(self.window)
        is_full = self.window == "full"
        text = "one two three" if is_full and pcm.size > 16_000 else "One, two."
        return Transcript(text, is_full_window=is_full)


@pytest.fixture
def recordings() -> list[stt.Recording]:
    tone = np.sin(np.arange(8_000) / 5).astype(np.float32)
    return [
        stt.Recording("short.wav", tone, "one two"),
        stt.Recording("long.wav", np.tile(tone, 3), "one two"),
        stt.in_noise(stt.Recording("short.wav", tone, "one too")),
    ]


def test_errors_are_pooled_and_windows_take_turns(recordings: list[stt.Recording]) -> None:
    log: list[str] = []
    done: list[tuple[int, int]] = []
    document = stt.run(
        lambda window: Parrot(window, log), recordings, on_done=lambda *at: done.append(at)
    )
    assert log[:2] == ["load adaptive", "load full"]
    assert log[2:-2] == ["adaptive", "full", "full", "adaptive", "adaptive", "full"]
    assert log[-2:] == ["close adaptive", "close full"]
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert document["n_utterances"] == 3
    assert document["n_words"] == 6
    assert document["audio_s"] == pytest.approx(2.5)
    assert document["adaptive"]["n_word_errors"] == 1
    assert document["full"]["n_word_errors"] == 2
    assert document["full"]["clean"] == pytest.approx(0.25)
    assert document["full"]["noisy"] == pytest.approx(0.5)
    assert document["adaptive"]["full_window_share"] == 0.0
    assert document["word_error_rate_difference"] == pytest.approx(-1 / 6, abs=1e-4)
    assert document["adaptive"]["compute_type"] == "beak"
    assert [row["file"] for row in document["utterances"]] == ["short.wav", "long.wav", "short.wav"]
    table = stt.as_table(document)
    assert "adaptive" in table
    assert "16.67%" in table


def test_engines_are_closed_when_one_fails(recordings: list[stt.Recording]) -> None:
    log: list[str] = []

    class Broken(Parrot):
        def load(self) -> None:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        stt.run(lambda window: Broken(window, log), recordings)
    assert log == ["close adaptive", "close full"]


def test_noise_lies_ten_decibels_below(recordings: list[stt.Recording]) -> None:
    clean = recordings[1]
    noisy = stt.in_noise(clean)
    noise = noisy.pcm - clean.pcm
    below_db = 10 * np.log10(np.mean(clean.pcm**2) / np.mean(noise**2))
    assert below_db == pytest.approx(10.0, abs=0.1)
    assert noisy.is_noisy
    assert (stt.in_noise(clean).pcm == noisy.pcm).all()


def test_a_folder_of_recordings_with_texts(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no recordings"):
        stt.recordings_in(tmp_path)
    write_sound_file(tmp_path / "a.wav", np.zeros(1600, np.float32), 16_000)
    write_sound_file(tmp_path / "b.wav", np.zeros(1600, np.float32), 16_000)
    (tmp_path / "a.txt").write_text("Hello.\n", encoding="utf-8")
    assert [(r.name, r.text, r.pcm.size) for r in stt.recordings_in(tmp_path)] == [
        ("a.wav", "Hello.", 1600)
    ]
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(AudioFileError, match=r"b\.txt cannot be read"):
        stt.recordings_in(tmp_path)

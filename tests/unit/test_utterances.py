"""The recorded questions: all there, and what their list says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from samantha_desktop.core.audio import last_audible_s, level_dbfs
from samantha_desktop.core.errors import AudioFileError
from samantha_desktop.devices.utterances import Utterance, load_utterances
from samantha_desktop.devices.wav_io import read_sound_file

ASSETS = Path(__file__).parents[2] / "assets"
UTTERANCES = load_utterances(ASSETS / "utterances")
RELEASE_S = 0.15


def test_they_are_varied() -> None:
    assert len(UTTERANCES) >= 24
    assert len({utterance.text for utterance in UTTERANCES}) == len(UTTERANCES)
    voices = {utterance.voice for utterance in UTTERANCES}
    assert len(voices) >= 8
    assert {voice[:2] for voice in voices} == {"af", "am", "bf", "bm"}
    assert sum(utterance.noise_db == 10.0 for utterance in UTTERANCES) == 6


def test_the_list_names_every_file_and_they_are_small() -> None:
    files = set((ASSETS / "utterances").glob("*.flac"))
    assert files == {utterance.path for utterance in UTTERANCES}
    assert sum(file.stat().st_size for file in files) < 3_000_000


@pytest.mark.parametrize("utterance", UTTERANCES, ids=lambda utterance: utterance.path.stem)
def test_each_is_what_the_list_says(utterance: Utterance) -> None:
    info = soundfile.info(utterance.path)
    assert (info.samplerate, info.channels) == (16_000, 1)
    pcm = utterance.pcm()
    duration_s = pcm.size / 16_000
    assert 1.0 <= duration_s <= 8.0
    assert duration_s == pytest.approx(utterance.speech_end_s + RELEASE_S, abs=0.001)
    assert np.abs(pcm).max() < 0.99
    assert -32.0 < level_dbfs(pcm) < -18.0
    last_s = last_audible_s(pcm, 16_000)
    assert last_s is not None
    if utterance.noise_db is None:
        assert last_s == pytest.approx(utterance.speech_end_s, abs=0.021)
    else:
        assert last_s == pytest.approx(duration_s, abs=0.05)


def test_one_has_a_breath_in_the_middle() -> None:
    (letter,) = [utterance for utterance in UTTERANCES if utterance.path.stem == "letter"]
    pcm = letter.pcm()[: round(letter.speech_end_s * 16_000)]
    quiet = np.abs(pcm[8_000:]) < 10 ** (-40 / 20)
    loud = np.flatnonzero(~quiet)
    assert np.diff(loud).max() / 16_000 == pytest.approx(0.4, abs=0.1)


def test_the_demo_has_its_question() -> None:
    assert 2.0 < read_sound_file(ASSETS / "question.wav").size / 16_000 < 6.0


@pytest.mark.parametrize(
    "content", ["", "utterance = 3", "[[utterance]]\nfile = 'a.flac'", "not toml", "\udcff"]
)
def test_a_damaged_list_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "utterances.toml").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(AudioFileError, match=r"utterances.toml, cannot be used\..*original"):
        load_utterances(tmp_path)


def test_a_missing_list_says_so_and_a_missing_recording_too(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be used"):
        load_utterances(tmp_path)
    (tmp_path / "utterances.toml").write_text(
        "[[utterance]]\nfile = 'a.flac'\ntext = 'Hi'\nvoice = 'x'\nspeech_end_s = 1\n"
    )
    (utterance,) = load_utterances(tmp_path)
    assert utterance.speech_end_s == 1.0
    with pytest.raises(AudioFileError, match="There is no file"):
        utterance.pcm()

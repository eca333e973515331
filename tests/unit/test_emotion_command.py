"""`samantha emotion` and its sisters as a person types them, on a model of a few words."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_emotion_model import write_tiny_emotion_model

from samantha_desktop import app
from samantha_desktop.cli.main import run
from samantha_desktop.devices.wav_io import write_sound_file
from samantha_desktop.engines.scripted import ScriptedSpeechToTextSettings
from samantha_desktop.host import folders

UTTERANCES = folders.assets_dir() / "utterances"


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shipped files with the tiny model among them."""
    folder = tmp_path_factory.mktemp("assets")
    write_tiny_emotion_model(folder / "models" / "emotion")
    (folder / "utterances").symlink_to(UTTERANCES)
    return folder


@pytest.fixture(autouse=True)
def _shipped(assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "assets_dir", lambda: assets)
    # A log file would stay open in the tests' own process.
    monkeypatch.setattr("samantha_desktop.cli.main.configure_logging", lambda **_: None)


def hear(monkeypatch: pytest.MonkeyPatch, transcript: str) -> None:
    """Whatever is recorded, this is recognised."""
    settings = ScriptedSpeechToTextSettings(transcripts=(transcript,))
    monkeypatch.setitem(app._ENGINE_SETTINGS, "stt", ("scripted", lambda _: settings))  # type: ignore[arg-type]


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run([*words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_a_text_is_read_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    read = document(capsys, "emotion", "I am so happy!", "--explain")
    assert read["text"] == "I am so happy!"
    assert read["reason"] is None
    assert read["reading"]["mood"] == "joy"
    assert read["reading"]["labels"][0]["name"] == "joy"
    assert read["reading"]["source"] == "words"
    assert read["found"] == ["joy"]
    assert not read["is_cut"]
    assert read["voice"] is None
    assert read["explanation"]["explained"] == "joy"
    assert read["explanation"]["words"][0]["word"] == "happy"
    assert read["explanation"]["words"][0]["weight"] > 0.5
    assert read["models"] == {"emotion": "tiny"}
    assert read["devices"] == {"emotion": "cpu"}


def test_people_read_it_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["emotion", "I am so happy!", "--explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("joy (")
    assert "words for (+) and against (-) joy: happy +0." in lines[4]
    assert len(lines) == 6


def test_long_texts_are_read_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("I am sad. " + "it is " * 5_000))
    read = document(capsys, "emotion", "-", "--explain")
    assert read["reading"]["mood"] == "sadness"
    assert read["is_cut"]
    assert read["explanation"]["words"][0]["word"] == "sad"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there is nothing in it"),
        ("😀👍", "there are no words in it"),
        ("我很高兴", "it is not written in English"),
    ],
)
def test_what_cannot_be_judged_is_not(
    capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    assert run(["emotion", text, "--explain"]) == 0
    assert capsys.readouterr().out == f"not sure: {sentence}.\n"


def test_a_recording_is_recognised_and_its_voice_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hear(monkeypatch, "I am furious.")
    wav = str(UTTERANCES / "angry.flac")
    read = document(capsys, "emotion", "--wav", wav, "--language", "en")
    assert read["text"] == "I am furious."
    assert read["reading"]["mood"] == "anger"
    assert 75 < read["voice"]["pitch_hz"] < 500
    assert read["reading"]["voice_arousal"] is None
    assert set(read["models"]) == {"stt", "emotion"}


def test_speech_in_another_language_and_silence_are_not_judged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hear(monkeypatch, "Ich bin happy.")
    spoken = str(UTTERANCES / "yes.flac")
    read = document(capsys, "emotion", "--wav", spoken, "--language", "de", "--explain")
    assert (read["reason"], read["language"]) == ("other_language", "de")
    assert read["reading"]["source"] == "none"
    assert read["reading"]["mood"] == "not sure"
    assert (read["found"], read["explanation"]["words"]) == ([], [])
    write_sound_file(tmp_path / "silence.wav", np.zeros(16_000, np.float32), 16_000)
    assert run(["emotion", "--wav", str(tmp_path / "silence.wav")]) == 0
    assert capsys.readouterr().out == "not sure: there is nothing in it.\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["emotion"], 2),
        (["emotion", "hello", "--wav", "x.wav"], 2),
        (["emotion", "--wav", "none.wav"], 6),
        (["eval", "emotion", "--data", "nowhere"], 2),
        (["eval", "emotion", "--data", "nowhere", "--limit", "0"], 2),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert run(words) == code
    error = capsys.readouterr().err
    assert error.startswith("samantha: ") and len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [["emotion", "hello"], ["eval", "fairness"], ["bench", "emotion"]], ids=" ".join
)
def test_without_its_model_it_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: list[str],
) -> None:
    monkeypatch.setattr(folders, "assets_dir", lambda: tmp_path)
    assert run(words) == 3
    assert "emotion reader's file config.json cannot be read. Install" in capsys.readouterr().err


def test_the_evaluations_print_tables_and_documents(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "meld").mkdir()
    (tmp_path / "meld" / "test_sent_emo.csv").write_text("Utterance,Emotion\nI am happy,joy\n")
    read = document(capsys, "eval", "emotion", "--data", str(tmp_path))
    assert read["meld"]["accuracy"] == 1.0
    assert run(["eval", "fairness"]) == 0
    assert "No term changes more than" in capsys.readouterr().out

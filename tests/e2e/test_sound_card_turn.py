"""Someone speaks into a microphone, and the answer comes out of a speaker: as a person does it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from virtual_sound import SPEAKER_RATE_HZ, VirtualCard

from samantha_desktop.core.audio import level_dbfs
from samantha_desktop.core.speakable import speakable_text
from samantha_desktop.core.word_errors import word_error_rate
from samantha_desktop.devices.resampling import resample
from samantha_desktop.devices.wav_io import read_sound_file
from samantha_desktop.engines.stt.faster_whisper import FasterWhisper, FasterWhisperSettings
from samantha_desktop.host import folders

pytest_plugins = ("virtual_sound_fixtures",)
pytestmark = [pytest.mark.sound, pytest.mark.engine]

PATIENCE_S = 90.0


def test_asking_by_microphone_is_answered_by_the_speaker(
    virtual_card: VirtualCard, starter_models: object
) -> None:
    question = read_sound_file(folders.assets_dir() / "question.wav")
    command = [sys.executable, "-m", "samantha_desktop", "ask", "--mic", "--json"]
    with (
        virtual_card.record_speaker() as recording,
        subprocess.Popen(
            [*command, "--temperature", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as samantha,
    ):
        assert samantha.stdin is not None and samantha.stderr is not None
        told = samantha.stderr.readline()
        assert "Listening" in told, told + samantha.stderr.read()
        with virtual_card.playing_into_microphone(question):
            time.sleep(len(question) / 16_000 + 0.3)  # a person speaks as long as they speak
        samantha.stdin.write("\n")
        samantha.stdin.flush()
        output, errors = samantha.communicate(timeout=PATIENCE_S)
    assert samantha.returncode == 0, errors
    document = json.loads(output)
    assert word_error_rate("what is the nicest thing about autumn", document["transcript"]) < 0.5
    heard = resample(recording.pcm, SPEAKER_RATE_HZ, 16_000)
    assert level_dbfs(heard) > -45
    models = folders.models_dir()
    recogniser = FasterWhisper(FasterWhisperSettings(models / "whisper-base", n_threads=2))
    recogniser.load()
    recognised = recogniser.transcribe(heard, language="en").text
    recogniser.close()
    assert word_error_rate(speakable_text(document["answer"]), recognised) <= 0.2


def test_without_a_sound_card_asking_by_microphone_says_what_to_do(
    silent_machine: VirtualCard, starter_models: object
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "samantha_desktop", "ask", "--mic"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr.startswith("samantha: ") and "Traceback" not in done.stderr

"""Silero VAD on real speech and on what is none, in a process of its own.

Its library and llama.cpp's bring files of the same name and cannot share a process, as the
tests of both would (docs/dependencies.md).
"""

from collections.abc import Iterator

import numpy as np
import pytest

from samantha_desktop.core.endpointing import Endpointer, PauseBegan, SpeechBegan, SpeechWentOn
from samantha_desktop.core.errors import EngineError
from samantha_desktop.core.ports import FRAME_SAMPLES, Pcm
from samantha_desktop.devices.utterances import load_utterances
from samantha_desktop.engines.process import EngineProcess
from samantha_desktop.engines.registry import find_engine
from samantha_desktop.engines.remote import RemoteVoiceActivityDetector
from samantha_desktop.engines.vad.silero import Silero, SileroSettings
from samantha_desktop.host import folders

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def silero() -> Iterator[RemoteVoiceActivityDetector]:
    process = EngineProcess(find_engine("vad", "silero"), SileroSettings())
    engine = RemoteVoiceActivityDetector(process)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture(autouse=True)
def _fresh(silero: RemoteVoiceActivityDetector) -> None:
    silero.reset()


def whole_windows(pcm: Pcm) -> Pcm:
    return np.pad(pcm, (0, -pcm.size % FRAME_SAMPLES))


def test_speech_stands_out_from_the_silence_around_it(silero: RemoteVoiceActivityDetector) -> None:
    for utterance in load_utterances(folders.assets_dir() / "utterances")[:4]:
        silero.reset()
        second = np.zeros(16_000 // FRAME_SAMPLES * FRAME_SAMPLES, np.float32)
        pcm = np.concatenate([second, whole_windows(utterance.pcm()), second])
        probabilities = silero.speech_probabilities(pcm)
        n_silent = second.size // FRAME_SAMPLES
        assert max(probabilities[:n_silent]) < 0.3
        assert max(probabilities[-n_silent // 2 :]) < 0.3
        assert np.mean(np.array(probabilities[n_silent:-n_silent]) > 0.5) > 0.4


@pytest.mark.parametrize("kind", ["white", "hum", "clicks"])
def test_noise_is_no_speech(silero: RemoteVoiceActivityDetector, kind: str) -> None:
    n_samples = 96 * FRAME_SAMPLES
    at_s = np.arange(n_samples) / 16_000
    pcm = {
        "white": np.random.default_rng(3).normal(0, 0.1, n_samples),
        "hum": 0.2 * np.sin(2 * np.pi * 50 * at_s),
        "clicks": 0.8 * (np.arange(n_samples) % 4_000 < 20),
    }[kind]
    assert max(silero.speech_probabilities(pcm.astype(np.float32))) < 0.5


def test_what_is_no_number_does_not_stay_in_its_memory(silero: RemoteVoiceActivityDetector) -> None:
    bad = np.full(FRAME_SAMPLES, np.nan, np.float32)
    bad[::2] = np.inf
    assert np.isfinite(silero.speech_probabilities(bad)).all()
    speech = whole_windows(load_utterances(folders.assets_dir() / "utterances")[0].pcm())
    assert max(silero.speech_probabilities(speech)) > 0.8


def test_a_pause_is_noticed_soon_after_the_last_word(silero: RemoteVoiceActivityDetector) -> None:
    utterance = load_utterances(folders.assets_dir() / "utterances")[0]
    speech = utterance.pcm()[: round(utterance.speech_end_s * 16_000)]
    silence = np.zeros(16_000, np.float32)
    pcm = whole_windows(np.concatenate([silence, speech, silence, speech]))
    endpointer = Endpointer()
    events = []
    for index, probability in enumerate(silero.speech_probabilities(pcm)):
        event = endpointer.step(probability, index * FRAME_SAMPLES)
        if event is not None:
            events.append(((index + 1) * FRAME_SAMPLES, event))
    kinds = [type(event) for _, event in events]
    assert kinds[0] is SpeechBegan
    assert kinds.count(PauseBegan) >= 1
    assert SpeechWentOn in kinds or kinds.count(SpeechBegan) == 2
    speech_end = silence.size + speech.size
    noticed = [at for at, event in events if isinstance(event, PauseBegan) and at >= speech_end]
    assert noticed[0] - speech_end < 0.4 * 16_000


def test_before_load_and_after_close_it_says_so() -> None:
    engine = Silero(SileroSettings())
    with pytest.raises(EngineError, match="not loaded"):
        engine.speech_probabilities(np.zeros(FRAME_SAMPLES, np.float32))

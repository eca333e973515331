"""Record the questions of `assets/utterances/` and `assets/question.wav` with Kokoro's voices.

    .venv/bin/python scripts/record_utterances.py [MODELS_FOLDER]

What a person asks a companion, in American and British voices, some of them in a noisy
room. Every file is 16 kHz mono and ends `RELEASE_S` after the last speech sample: that
is when a person lets go of the key. The same models give the same files.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import platformdirs
import soxr
import tomli_w
from kokoro_onnx import Kokoro

from samantha_desktop.core.audio import first_audible_s, last_audible_s, rms
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm
from samantha_desktop.devices.wav_io import write_sound_file

ASSETS = Path(__file__).parent.parent / "assets"
PRESS_S = 0.25
"""From pressing the key to the first sound."""
RELEASE_S = 0.15
"""From the last sound to letting go."""
PAUSE_S = 0.4
"""A breath in the middle of a sentence, written as " | "."""
SPEECH_DBFS = -24.0
ROOM_DBFS = -68.0
"""A quiet room and its microphone: clean recordings are not digital silence either."""
SEED = 20
BABBLE_VOICES = ("af_nova", "am_liam", "bf_lily", "bm_lewis", "am_onyx", "af_river")
BABBLE_TEXT = (
    "Well, they moved the meeting to Thursday, so nobody knows who is going to bring the cake, "
    "and the train was late again, which is why half of us stood outside for almost an hour."
)


@dataclass(frozen=True)
class Script:
    """One recording to make."""

    name: str
    voice: str
    text: str
    speed: float = 1.0
    noise: str = ""
    noise_db: float | None = None


SCRIPTS = (
    Script("capital", "af_heart", "What is the capital of Portugal?"),
    Script("sky", "am_michael", "Why is the sky blue?", 0.95),
    Script("hello", "bf_emma", "Hello Samantha, how are you today?"),
    Script("moon", "bm_george", "How far away is the moon?"),
    Script("lonely", "af_bella", "I feel a little lonely tonight. Can we just talk for a while?"),
    Script("proud", "am_puck", "Guess what, I passed my driving test this morning!", 1.1),
    Script("joke", "bf_isabella", "Tell me a short joke about a cat."),
    Script("rain", "bm_fable", "Do you like the sound of rain?", 0.95),
    Script("followup", "af_sarah", "And why do you think that is?"),
    Script("yes", "am_fenrir", "Yes, please.", 0.95),
    Script("walk", "af_nicole", "Should I go for a walk before dinner or after it?", 1.15),
    Script("bread", "bm_daniel", "What do I need to bake a simple loaf of bread?"),
    Script("planets", "am_eric", "Which planet is the largest in our solar system?", 1.1),
    Script(
        "letter",
        "bf_alice",
        "I have to write a letter to my old teacher, | and I do not know how to begin it.",
    ),
    Script(
        "worried",
        "am_adam",
        "My sister moved to another country last month, | "
        "and I keep worrying that we will slowly lose touch. What would you do?",
        1.1,
    ),
    Script("music", "af_kore", "What kind of music helps people fall asleep?"),
    Script("garden", "am_echo", "When is the best time to plant tulips?"),
    Script("thanks", "af_jessica", "Thank you, that was really helpful."),
    Script("tea", "af_alloy", "How long should I let green tea steep?", 1.0, "babble", 10.0),
    Script("angry", "am_liam", "I had a terrible day at work and I am so angry.", 1.0, "fan", 10.0),
    Script("whales", "bf_lily", "Are whales fish or mammals?", 1.0, "babble", 10.0),
    Script("weekend", "bm_lewis", "What could I do with two free days?", 1.0, "fan", 10.0),
    Script("dream", "af_aoede", "Do you ever dream about anything?", 0.95, "babble", 10.0),
    Script("history", "am_onyx", "Who invented the printing press?", 1.0, "fan", 10.0),
)
QUESTION = Script(
    "question", "bf_emma", "Hello Samantha, what is the nicest thing about autumn?", 0.95
)


class Booth:
    """The voices, and the noise of the rooms."""

    def __init__(self, models: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.use_deterministic_compute = True
        session = onnxruntime.InferenceSession(
            str(models / "kokoro-82m" / "kokoro-v1.0.int8.onnx"),
            options,
            providers=["CPUExecutionProvider"],
        )
        voices = {
            file.stem: np.fromfile(file, dtype=np.float32).reshape(-1, 1, 256)
            for file in sorted((models / "kokoro-voices").glob("[ab][fm]_*.bin"))
        }
        with tempfile.TemporaryDirectory() as folder:
            pack = Path(folder) / "voices.npz"
            np.savez(pack, **voices)
            self._kokoro = Kokoro.from_session(session, str(pack))
            self._kokoro.voices = voices
        self._rng = np.random.default_rng(SEED)

    def say(self, text: str, voice: str, speed: float = 1.0) -> Pcm:
        """Speech at 16 kHz, from its first to its last audible sample, " | " a breath."""
        pieces: list[Pcm] = []
        for part in text.split("|"):
            language = "en-gb" if voice.startswith("b") else "en-us"
            pcm, rate_hz = self._kokoro.create(part.strip(), voice, speed, language, trim=False)
            speech = soxr.resample(pcm, rate_hz, SPEECH_SAMPLE_RATE_HZ, quality="VHQ")
            speech = speech * 10.0 ** (SPEECH_DBFS / 20.0) / rms(speech)
            pieces += [_trimmed(speech.astype(np.float32)), _silence(PAUSE_S)]
        return np.concatenate(pieces[:-1])

    def noise(self, kind: str, n_samples: int) -> Pcm:
        """Other people talking ("babble"), or a machine humming ("fan")."""
        if kind == "babble":
            mix = np.zeros(n_samples)
            for voice in BABBLE_VOICES:
                talk = np.tile(self.say(BABBLE_TEXT, voice), 2)
                start = int(self._rng.integers(talk.size - n_samples))
                mix += talk[start : start + n_samples]
            return mix.astype(np.float32)
        # Pink: the power of most machines and streets falls with the frequency.
        spectrum = np.fft.rfft(self._rng.standard_normal(n_samples))
        spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 8))
        return np.fft.irfft(spectrum, n_samples).astype(np.float32)

    def record(self, script: Script) -> tuple[Pcm, float]:
        """The recording, and where its last speech sample lies, in seconds."""
        speech = self.say(script.text, script.voice, script.speed)
        pcm = np.concatenate((_silence(PRESS_S), speech, _silence(RELEASE_S)))
        room = self._rng.standard_normal(pcm.size) * 10.0 ** (ROOM_DBFS / 20.0)
        if script.noise_db is not None:
            noise = self.noise(script.noise, pcm.size)
            room += noise * (rms(speech) * 10.0 ** (-script.noise_db / 20.0) / rms(noise))
        speech_end_s = (pcm.size / SPEECH_SAMPLE_RATE_HZ) - RELEASE_S
        return np.clip(pcm + room, -1.0, 1.0).astype(np.float32), speech_end_s


def _silence(duration_s: float) -> Pcm:
    return np.zeros(round(duration_s * SPEECH_SAMPLE_RATE_HZ), dtype=np.float32)


def _trimmed(pcm: Pcm) -> Pcm:
    start_s = first_audible_s(pcm, SPEECH_SAMPLE_RATE_HZ) or 0.0
    end_s = last_audible_s(pcm, SPEECH_SAMPLE_RATE_HZ) or 0.0
    return pcm[round(start_s * SPEECH_SAMPLE_RATE_HZ) : round(end_s * SPEECH_SAMPLE_RATE_HZ)]


def main() -> None:
    """Record them all."""
    default = platformdirs.user_data_path("samantha-desktop") / "models"
    booth = Booth(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
    folder = ASSETS / "utterances"
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, object]] = []
    for script in SCRIPTS:
        pcm, speech_end_s = booth.record(script)
        file = f"{script.name}.flac"
        write_sound_file(folder / file, pcm, SPEECH_SAMPLE_RATE_HZ)
        entry: dict[str, object] = {
            "file": file,
            "text": script.text.replace(" |", ""),
            "voice": script.voice,
            "speech_end_s": round(speech_end_s, 4),
        }
        if script.noise_db is not None:
            entry |= {"noise": script.noise, "noise_db": script.noise_db}
        entries.append(entry)
        print(f"{file:16} {speech_end_s:5.2f} s  {script.voice}")
    (folder / "utterances.toml").write_text(
        "# Written by scripts/record_utterances.py.\n\n" + tomli_w.dumps({"utterance": entries}),
        encoding="utf-8",
    )
    pcm, _ = booth.record(QUESTION)
    write_sound_file(ASSETS / "question.wav", pcm, SPEECH_SAMPLE_RATE_HZ)


if __name__ == "__main__":
    main()

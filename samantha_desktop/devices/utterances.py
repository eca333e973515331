"""The recorded questions that benchmarks and tests ask."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from samantha_desktop.core.errors import AudioFileError
from samantha_desktop.core.ports import Pcm
from samantha_desktop.devices.wav_io import read_sound_file

INDEX_NAME = "utterances.toml"


@dataclass(frozen=True)
class Utterance:
    """One recorded question.

    Attributes:
        path: the sound file; it ends 0.15 s after the last speech sample, when a
            person lets go of the key.
        text: what is said.
        voice: the Kokoro voice that says it.
        speech_end_s: where its last speech sample lies.
        noise: what is heard behind it: "babble", "fan", or nothing.
        noise_db: how many dB the noise lies below the speech; None in a quiet room.
    """

    path: Path
    text: str
    voice: str
    speech_end_s: float
    noise: str = ""
    noise_db: float | None = None

    def pcm(self) -> Pcm:
        """Read it: (n_samples,) at 16 kHz.

        Raises:
            AudioFileError: the file is missing or damaged.
        """
        return read_sound_file(self.path)


def load_utterances(folder: Path) -> list[Utterance]:
    """The utterances that the folder's index names, in its order. No sound is read.

    Raises:
        AudioFileError: the index is missing or damaged.
    """
    index = folder / INDEX_NAME
    try:
        entries = tomllib.loads(index.read_text(encoding="utf-8"))["utterance"]
        return [
            Utterance(
                path=folder / entry["file"],
                text=entry["text"],
                voice=entry["voice"],
                speech_end_s=float(entry["speech_end_s"]),
                noise=entry.get("noise", ""),
                noise_db=entry.get("noise_db"),
            )
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AudioFileError(
            f"The list of recorded questions, {index.name}, cannot be used.",
            recovery=f"Put the original back into {folder}.",
            detail=repr(error),
        ) from error

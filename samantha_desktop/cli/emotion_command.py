"""`samantha emotion`: the emotion in a text or a recording, and why.

Keys of the document (`--json`):
    text, language: of the text; of a recording both are found
    reason: null, or why the words were not judged: "empty", "no_words" (emoji, digits and
        marks only), "other_script" (not mostly Latin letters), "other_language" (than
        English, as found in a recording)
    reading: see `EmotionReading.document`
        mood: one of seven groups, or "not sure" when none is as probable as 0.5
        groups.<group>, labels [{name, probability}]: calibrated
        source, valence, arousal, word_arousal, voice_arousal, contrast, language,
        is_translated
    found: labels whose probability reaches their threshold
    is_cut: the text is longer than what the reader takes in, and its beginning was judged
    voice: null for text, and for a recording with too little voice; else voiced_s, pitch_hz,
        pitch_range_semitones, level_dbfs, syllables_per_s, pause_share. How excited that
        is, a single recording cannot tell: it takes the speaker's usual voice.
    explanation: null without --explain, else see `Explanation.document`; of these
        explained: the group that the words are weighed for; "" when none were judged
        alternatives [{name, probability}]: groups
        words [{word, start, weight}]: what the group's probability loses without the word
        voice: what it added
    models, devices: by kind of engine
    took_s: of reading and explaining
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samantha_desktop.app import Engines, build_engines, emotion_model_dir, load_settings
from samantha_desktop.cli.terminal import EngineProgress
from samantha_desktop.core import messages as m
from samantha_desktop.core.emotion_text import Unreadable, why_unreadable
from samantha_desktop.core.emotions import LABELS
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.explanation import Explanation, explain, variants
from samantha_desktop.core.mood import NOT_SURE, EmotionReading, read_emotion
from samantha_desktop.core.prosody import VoiceFeatures, voice_features
from samantha_desktop.core.settings import Settings, validate
from samantha_desktop.devices.wav_io import read_sound_file
from samantha_desktop.engines.emotion.model_folder import EmotionModelConfig, read_config

_ENGLISH = "en"

_REASONS = {
    "empty": "there is nothing in it",
    "no_words": "there are no words in it",
    "other_script": "it is not written in English",
    "other_language": "it is not spoken in English",
}


@dataclass(frozen=True)
class _Said:
    """What is to be judged."""

    text: str
    language: str = _ENGLISH
    voice: VoiceFeatures | None = None

    @property
    def reason(self) -> Unreadable | str | None:
        """Why the words cannot be judged."""
        if self.text and self.language != _ENGLISH:
            return "other_language"
        return why_unreadable(self.text)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command line of `samantha emotion`."""
    parser = subparsers.add_parser(
        "emotion",
        help="the emotion in a text or a recording, and why",
        description="Reads the emotion in English words. What cannot be judged is not judged.",
    )
    parser.add_argument("text", nargs="?", help="the text; - reads it from standard input")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="read this recording instead")
    parser.add_argument("--explain", action="store_true", help="tell which words it was read from")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--speech-model", help="speech recognition model, for --wav")
    parser.add_argument("--language", help="of the recording, e.g. en; default: found by itself")
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Read and print. Returns 0, also when nothing could be judged."""
    if (args.text is None) == (args.wav is None):
        raise SettingsError(
            "Give exactly one of: a text, or --wav FILE.",
            recovery='For example: samantha emotion "I got the job!"',
        )
    settings = _settings_from(args)
    pcm = None if args.wav is None else read_sound_file(args.wav)
    kinds: list[m.EngineKind] = ["emotion"] if pcm is None else ["stt", "emotion"]
    config = read_config(emotion_model_dir())
    with build_engines(settings, kinds) as engines:
        engines.load(EngineProgress(len(kinds)))
        if pcm is None:
            said = _Said(sys.stdin.read() if args.text == "-" else args.text)
        else:
            transcript = engines.stt.transcribe(pcm, language=settings.speech.language or None)
            said = _Said(transcript.text, transcript.language, voice_features(pcm))
        judged = _judge(engines, config, said, is_explained=args.explain)
        document = _document(judged, engines)
    print(json.dumps(_rounded(document), ensure_ascii=False) if args.json else _as_text(judged))
    return 0


def _settings_from(args: argparse.Namespace) -> Settings:
    settings = load_settings()
    chosen = {"model": args.speech_model, "language": args.language}
    speech = replace(settings.speech, **{k: v for k, v in chosen.items() if v is not None})
    settings = replace(settings, speech=speech)
    validate(settings)
    return settings


@dataclass(frozen=True)
class _Judged:
    """What was found in it."""

    said: _Said
    reading: EmotionReading
    found: tuple[str, ...]
    is_cut: bool
    explanation: Explanation | None
    took_s: float


def _judge(
    engines: Engines, config: EmotionModelConfig, said: _Said, *, is_explained: bool
) -> _Judged:
    def read(texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities of labels and groups; none when there is nothing to judge."""
        labels = np.zeros((len(texts), len(LABELS)), np.float32)
        if said.reason is None:
            labels = engines.emotion.classify(texts)
        return labels, config.groups["dialogue"].probabilities(labels)

    began_s = time.perf_counter()
    labels, groups = read([said.text])
    reading = read_emotion(labels[0], groups[0], language=said.language)
    explanation = None
    if is_explained:
        explanation = explain(said.text, reading, read(variants(said.text))[1])
    return _Judged(
        said,
        reading,
        found=tuple(np.array(LABELS)[labels[0] >= config.threshold].tolist()),
        # A word is a token at least, and two tokens are the text's edges.
        is_cut=said.reason is None and len(said.text.split()) > config.max_tokens - 2,
        explanation=explanation,
        took_s=time.perf_counter() - began_s,
    )


def _document(judged: _Judged, engines: Engines) -> dict[str, Any]:
    said = judged.said
    infos = engines.infos()
    return {
        "text": said.text,
        "language": said.language,
        "reason": said.reason,
        "reading": judged.reading.document(),
        "found": list(judged.found),
        "is_cut": judged.is_cut,
        "voice": asdict(said.voice) if said.voice else None,
        "explanation": judged.explanation.document() if judged.explanation else None,
        "models": {kind: info.model for kind, info in infos.items()},
        "devices": {kind: info.device for kind, info in infos.items()},
        "took_s": judged.took_s,
    }


def _rounded(value: Any) -> Any:
    """The same with four digits after the point: more of them say nothing."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def _as_text(judged: _Judged) -> str:
    said, reading = judged.said, judged.reading
    lines = [] if said.voice is None else [f'"{said.text}"']
    if said.reason is not None:
        return "\n".join([*lines, f"{NOT_SURE}: {_REASONS[said.reason]}."])
    labels = ", ".join(f"{name} {value:.0%}" for name, value in reading.labels)
    lines += [
        f"{reading.group} ({reading.confidence:.0%})"
        if reading.group != NOT_SURE
        else f"{NOT_SURE}: no emotion is probable enough",
        f"labels: {labels}",
        f"pleasant {reading.valence:+.2f}, excited {reading.arousal:+.2f}, from -1 to 1",
    ]
    if judged.is_cut:
        lines.append("The text is long: only its beginning was read.")
    if judged.explanation is not None:
        lines += _why(judged.explanation)
    return "\n".join(lines)


def _why(explanation: Explanation) -> list[str]:
    alternatives = ", ".join(f"{name} {value:.0%}" for name, value in explanation.alternatives)
    words = ", ".join(f"{item.word.text} {item.weight:+.2f}" for item in explanation.words)
    return [
        f"groups: {alternatives}",
        f"words for (+) and against (-) {explanation.group}: {words or 'no single one'}",
        explanation.voice,
    ]

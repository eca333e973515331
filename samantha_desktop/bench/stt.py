"""`samantha bench stt`: word error rate and real-time factor, short window against the full 30 s.

Both windows recognise every utterance in turn, so that a slow moment of the machine
meets both. Each utterance is heard twice: as recorded, and with noise 10 dB below it.

Keys of the document (`--json`):
    adaptive, full: one engine each
        seconds, real_time_factor: {median, p90, min, max} per utterance
        word_error_rate, n_word_errors: over all words; .clean and .noisy: of each half
        full_window_share: share of utterances that needed the padded window
        device, compute_type, threads
    ratio: adaptive / full, of the medians of seconds (the bar is 1/3)
    word_error_rate_difference: adaptive - full (the bar is 0.005)
    n_utterances, n_words, audio_s, model
    circumstances: version, date and machine
    utterances: what each window made of each: file, is_noisy, audio_s, reference,
        adaptive / full: {text, seconds, n_word_errors, is_full_window}
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from samantha_desktop.bench.figures import circumstances, ratio, summary
from samantha_desktop.core.errors import AudioFileError
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm, SpeechToText
from samantha_desktop.core.word_errors import WordErrors, count_word_errors
from samantha_desktop.devices.utterances import Utterance
from samantha_desktop.devices.wav_io import read_sound_file

WINDOWS = ("adaptive", "full")
NOISE_DB = 10.0
_NOISE_SEED = 2013


@dataclass(frozen=True)
class Recording:
    """Something to recognise, and what is said in it."""

    name: str
    pcm: Pcm
    text: str
    is_noisy: bool = False


def shipped_recordings(utterances: Sequence[Utterance]) -> list[Recording]:
    """The shipped utterances, each clean and in noise."""
    clean = [
        Recording(item.path.name, item.pcm(), item.text, item.noise_db is not None)
        for item in utterances
    ]
    return clean + [in_noise(item) for item in clean if not item.is_noisy]


def recordings_in(folder: Path) -> list[Recording]:
    """Sound files of a folder, each with its text in a .txt file of the same name.

    Raises:
        AudioFileError: there are none, or one cannot be read.
    """
    recordings = [
        Recording(path.name, read_sound_file(path), _text_beside(path))
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in (".wav", ".flac") and path.with_suffix(".txt").is_file()
    ]
    if not recordings:
        raise AudioFileError(
            f"There are no recordings with texts in {folder}.",
            recovery="Put each text beside its WAV or FLAC file, with the same name and .txt.",
        )
    return recordings


def _text_beside(path: Path) -> str:
    text_path = path.with_suffix(".txt")
    try:
        return text_path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AudioFileError(
            f"The text {text_path.name} cannot be read.",
            recovery="Save it as plain text in UTF-8.",
            detail=str(error),
        ) from error


def in_noise(recording: Recording) -> Recording:
    """The same with pink noise `NOISE_DB` below the speech's power."""
    pcm = recording.pcm
    white = np.fft.rfft(np.random.default_rng(_NOISE_SEED).standard_normal(pcm.size))
    pink = np.fft.irfft(white / np.sqrt(np.maximum(1, np.arange(white.size))), pcm.size)
    power = float(np.mean(pcm**2)) / 10 ** (NOISE_DB / 10)
    noise = pink * np.sqrt(power / max(float(np.mean(pink**2)), 1e-12))
    return replace(recording, pcm=(pcm + noise).astype(np.float32), is_noisy=True)


def run(
    make_engine: Callable[[str], SpeechToText],
    recordings: Sequence[Recording],
    *,
    language: str | None = None,
    on_done: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Any]:
    """Measure.

    Args:
        make_engine: makes an engine, not loaded, for a window: "adaptive" or "full".
        recordings: what is recognised, by both.
        language: None: found per utterance, as in a conversation by default.
        on_done: told how many recordings are done, of how many.
    """
    engines = {window: make_engine(window) for window in WINDOWS}
    try:
        for engine in engines.values():
            engine.load()
        rows = list(_measure(engines, recordings, language, on_done))
        infos = {window: engine.info() for window, engine in engines.items()}
    finally:
        for engine in engines.values():
            engine.close()
    document: dict[str, Any] = {window: _figures(window, rows) for window in WINDOWS}
    for window, info in infos.items():
        document[window]["device"] = info.device
        for key in ("compute_type", "threads"):
            document[window][key] = info.detail.get(key, "")
    adaptive, full = document["adaptive"], document["full"]
    if rows:
        document["ratio"] = ratio(adaptive["seconds"]["median"], full["seconds"]["median"])
    document["word_error_rate_difference"] = round(
        adaptive["word_error_rate"] - full["word_error_rate"], 4
    )
    document["n_utterances"] = len(rows)
    document["n_words"] = sum(row["n_words"] for row in rows)
    document["audio_s"] = round(sum(row["audio_s"] for row in rows), 2)
    document["model"] = infos["adaptive"].model
    document["circumstances"] = circumstances()
    document["utterances"] = rows
    return document


def as_table(document: dict[str, Any]) -> str:
    """The document's figures for people, in plain text."""
    lines = [
        f"{document['model']}: {document['n_utterances']} utterances, {document['n_words']} words, "
        f"{document['audio_s']:.0f} s of speech",
        f"{'window':<10}{'median':>9}{'p90':>9}{'real time':>11}{'errors':>9}{'clean':>8}"
        f"{'noisy':>8}{'to full':>9}",
    ]
    for window in WINDOWS:
        figures = document[window]
        seconds = figures["seconds"]
        lines.append(
            f"{window:<10}{seconds.get('median', 0.0):>7.3f} s{seconds.get('p90', 0.0):>7.3f} s"
            f"{figures['real_time_factor'].get('median', 0.0):>10.3f}x"
            f"{figures['word_error_rate']:>9.2%}{figures['clean']:>8.2%}{figures['noisy']:>8.2%}"
            f"{figures['full_window_share']:>9.1%}"
        )
    if document.get("ratio"):
        lines.append(
            f"The short window takes {document['ratio']:.2f} of the full one's time "
            f"({1 / document['ratio']:.1f} times as quick); its word errors differ by "
            f"{100 * document['word_error_rate_difference']:+.2f} points."
        )
    return "\n".join(lines)


def _measure(
    engines: dict[str, SpeechToText],
    recordings: Sequence[Recording],
    language: str | None,
    on_done: Callable[[int, int], None],
) -> Iterator[dict[str, Any]]:
    for number, recording in enumerate(recordings):
        row: dict[str, Any] = {
            "file": recording.name,
            "is_noisy": recording.is_noisy,
            "audio_s": round(recording.pcm.size / SPEECH_SAMPLE_RATE_HZ, 3),
            "reference": recording.text,
        }
        # Who goes first alternates.
        for window in WINDOWS if number % 2 == 0 else WINDOWS[::-1]:
            started = time.perf_counter()
            transcript = engines[window].transcribe(recording.pcm, language=language)
            seconds = time.perf_counter() - started
            errors = count_word_errors(recording.text, transcript.text)
            row["n_words"] = errors.n_words
            row[window] = {
                "text": transcript.text,
                "seconds": round(seconds, 4),
                "n_word_errors": errors.n_errors,
                "is_full_window": transcript.is_full_window,
            }
        yield row
        on_done(number + 1, len(recordings))


def _figures(window: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    seconds = [row[window]["seconds"] for row in rows]
    factors = [row[window]["seconds"] / row["audio_s"] for row in rows if row["audio_s"]]
    errors = _pooled(window, rows)
    n_full = sum(row[window]["is_full_window"] for row in rows)
    return {
        "seconds": summary(seconds),
        "real_time_factor": summary(factors),
        "word_error_rate": round(errors.rate, 4),
        "n_word_errors": errors.n_errors,
        "clean": round(_pooled(window, [r for r in rows if not r["is_noisy"]]).rate, 4),
        "noisy": round(_pooled(window, [r for r in rows if r["is_noisy"]]).rate, 4),
        "full_window_share": round(n_full / len(rows), 4) if rows else 0.0,
    }


def _pooled(window: str, rows: Sequence[dict[str, Any]]) -> WordErrors:
    return sum(
        (WordErrors(row[window]["n_word_errors"], row["n_words"]) for row in rows), WordErrors()
    )

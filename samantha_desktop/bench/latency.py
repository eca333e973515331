"""`samantha bench latency`: from the end of speech to the first sound, against the plain way.

The plain way is what one writes first: hear the whole utterance, recognise it in
Whisper's padded window, write the whole answer, synthesize all of it, play. Both
use the same engines, prompt and sampling (greedy), get the same recordings in
real time, and take turns within one run, so that a slow moment of the machine
meets both.

What is reported is measured on what was heard: the waveform that left the
speaker, and when.

Keys of the document (`--json`); each `{…}` has `median`, `p90`, `min`, `max`:
    first_audio_s.samantha {…}, first_audio_s.plain {…}, first_audio_s.ratio (of medians)
    gap_s.samantha {…}, gap_s.plain {…}: silence inside an answer beyond natural pauses
        of 0.35 s, all of it; gap_s.longest: of any answer of ours;
        gap_s.fluent_share: answers of ours with at most 0.3 s in all
    total_s.samantha {…}, .plain {…}, .ratio: end of speech to the answer's last sound
    total_s.pair_ratio {…}: the same, answer by answer
    stages_s.samantha.<stage> {…} (core.stages), stages_s.plain.{recognition,writing,synthesis} {…}
    round_trip_word_error_rate: what the answers' sound says, recognised again
    prepared_share: answers begun before the key was let go
    memory_bytes: this process and the shipped engines together
    n_turns, models, devices, circumstances
    turns: a list with every pair's figures
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samantha_desktop.app import Engines, Session, generation_options, load_persona
from samantha_desktop.bench.figures import circumstances, ratio, summary
from samantha_desktop.core import messages as m
from samantha_desktop.core.audio import first_audible_s, gap_s, last_audible_s
from samantha_desktop.core.errors import EngineError
from samantha_desktop.core.history import History
from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, AudioSource, Pcm, SpeechToText
from samantha_desktop.core.prompt import build_messages
from samantha_desktop.core.settings import Settings
from samantha_desktop.core.speakable import speakable_text
from samantha_desktop.core.stages import stages_s
from samantha_desktop.core.verbalize import verbalize
from samantha_desktop.core.word_errors import WordErrors, count_word_errors
from samantha_desktop.devices.resampling import resample
from samantha_desktop.devices.utterances import Utterance
from samantha_desktop.devices.wav_io import WavSink, WavSource

FLUENT_GAP_S = 0.3
_READ_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class Heard:
    """One answer as a listener had it. Times in seconds after the end of speech."""

    transcript: str
    answer: str
    first_audio_s: float
    total_s: float
    gap_s: float
    longest_gap_s: float
    stages_s: dict[str, float]
    pcm: Pcm
    sample_rate_hz: int
    was_prepared: bool = False


def run(
    settings: Settings,
    engines: Engines,
    padded_stt: SpeechToText,
    utterances: Sequence[Utterance],
    on_turn: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[str, Any]:
    """Measure. All engines are loaded; the voice and the language model are used by both ways.

    Args:
        settings: as shipped; their temperature should be 0, so that both ways answer the same.
        engines: ours.
        padded_stt: the same recogniser with the full window.
        utterances: what is asked, in turn.
        on_turn: told how many pairs are done, of how many.
    """
    pairs: list[tuple[Heard, Heard]] = []
    memory_bytes = 0
    for number, utterance in enumerate(utterances):
        ways = [
            lambda: _samanthas_way(settings, engines, utterance),  # noqa: B023
            lambda: _plain_way(settings, engines, padded_stt, utterance),  # noqa: B023
        ]
        # Who goes first alternates: the second finds the prompt's beginning computed.
        order = (0, 1) if number % 2 == 0 else (1, 0)
        heard = {way: ways[way]() for way in order}
        pairs.append((heard[0], heard[1]))
        memory_bytes = max(memory_bytes, engines.resident_bytes())
        on_turn(number + 1, len(utterances))
    document = _document(pairs)
    document["memory_bytes"] = memory_bytes
    document["round_trip_word_error_rate"] = _round_trip(padded_stt, [ours for ours, _ in pairs])
    infos = engines.infos()
    document["models"] = {kind: info.model for kind, info in infos.items()}
    document["devices"] = {kind: info.device for kind, info in infos.items()}
    document["circumstances"] = circumstances()
    return document


def _samanthas_way(settings: Settings, engines: Engines, utterance: Utterance) -> Heard:
    source, sink = WavSource(utterance.pcm()), WavSink()
    with Session(settings, engines, sink=sink, source=source) as session:
        session.post(m.TalkPressed())
        notice = session.next_notice()
        while not isinstance(notice, m.TurnEnded):
            notice = session.next_notice()
    record = notice.record
    if record.error is not None:
        raise record.error
    return _heard(
        utterance,
        source,
        sink,
        record.question,
        record.answer,
        stages_s(record.marks_s),
        was_prepared=record.was_prepared,
    )


def _plain_way(
    settings: Settings, engines: Engines, padded_stt: SpeechToText, utterance: Utterance
) -> Heard:
    source, sink = WavSource(utterance.pcm()), WavSink()
    source.start()
    recording = _read_all(source)
    began_s = time.monotonic()
    language = settings.speech.language or None
    transcript = padded_stt.transcribe(recording, language=language)
    recognised_s = time.monotonic()
    persona = load_persona(settings.conversation.persona)
    messages = build_messages(persona, History(), transcript.text)
    answer = "".join(engines.llm.generate(messages, generation_options(settings)))
    written_s = time.monotonic()
    spoken = verbalize(speakable_text(answer), language=transcript.language)
    voice = settings.voice
    pieces = list(engines.tts.synthesize(spoken, voice=voice.voice, speed=voice.speed))
    synthesized_s = time.monotonic()
    sink.start()
    sink.write(np.concatenate(pieces), engines.tts.sample_rate_hz)
    sink.drain()
    sink.stop()
    stages = {
        "recognition": recognised_s - began_s,
        "writing": written_s - recognised_s,
        "synthesis": synthesized_s - written_s,
    }
    return _heard(utterance, source, sink, transcript.text, answer.strip(), stages)


def _read_all(source: AudioSource) -> Pcm:
    frames: list[Pcm] = []
    while True:
        try:
            frame = source.read(_READ_TIMEOUT_S)
        except EOFError:
            return np.concatenate(frames)
        if frame is not None:
            frames.append(frame.pcm)


def _heard(
    utterance: Utterance,
    source: WavSource,
    sink: WavSink,
    transcript: str,
    answer: str,
    stages: dict[str, float],
    *,
    was_prepared: bool = False,
) -> Heard:
    """Measure what left the speaker, on the clock of the person who spoke."""
    pcm, rate = sink.heard(), sink.sample_rate_hz
    first, last = first_audible_s(pcm, rate), last_audible_s(pcm, rate)
    if source.started_at is None or sink.started_at is None or first is None or last is None:
        raise EngineError(f"Nothing was heard in answer to {utterance.path.name}.")
    offset_s = sink.started_at - (source.started_at + utterance.speech_end_s)
    gaps = gap_s(pcm, rate)
    return Heard(
        transcript=transcript,
        answer=answer,
        first_audio_s=offset_s + first,
        total_s=offset_s + last,
        gap_s=gaps.total_s,
        longest_gap_s=gaps.longest_s,
        stages_s=stages,
        pcm=pcm,
        sample_rate_hz=rate,
        was_prepared=was_prepared,
    )


def _document(pairs: Sequence[tuple[Heard, Heard]]) -> dict[str, Any]:
    ours, plain = [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def both(name: str) -> dict[str, Any]:
        a, b = [getattr(h, name) for h in ours], [getattr(h, name) for h in plain]
        figures = {"samantha": summary(a), "plain": summary(b)}
        return {
            **figures,
            "ratio": ratio(figures["samantha"]["median"], figures["plain"]["median"]),
        }

    def stages(ways: Sequence[Heard]) -> dict[str, Any]:
        return {
            stage: summary([heard.stages_s.get(stage, 0.0) for heard in ways])
            for stage in ways[0].stages_s
        }

    total_s = both("total_s")
    total_s["pair_ratio"] = summary([a.total_s / b.total_s for a, b in pairs])
    gaps_s = both("gap_s")
    del gaps_s["ratio"]  # of zeros, mostly
    gaps_s["longest"] = round(max(heard.longest_gap_s for heard in ours), 4)
    gaps_s["fluent_share"] = round(float(np.mean([h.gap_s <= FLUENT_GAP_S for h in ours])), 4)
    return {
        "first_audio_s": both("first_audio_s"),
        "gap_s": gaps_s,
        "total_s": total_s,
        "stages_s": {"samantha": stages(ours), "plain": stages(plain)},
        "prepared_share": round(float(np.mean([heard.was_prepared for heard in ours])), 4),
        "n_turns": len(pairs),
        "turns": [{"samantha": _row(a), "plain": _row(b)} for a, b in pairs],
    }


def _row(heard: Heard) -> dict[str, Any]:
    return {
        "transcript": heard.transcript,
        "answer": heard.answer,
        "first_audio_s": round(heard.first_audio_s, 4),
        "total_s": round(heard.total_s, 4),
        "gap_s": round(heard.gap_s, 4),
        "stages_s": {name: round(value, 4) for name, value in heard.stages_s.items()},
    }


def _round_trip(stt: SpeechToText, answers: Sequence[Heard]) -> float:
    """Share of words that recognition finds otherwise in the sound than in the text."""
    errors = WordErrors(0, 0)
    for heard in answers:
        pcm = resample(heard.pcm, heard.sample_rate_hz, SPEECH_SAMPLE_RATE_HZ)
        recognised = stt.transcribe(pcm, language="en").text
        errors += count_word_errors(speakable_text(heard.answer), recognised)
    return round(errors.rate, 4)


def as_table(document: dict[str, Any]) -> str:
    """The document as text for a terminal."""
    rows = [f"{'':<26}{'samantha':>10}{'plain':>10}{'ratio':>8}{'bar':>8}"]

    def row(name: str, a: float, b: float | None, share: float | None, bar: str) -> None:
        cells = [f"{a:.2f}", "" if b is None else f"{b:.2f}"]
        cells.append("" if share is None else f"{share:.3f}")
        rows.append(f"{name:<26}{cells[0]:>10}{cells[1]:>10}{cells[2]:>8}{bar:>8}")

    for key, bar in (("first_audio_s", "≤0.35"), ("total_s", "≤1.1")):
        figures = document[key]
        ours, plain = figures["samantha"], figures["plain"]
        row(f"{key} median", ours["median"], plain["median"], figures["ratio"], bar)
        row(f"{key} p90", ours["p90"], plain["p90"], ratio(ours["p90"], plain["p90"]), "")
    first = document["first_audio_s"]["samantha"]
    row("first_audio p90/median", first["p90"] / first["median"], None, None, "≤1.5")
    gaps = document["gap_s"]
    row("gap_s p90", gaps["samantha"]["p90"], gaps["plain"]["p90"], None, "≤0.3")
    row("gap_s longest", gaps["longest"], None, None, "≤0.8")
    row("fluent share", gaps["fluent_share"], None, None, "≥0.9")
    row("round trip words wrong", document["round_trip_word_error_rate"], None, None, "≤0.08")
    row("memory GB", document["memory_bytes"] / 1e9, None, None, "≤2.0")
    rows.append(
        f"\nstages, seconds (median / p90); prepared early: {document['prepared_share']:.0%}"
    )
    for way, stages in document["stages_s"].items():
        cells = [f"{name} {s['median']:.2f} / {s['p90']:.2f}" for name, s in stages.items()]
        rows.append(f"  {way:<10}" + "   ".join(cells))
    return "\n".join(rows)

"""Where a recording holds speech, by the Silero VAD that faster-whisper carries.

That copy takes a whole recording at once, several times quicker than window by
window; the `vad` engine is for live streams.
"""

from __future__ import annotations

from dataclasses import dataclass

from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm

WHOLE_S = 12.0
"""Up to so long, a recording is one passage: Whisper profits from what stands around."""

PAUSES_MS = (320, 160, 96)
"""Longer recordings are cut at pauses of the first length, what is still longer than
`WHOLE_S` at those of the next: in one piece, Whisper takes equal sentences for a loop."""

LONGEST_S = 28.0
"""Speech without pauses is cut all the same: it and its padding must fit Whisper's window."""

SPEECH_THRESHOLD = 0.4
"""Noise, hum, breath, clicks and tones stayed below 0.23, speech 40 dB too soft above 0.77."""

MIN_SPEECH_MS = 90
MARGIN_MS = 400
"""Kept around speech: in noise the detector is late for a soft beginning, and 200 ms lost a
"Thank you"."""

_WHOLE_SAMPLES = round(WHOLE_S * SPEECH_SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class Passage:
    """Samples from `start` up to, and without, `end`."""

    start: int
    end: int

    @property
    def n_samples(self) -> int:
        """Its length."""
        return self.end - self.start

    @property
    def slice(self) -> slice:
        """To cut it out."""
        return slice(self.start, self.end)


def find_passages(pcm: Pcm) -> list[Passage]:
    """Find where somebody speaks.

    Args:
        pcm: (n_samples,) at 16 kHz, any length.

    Returns: in order, not overlapping; nothing when nobody speaks.
    """
    passages = _cut(pcm, Passage(0, pcm.size), PAUSES_MS[0])
    if not passages or pcm.size <= _WHOLE_SAMPLES:
        return [Passage(passages[0].start, passages[-1].end)] if passages else []
    for pause_ms in PAUSES_MS[1:]:
        passages = [
            piece
            for passage in passages
            for piece in (
                _cut(pcm, passage, pause_ms) if passage.n_samples > _WHOLE_SAMPLES else [passage]
            )
        ]
    return passages


def _cut(pcm: Pcm, within: Passage, pause_ms: int) -> list[Passage]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found = get_speech_timestamps(
        pcm[within.slice],
        VadOptions(
            threshold=SPEECH_THRESHOLD,
            min_speech_duration_ms=MIN_SPEECH_MS,
            max_speech_duration_s=LONGEST_S,
            min_silence_duration_ms=pause_ms,
            speech_pad_ms=MARGIN_MS,
        ),
    )
    return [
        Passage(within.start + item["start"], min(within.start + item["end"], within.end))
        for item in found
    ]

"""Where a recording holds speech, by the Silero VAD that faster-whisper carries.

That copy takes a whole recording at once, some five times quicker than window by
window; the `vad` engine is for live streams.
"""

from __future__ import annotations

from dataclasses import dataclass

from samantha_desktop.core.ports import SPEECH_SAMPLE_RATE_HZ, Pcm

WHOLE_S = 12.0
"""Up to so long, a recording is one passage: Whisper profits from what stands around."""

PAUSE_MS = 400
"""Longer recordings are cut at pauses of this length: in one piece, Whisper takes equal
sentences for a loop."""

LONGEST_S = 28.0
"""Speech without pauses is cut all the same: it and its padding must fit Whisper's window."""

SPEECH_THRESHOLD = 0.4
"""Noise, hum, breath, clicks and tones stayed below 0.23, speech 40 dB too soft above 0.77."""

MIN_SPEECH_MS = 90
MARGIN_MS = 200
"""Kept around speech: the detector is late for a soft beginning."""


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
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    found = get_speech_timestamps(
        pcm,
        VadOptions(
            threshold=SPEECH_THRESHOLD,
            min_speech_duration_ms=MIN_SPEECH_MS,
            max_speech_duration_s=LONGEST_S,
            min_silence_duration_ms=PAUSE_MS,
            speech_pad_ms=MARGIN_MS,
        ),
    )
    passages = [Passage(item["start"], min(item["end"], pcm.size)) for item in found]
    if passages and pcm.size <= WHOLE_S * SPEECH_SAMPLE_RATE_HZ:
        return [Passage(passages[0].start, passages[-1].end)]
    return passages

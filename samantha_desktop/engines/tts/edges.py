"""Where speech begins and ends: silence cut, pauses by punctuation, no clicks."""

from __future__ import annotations

import numpy as np

from samantha_desktop.core.ports import Pcm

SENTENCE_PAUSE_S = 0.3
CLAUSE_PAUSE_S = 0.15
CUT_PAUSE_S = 0.03
"""Silence after a piece, by how it ends; at twice the speed half of it."""

_BLOCK_S = 0.005
_AUDIBLE_RMS = 0.002  # -54 dB; Kokoro's own silence lies at -62 dB and below
_LEAD_S = 0.015
_TAIL_S = 0.02
_FADE_IN_S = 0.005
_FADE_OUT_S = 0.015


def pause_s(text: str) -> float:
    """The pause after a piece of text or phonemes."""
    mark = text.rstrip(" \"'”’)»«]“")[-1:]
    if mark and mark in ".!?…。！？":
        return SENTENCE_PAUSE_S
    if mark and mark in ",;:—–，、；：":
        return CLAUSE_PAUSE_S
    return CUT_PAUSE_S


def trim_and_pause(pcm: Pcm, sample_rate_hz: int, pause: float) -> Pcm:
    """The audible part of `pcm`, faded at its edges, then `pause` seconds of silence.

    Returns: nothing when nothing is audible.
    """
    block = round(_BLOCK_S * sample_rate_hz)
    n_blocks = len(pcm) // block
    rms = np.sqrt(np.mean(np.square(pcm[: n_blocks * block]).reshape(n_blocks, block), axis=1))
    audible = np.flatnonzero(rms > _AUDIBLE_RMS)
    if not len(audible):
        return pcm[:0]
    start = max(0, int(audible[0]) * block - round(_LEAD_S * sample_rate_hz))
    end = min(len(pcm), (int(audible[-1]) + 1) * block + round(_TAIL_S * sample_rate_hz))
    # A pause is measured from the voice's end: its quiet tail is part of it.
    silence = max(0, round((pause - _TAIL_S) * sample_rate_hz))
    out = np.zeros(end - start + silence, np.float32)
    speech = out[: end - start]
    speech[:] = np.clip(pcm[start:end], -1.0, 1.0)
    n_in = min(len(speech), round(_FADE_IN_S * sample_rate_hz))
    n_out = min(len(speech), round(_FADE_OUT_S * sample_rate_hz))
    speech[:n_in] *= np.linspace(0.0, 1.0, n_in, dtype=np.float32)
    speech[-n_out:] *= np.linspace(1.0, 0.0, n_out, dtype=np.float32)
    return out

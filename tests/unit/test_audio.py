"""Levels, frames, conversions, and the stutter figure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from samantha_desktop.core.audio import (
    NATURAL_PAUSE_S,
    SILENCE_DBFS,
    Reframer,
    first_audible_s,
    float32_to_int16,
    gap_s,
    int16_to_float32,
    last_audible_s,
    level_dbfs,
    reframed,
    rms,
    sanitise,
    silence_runs,
    to_mono,
)
from samantha_desktop.core.ports import Pcm

RATE_HZ = 24_000


def tone(duration_s: float, amplitude: float = 0.3) -> Pcm:
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def silence(duration_s: float) -> Pcm:
    return np.zeros(round(duration_s * RATE_HZ), dtype=np.float32)


# ------------------------------------------------------------------ conversions


@given(arrays(np.int16, st.integers(0, 50)))
def test_int16_survives_the_way_through_float(samples: np.ndarray) -> None:
    pcm = int16_to_float32(samples)
    assert pcm.dtype == np.float32
    assert np.array_equal(float32_to_int16(pcm), samples)


def test_too_loud_samples_are_clipped_and_never_wrap() -> None:
    loud = np.array([2.0, 1.0, -1.0, -3.0], dtype=np.float32)
    assert float32_to_int16(loud).tolist() == [32767, 32767, -32768, -32768]


@given(arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)))
def test_whatever_comes_is_fit_to_be_heard(samples: Pcm) -> None:
    clean = sanitise(samples)
    assert clean.shape == samples.shape
    assert np.isfinite(clean).all()
    assert (np.abs(clean) <= 1.0).all()
    good = np.isfinite(samples) & (np.abs(samples) <= 1.0)
    assert np.array_equal(clean[good], samples[good])
    assert not clean[~np.isfinite(samples)].any()


def test_channels_are_mixed_by_their_mean() -> None:
    stereo = np.array([[1.0, 0.0], [0.5, -0.5]], dtype=np.float32)
    assert to_mono(stereo).tolist() == [0.5, 0.0]
    assert to_mono(stereo[:, :1]).tolist() == [1.0, 0.5]
    assert to_mono(stereo[:, 0]).tolist() == [1.0, 0.5]


def test_levels() -> None:
    assert rms(np.zeros(0, dtype=np.float32)) == 0.0
    assert rms(np.full(10, -0.5, dtype=np.float32)) == pytest.approx(0.5)
    assert level_dbfs(tone(1.0, amplitude=1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(silence(1.0)) == SILENCE_DBFS


# --------------------------------------------------------------------- silence


def test_silence_is_found_where_it_is() -> None:
    pcm = np.concatenate((silence(0.2), tone(0.5), silence(0.4), tone(0.3), silence(0.1)))
    runs = silence_runs(pcm, RATE_HZ)
    assert [run.start_s for run in runs] == pytest.approx([0.0, 0.7, 1.4], abs=0.011)
    assert [run.duration_s for run in runs] == pytest.approx([0.2, 0.4, 0.1], abs=0.011)
    assert first_audible_s(pcm, RATE_HZ) == pytest.approx(0.2, abs=0.011)
    assert last_audible_s(pcm, RATE_HZ) == pytest.approx(1.4, abs=0.011)


@pytest.mark.parametrize("pcm", [silence(0.0), silence(0.005), silence(1.0)])
def test_where_nothing_sounds_nothing_is_first_and_nothing_stutters(pcm: Pcm) -> None:
    assert first_audible_s(pcm, RATE_HZ) is None
    assert last_audible_s(pcm, RATE_HZ) is None
    assert gap_s(pcm, RATE_HZ) == (0.0, 0.0)
    assert len(silence_runs(pcm, RATE_HZ)) == (1 if pcm.size else 0)


def test_sound_without_silence() -> None:
    assert silence_runs(tone(1.003), RATE_HZ) == []
    assert first_audible_s(tone(1.003), RATE_HZ) == 0.0
    assert last_audible_s(tone(1.003), RATE_HZ) == pytest.approx(1.003)


def test_a_click_is_no_sound_and_a_zero_crossing_no_silence() -> None:
    click = silence(1.0)
    click[RATE_HZ // 2] = 0.01
    assert first_audible_s(click, RATE_HZ) is None
    assert silence_runs(tone(0.5, amplitude=0.01), RATE_HZ) == []


def test_gaps_are_what_exceeds_a_natural_pause() -> None:
    answer = np.concatenate(
        (tone(0.5), silence(0.3), tone(0.5), silence(0.6), tone(0.5), silence(1.35), tone(0.5))
    )
    gaps = gap_s(answer, RATE_HZ)
    assert gaps.total_s == pytest.approx((0.6 - NATURAL_PAUSE_S) + 1.0, abs=0.021)
    assert gaps.longest_s == pytest.approx(1.0, abs=0.011)
    assert gap_s(answer, RATE_HZ, natural_pause_s=1.4) == (0.0, 0.0)


def test_silence_around_an_answer_is_no_gap() -> None:
    answer = np.concatenate((silence(3.0), tone(0.5), silence(0.2), tone(0.5), silence(3.0)))
    assert gap_s(answer, RATE_HZ) == (0.0, 0.0)


@given(st.lists(st.integers(0, 80), min_size=1, max_size=6))
def test_gaps_add_up(pauses_of_20_ms: list[int]) -> None:
    pieces = [tone(0.2)]
    for pause in pauses_of_20_ms:
        pieces += [silence(pause * 0.02), tone(0.2)]
    gaps = gap_s(np.concatenate(pieces), RATE_HZ)
    excess = [max(0.0, pause * 0.02 - NATURAL_PAUSE_S) for pause in pauses_of_20_ms]
    assert gaps.total_s == pytest.approx(sum(excess), abs=0.001)
    assert gaps.longest_s == pytest.approx(max(excess), abs=0.001)


# ----------------------------------------------------------------------- frames


@given(st.lists(st.integers(0, 70), max_size=12), st.integers(1, 32))
def test_blocks_of_any_sizes_become_equal_frames(sizes: list[int], frame_samples: int) -> None:
    pcm = np.arange(1, sum(sizes) + 1, dtype=np.float32)
    blocks = np.split(pcm, np.cumsum(sizes)[:-1]) if sizes else []
    frames = list(reframed(blocks, frame_samples))
    assert all(frame.shape == (frame_samples,) for frame in frames)
    assert len(frames) == -(-pcm.size // frame_samples)
    joined = np.concatenate([np.zeros(0, dtype=np.float32), *frames])
    assert np.array_equal(joined[: pcm.size], pcm)
    assert not joined[pcm.size :].any()


def test_a_flushed_reframer_starts_afresh_and_its_frames_are_its_own() -> None:
    reframer = Reframer(4)
    (first,) = reframer.push(np.ones(6, dtype=np.float32))
    tail = reframer.flush()
    assert tail is not None
    assert tail.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert reframer.flush() is None
    (second,) = reframer.push(np.full(4, 2.0, dtype=np.float32))
    assert first.tolist() == [1.0] * 4
    assert second.tolist() == [2.0] * 4

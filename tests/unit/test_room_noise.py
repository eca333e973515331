"""What follows a passage in the short window: its own room, never its own words."""

from __future__ import annotations

import numpy as np

from samantha_desktop.engines.stt.whisper_native import room_noise

RATE_HZ = 16_000


def test_the_quietest_stretch_goes_on() -> None:
    generator = np.random.default_rng(1)
    loud = generator.normal(0, 0.2, RATE_HZ).astype(np.float32)
    quiet = generator.normal(0, 0.01, RATE_HZ // 2).astype(np.float32)
    room = room_noise(np.concatenate([loud, quiet, loud]), 2 * RATE_HZ)
    assert room.size == 2 * RATE_HZ
    assert 0.008 < room.std() < 0.012


def test_speech_without_a_quiet_moment_is_followed_by_silence() -> None:
    loud = np.random.default_rng(2).normal(0, 0.2, RATE_HZ).astype(np.float32)
    assert not room_noise(loud, RATE_HZ).any()


def test_what_is_too_short_or_silent_is_followed_by_silence() -> None:
    assert not room_noise(np.zeros(0, np.float32), 100).any()
    assert not room_noise(np.ones(100, np.float32), 100).any()
    assert not room_noise(np.zeros(RATE_HZ, np.float32), 100).any()

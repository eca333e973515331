"""Where the time of a turn went, from the moments at which its stages were reached."""

from __future__ import annotations

from collections.abc import Mapping

STAGES: tuple[tuple[str, str], ...] = (
    ("waiting", "utterance_ended"),
    ("recognition", "transcript"),
    ("first_token", "first_token"),
    ("first_clause", "first_clause"),
    ("synthesis", "first_speech"),
    ("playback", "first_sound"),
)
"""(name of the stage, the mark that ends it), in order, from the end of speech on."""


def stages_s(marks_s: Mapping[str, float]) -> dict[str, float]:
    """Seconds each stage added between the end of speech and the first sound.

    What was done before the speaker let go of the key adds nothing, so the stages
    reached sum up to the time waited.
    """
    if "speech_ended" not in marks_s:
        return {}
    reached_s = marks_s["speech_ended"]
    durations_s: dict[str, float] = {}
    for stage, mark in STAGES:
        if mark in marks_s:
            later_s = max(reached_s, marks_s[mark])
            durations_s[stage] = later_s - reached_s
            reached_s = later_s
    return durations_s


def first_audio_s(marks_s: Mapping[str, float]) -> float | None:
    """Seconds from the end of speech to the first sound of the answer, if there was one."""
    if "first_sound" not in marks_s or "speech_ended" not in marks_s:
        return None
    return marks_s["first_sound"] - marks_s["speech_ended"]

"""Microphones and speakers: the sound card, and WAV files that behave like one."""

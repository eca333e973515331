"""Emotion-reading engines."""

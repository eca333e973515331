"""Measures how good Samantha is at what she claims, on public test data."""

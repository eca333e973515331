"""Decisions. Pure libraries only: no threads, files, clocks or engines."""

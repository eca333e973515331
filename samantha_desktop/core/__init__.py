"""Decisions. Standard library, numpy and pure text libraries only: no threads, files, clocks or engines."""

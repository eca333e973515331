"""Benchmarks that people run: speed and memory, measured on their own machine."""

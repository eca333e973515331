"""What every benchmark says of its numbers and of the machine they were taken on."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date

import numpy as np

from samantha_desktop import __version__
from samantha_desktop.models.hardware import detect_hardware


def summary(values: Sequence[float], n_digits: int = 4) -> dict[str, float]:
    """Median, 90th percentile, smallest and largest; nothing for no values."""
    if not values:
        return {}
    return {
        "median": round(float(np.median(values)), n_digits),
        "p90": round(float(np.percentile(values, 90)), n_digits),
        "min": round(float(min(values)), n_digits),
        "max": round(float(max(values)), n_digits),
    }


def ratio(value: float, baseline: float) -> float | None:
    """`value` as a share of `baseline`; None without one."""
    return round(value / baseline, 4) if baseline else None


def circumstances() -> dict[str, str | int]:
    """Version, date and machine, as they stand beside every published number."""
    hardware = detect_hardware()
    return {
        "version": __version__,
        "date": date.today().isoformat(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "cpu": hardware.cpu_name,
        "cores": hardware.usable_cores,
        "memory_bytes": hardware.total_bytes,
        "gpu": ", ".join(gpu.name for gpu in hardware.gpus) or "none",
    }

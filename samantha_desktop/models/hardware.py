"""What this machine has to compute with."""

from __future__ import annotations

import csv
import io
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_QUERY_TIMEOUT_S = 10.0

_INTERESTING_FEATURES = (
    "avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8",
    "amx_bf16", "f16c", "fma", "bmi2", "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
"""Flags of x86-64 and ARM processors that decide how fast llama.cpp is, as Linux names them."""

_DARWIN_NAMES = {"avx1.0": "avx", "neon": "asimd", "feat_dotprod": "asimddp", "feat_i8mm": "i8mm"}
_WINDOWS_FEATURES = {39: "avx", 40: "avx2", 41: "avx512f"}
"""Arguments of IsProcessorFeaturePresent. Source: winnt.h, PF_AVX_INSTRUCTIONS_AVAILABLE ff."""


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA card, as nvidia-smi describes it."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    driver: str


@dataclass(frozen=True)
class Hardware:
    """What this machine has.

    Attributes:
        usable_cores: logical cores this process may use (affinity and cgroup quota).
        physical_cores: cores without hyper-threads; those of the whole machine.
        total_bytes: memory this process may use.
        available_bytes: of that, free now without swapping.
        cpu_name: as the system calls it; may be empty.
        cpu_features: those that matter here, in Linux's spelling, e.g. "avx2".
        gpus: NVIDIA cards; empty without a driver.
    """

    usable_cores: int
    physical_cores: int
    total_bytes: int
    available_bytes: int
    cpu_name: str
    cpu_features: tuple[str, ...]
    gpus: tuple[Gpu, ...]


def detect_hardware() -> Hardware:
    """Look at this machine. Starts nvidia-smi where there is one."""
    memory = psutil.virtual_memory()
    limit_bytes = memory_limit_bytes() or memory.total
    usable_cores = count_usable_cores()
    return Hardware(
        usable_cores=usable_cores,
        physical_cores=psutil.cpu_count(logical=False) or usable_cores,
        total_bytes=min(memory.total, limit_bytes),
        available_bytes=min(memory.available, limit_bytes),
        cpu_name=_cpu_name(),
        cpu_features=detect_cpu_features(),
        gpus=detect_gpus(),
    )


def recommended_threads(hardware: Hardware) -> int:
    """Threads for an engine that has the machine to itself.

    Decoding is bound by memory, which a core's second hyper-thread does not speed up; on a
    machine of up to four logical cores every one of them is used all the same (`samantha bench
    llm` with SAMANTHA_LANGUAGE_MODEL_N_THREADS set to 1 shows why). Beyond eight, threads
    wait for each other more than they help a model of a few billion parameters.
    """
    if hardware.usable_cores <= 4:
        return max(1, hardware.usable_cores)
    return max(1, min(hardware.usable_cores, hardware.physical_cores, 8))


def count_usable_cores(cgroup_root: Path = Path("/sys/fs/cgroup")) -> int:
    """Logical cores this process may keep busy: affinity, and a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    quota = _cgroup_cores(cgroup_root)
    return max(1, min(n_cores, int(quota + 0.5))) if quota else n_cores


def memory_limit_bytes(cgroup_root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """A container's memory limit; None without one."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _read(cgroup_root / name)
        # Version 1 says "no limit" with a number near 2**63.
        if text.isdigit() and int(text) < 1 << 60:
            return int(text)
    return None


def detect_cpu_features(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, ...]:
    """Processor features that matter here; empty where they cannot be told."""
    if sys.platform == "win32":
        import ctypes

        is_present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        return tuple(name for code, name in _WINDOWS_FEATURES.items() if is_present(code))
    if sys.platform == "darwin":
        flags = _run(["sysctl", "-n", "machdep.cpu.features", "machdep.cpu.leaf7_features"])
        flags += _run(["sysctl", "hw.optional"]).replace("hw.optional.arm.", "")
        words = {_DARWIN_NAMES.get(word.strip(":"), word) for word in flags.lower().split()}
    else:
        words = set()
        for line in _read(cpuinfo).splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("flags", "Features"):
                words = set(value.split())
                break
    return tuple(name for name in _INTERESTING_FEATURES if name in words)


def detect_gpus(run: Callable[[list[str]], str] | None = None) -> tuple[Gpu, ...]:
    """NVIDIA cards by nvidia-smi; empty when it is not there or fails."""
    query = "index,name,memory.total,memory.free,driver_version"
    text = (run or _run)(["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"])
    gpus = []
    for row in csv.reader(io.StringIO(text), skipinitialspace=True):
        try:
            index, name, total_mib, free_mib, driver = row
            gpus.append(Gpu(int(index), name, int(total_mib) << 20, int(free_mib) << 20, driver))
        except ValueError:
            continue  # "[N/A]" of a card that does not say, or a message instead of a table
    return tuple(gpus)


def _cgroup_cores(root: Path) -> float | None:
    quota, _, period = _read(root / "cpu.max").partition(" ")
    if not quota:
        quota = _read(root / "cpu" / "cpu.cfs_quota_us")
        period = _read(root / "cpu" / "cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        return int(quota) / int(period)
    return None


def _cpu_name() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor()


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_QUERY_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""

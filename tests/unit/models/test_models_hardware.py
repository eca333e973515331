"""What a machine has, read from what systems write about themselves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from samantha_desktop.models.hardware import (
    Gpu,
    Hardware,
    count_usable_cores,
    detect_cpu_features,
    detect_gpus,
    detect_hardware,
    memory_limit_bytes,
    recommended_threads,
)


def hardware_with(usable_cores: int, physical_cores: int) -> Hardware:
    return Hardware(usable_cores, physical_cores, 8 << 30, 4 << 30, "", (), ())


def test_this_machine_has_something() -> None:
    here = detect_hardware()
    assert 1 <= here.usable_cores <= (os.cpu_count() or 1)
    assert here.physical_cores >= 1
    assert 0 < here.available_bytes <= here.total_bytes


@pytest.mark.parametrize(
    ("usable", "physical", "threads"),
    [(1, 1, 1), (2, 1, 2), (4, 2, 4), (8, 4, 4), (16, 8, 8), (6, 16, 6), (64, 32, 8), (0, 0, 1)],
)
def test_threads(usable: int, physical: int, threads: int) -> None:
    assert recommended_threads(hardware_with(usable, physical)) == threads


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu.max": "250000 100000"}, 3),
        ({"cpu.max": "10000 100000"}, 1),
        ({"cpu.max": "6400000 100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
    ],
)
def test_a_container_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    write(tmp_path, files)
    assert count_usable_cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"memory.max": "max"}, None),
        ({"memory.max": "2147483648"}, 2 << 30),
        ({"memory/memory.limit_in_bytes": str((1 << 63) - 4096)}, None),
        ({"memory/memory.limit_in_bytes": "1073741824"}, 1 << 30),
    ],
)
def test_a_container_memory_limit(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    write(tmp_path, files)
    assert memory_limit_bytes(tmp_path) == limit


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")


@pytest.mark.skipif(os.name == "nt", reason="Linux's /proc/cpuinfo")
def test_processor_features(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: X\nflags\t\t: fpu avx avx2 fma f16c\n")
    assert detect_cpu_features(cpuinfo) == ("avx", "avx2", "f16c", "fma")
    cpuinfo.write_text("processor\t: 0\nFeatures\t: fp asimd i8mm\n")
    assert detect_cpu_features(cpuinfo) == ("asimd", "i8mm")
    assert detect_cpu_features(tmp_path / "nothing") == ()


def test_graphics_cards() -> None:
    table = (
        "0, NVIDIA GeForce RTX 3060, 12288, 11000, 550.54.14\n"
        "1, NVIDIA Something, [N/A], [N/A], 550.54.14\n"
    )
    assert detect_gpus(lambda command: table) == (
        Gpu(0, "NVIDIA GeForce RTX 3060", 12288 << 20, 11000 << 20, "550.54.14"),
    )
    assert detect_gpus(lambda command: "") == ()
    assert detect_gpus(lambda command: "NVIDIA-SMI has failed\n") == ()

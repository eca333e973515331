"""llama-cpp-python compiled for this processor, and kept for the next set-up.

It comes as source only, takes minutes to compile, and its default
(`GGML_NATIVE=ON`) crashes in llama.cpp's AMX kernels on virtual machines whose
processor shows `amx_*`. So every instruction set is named, on or off.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

# What llama.cpp can be told to use, and the words by which Linux lists what it needs.
# Source: the options of ggml/CMakeLists.txt and the -m flags of ggml/src/ggml-cpu/CMakeLists.txt.
_X86_OPTIONS = {
    "GGML_SSE42": {"sse4_2"},
    "GGML_AVX": {"avx"},
    "GGML_AVX2": {"avx2"},
    "GGML_FMA": {"fma"},
    "GGML_F16C": {"f16c"},
    "GGML_BMI2": {"bmi2"},
    "GGML_AVX512": {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"},
    "GGML_AVX512_VBMI": {"avx512f", "avx512bw", "avx512vbmi"},
    "GGML_AVX512_VNNI": {"avx512f", "avx512bw", "avx512_vnni"},
    "GGML_AVX512_BF16": {"avx512f", "avx512bw", "avx512_bf16"},
}
_X86_MACHINES = ("x86_64", "amd64")

# Windows tells only this much. A processor with AVX2 has the other three.
# Source: IsProcessorFeaturePresent, PF_AVX2_INSTRUCTIONS_AVAILABLE.
_PF_AVX2 = 40
_WORDS_OF_AVX2 = {"sse4_2", "avx", "avx2", "fma", "f16c", "bmi2"}

_STILL_COMPILING_EVERY_S = 30.0
_SHOWN_LOG_LINES = 25


class BuildFailed(Exception):
    """The compiler or pip gave up; the message holds the end of what they said."""


def processor_words(cpuinfo: str) -> frozenset[str]:
    """The features that the first processor of a `/proc/cpuinfo` lists."""
    found = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset(found.group(1).split()) if found else frozenset()


def cmake_flags(
    system: str, machine: str, words: frozenset[str], *, has_cuda: bool
) -> tuple[str, ...]:
    """What to compile with: never more than this processor can do, and never AMX.

    Args:
        system, machine: as `platform` names them.
        words: features of an x86-64 processor.
        has_cuda: a CUDA compiler and a card that answers.
    """
    flags = ["-DLLAVA_BUILD=OFF"]  # reading images, which nothing here does
    # Apple's and ARM's own default (Metal, native) is the right one and is safe.
    if system != "Darwin" and machine.lower() in _X86_MACHINES:
        flags.append("-DGGML_NATIVE=OFF")
        for option, needed in _X86_OPTIONS.items():
            flags.append(f"-D{option}={'ON' if needed <= words else 'OFF'}")
    if has_cuda:
        flags += ["-DGGML_CUDA=ON", "-DCMAKE_CUDA_ARCHITECTURES=native"]
    return tuple(flags)


def flags_for_this_machine() -> tuple[str, ...]:
    """`cmake_flags` of the machine this runs on."""
    words: frozenset[str] = frozenset()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        words = processor_words(cpuinfo.read_text(encoding="utf-8", errors="replace"))
    elif sys.platform == "win32" and ctypes.windll.kernel32.IsProcessorFeaturePresent(_PF_AVX2):
        words = frozenset(_WORDS_OF_AVX2)
    return cmake_flags(platform.system(), platform.machine(), words, has_cuda=_has_cuda())


def _has_cuda() -> bool:
    """A toolkit alone is not enough: images come with nvcc and without a card."""
    if not shutil.which("nvcc") or not shutil.which("nvidia-smi"):
        return False
    try:
        answer = subprocess.run(
            ["nvidia-smi", "-L"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and b"GPU" in answer.stdout


def cache_key(version: str, platform_tag: str, flags: tuple[str, ...]) -> str:
    """A folder name; the same for what gives the same wheel, which serves every Python 3."""
    digest = hashlib.sha256("\n".join(flags).encode()).hexdigest()[:16]
    return f"llama-cpp-python-{version}-{platform_tag}-{digest}"


def cache_root() -> Path:
    """Like `samantha_desktop.host.folders.cache_dir`, but shared between data folders."""
    own = os.environ.get("SAMANTHA_CACHE_DIR", "").strip()
    if own:
        return Path(own).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(local) / "samantha-desktop" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "samantha-desktop"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "samantha-desktop"


def sound_wheel(folder: Path) -> Path | None:
    """The wheel in a cache folder, if there is one and every byte of it can be read."""
    for wheel in sorted(folder.glob("*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (OSError, zipfile.BadZipFile):
            continue
    return None


def has_compiler() -> bool:
    """Whether something that CMake finds by itself can compile C++."""
    if sys.platform == "win32":
        return True  # the Visual C++ compiler is not on the path; CMake asks the registry
    candidates = [os.environ.get("CXX", "").split(" ")[0], "c++", "g++", "clang++"]
    return any(name and shutil.which(name) for name in candidates)


def build(
    python: str,
    version: str,
    flags: tuple[str, ...],
    folder: Path,
    say: Callable[[str], None],
) -> Path:
    """Compile the wheel with an interpreter that has pip, and put it into `folder`.

    Raises:
        BuildFailed: with the end of the log.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        out = Path(scratch) / "wheel"
        command = [python, "-m", "pip", "wheel", f"llama-cpp-python=={version}", "--no-deps"]
        # Neither someone else's wheel nor one that pip kept from other flags.
        command += ["--no-binary", "llama-cpp-python", "--no-cache-dir", "--no-input"]
        command += ["--disable-pip-version-check", "--wheel-dir", str(out)]
        environment = {
            **os.environ,
            "CMAKE_ARGS": " ".join(flags),
            "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
        }
        environment.pop("FORCE_CMAKE", None)
        log = Path(scratch) / "log"
        with log.open("wb") as sink:
            _run_and_tell(command, environment, sink, say)
        wheel = sound_wheel(out)
        if wheel is None:
            said = log.read_text(encoding="utf-8", errors="replace").splitlines()
            raise BuildFailed("\n".join(said[-_SHOWN_LOG_LINES:]))
        folder.mkdir(exist_ok=True)
        return wheel.replace(folder / wheel.name)


def _run_and_tell(
    command: list[str], environment: dict[str, str], sink: BinaryIO, say: Callable[[str], None]
) -> None:
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    try:
        while True:
            try:
                process.wait(timeout=_STILL_COMPILING_EVERY_S)
                return
            except subprocess.TimeoutExpired:
                say(f"still compiling llama.cpp ({time.monotonic() - started:.0f} s)")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()

"""What the operating system has to bring, and how it is asked for on each.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MANAGERS = ("apt-get", "dnf", "pacman", "zypper", "brew")

_INSTALL = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "pacman": "pacman -S",
    "zypper": "zypper install",
    "brew": "brew install",
}


@dataclass(frozen=True)
class Need:
    """Something the system has to bring.

    Attributes:
        what: for a person, with what it is for.
        names: the package by manager; a manager without one does not need it.
        is_present: looks at this machine.
    """

    what: str
    names: dict[str, str]
    is_present: Callable[[], bool]


def _has(program: str) -> Callable[[], bool]:
    return lambda: shutil.which(program) is not None


def _has_pulse_plugin() -> bool:
    roots = [Path("/usr/lib"), Path("/usr/lib64")]
    pattern = "libasound_module_pcm_pulse.so"
    return any(
        list(root.glob(f"alsa-lib/{pattern}")) or list(root.glob(f"*/alsa-lib/{pattern}"))
        for root in roots
    )


def _same(name: str) -> dict[str, str]:
    return dict.fromkeys(("apt-get", "dnf", "pacman", "zypper"), name)


PORTAUDIO = Need(
    "PortAudio, for microphone and speaker",
    {
        "apt-get": "libportaudio2",
        "dnf": "portaudio",
        "pacman": "portaudio",
        "zypper": "libportaudio2",
    },  # the sounddevice wheels of macOS and Windows carry it
    lambda: sys.platform != "linux" or ctypes.util.find_library("portaudio") is not None,
)

COMPILER = Need(
    "a C++ compiler, for llama.cpp",
    {"apt-get": "g++", "dnf": "gcc-c++", "pacman": "gcc", "zypper": "gcc-c++"},
    lambda: False,  # asked for only where none was found
)

NPM = Need(
    "npm, which brings models where Hugging Face cannot be reached",
    {**_same("npm"), "brew": "node"},
    _has("npm"),
)

FOR_TESTS = (
    Need("PulseAudio, a virtual sound card for tests", _same("pulseaudio"), _has("pulseaudio")),
    Need(
        "PulseAudio's tools",
        {**_same("pulseaudio-utils"), "pacman": "libpulse"},
        _has("pactl"),
    ),
    Need(
        "ALSA's way to PulseAudio",
        {
            "apt-get": "libasound2-plugins",
            "dnf": "alsa-plugins-pulseaudio",
            "pacman": "alsa-plugins",
            "zypper": "alsa-plugins-pulse",
        },
        _has_pulse_plugin,
    ),
    Need("espeak-ng, a voice for tests", _same("espeak-ng"), _has("espeak-ng")),
    Need("sox, to make test sounds", _same("sox"), _has("sox")),
)


def find_manager() -> str | None:
    """This system's package manager; None when it is one we do not know."""
    return next((name for name in MANAGERS if shutil.which(name)), None)


def packages_for(needs: list[Need], manager: str) -> list[str]:
    """Names to hand to the manager."""
    return [need.names[manager] for need in needs if manager in need.names]


def hint(needs: list[Need], manager: str | None) -> str:
    """One sentence: what is missing and the command that brings it."""
    wanted = "; ".join(need.what for need in needs)
    if COMPILER in needs and sys.platform == "darwin":
        return f"Missing: {wanted}. Install it with:  xcode-select --install"
    packages = packages_for(needs, manager) if manager else []
    if not manager or not packages:
        return f"Missing: {wanted}. Install it with your system's package manager."
    who = "" if manager == "brew" else "sudo "
    return f"Missing: {wanted}. Install it with:  {who}{_INSTALL[manager]} {' '.join(packages)}"


def may_install(manager: str | None) -> list[str] | None:
    """What to put before `apt-get` so that it needs no password; None when it would need one."""
    if manager != "apt-get":
        return None  # other systems' packages are the person's to choose
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(
            ["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True
        )
        if asked.returncode == 0:
            return ["sudo", "-n"]
    return None


def apt_install(prefix: list[str], packages: list[str]) -> str | None:
    """Install without a question. Returns None when it worked, or the end of what apt said."""
    silent = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    silent += ["-o", "DPkg::Lock::Timeout=120"]
    # A list that cannot be brought up to date may still be good enough.
    subprocess.run([*silent, "update"], stdin=subprocess.DEVNULL, capture_output=True)
    done = subprocess.run(
        [*silent, "install", "-y", "--no-install-recommends", *packages],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    return None if done.returncode == 0 else "\n".join(done.stdout.splitlines()[-5:])

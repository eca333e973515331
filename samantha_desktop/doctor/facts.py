"""What the doctor knows of a machine: plain values, so that any fault can be planted in a test."""

from __future__ import annotations

from dataclasses import dataclass, field

from samantha_desktop.engines.registry import Kind
from samantha_desktop.models.hardware import Hardware

ENGINE_KINDS: tuple[Kind, ...] = ("vad", "stt", "llm", "tts")
"""In the order of a spoken turn."""


@dataclass(frozen=True)
class SoundDevice:
    """A microphone or speaker, as the system lists it."""

    name: str
    host_api: str
    n_inputs: int
    n_outputs: int
    is_default_input: bool = False
    is_default_output: bool = False


@dataclass(frozen=True)
class ModelCheck:
    """A model that the settings ask for. `fault` is empty when it is there and looks whole."""

    kind: str
    id: str
    path: str = ""
    fault: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Trial:
    """One engine loaded, and one real inference of it.

    Attributes:
        kind: one of `ENGINE_KINDS`.
        engine, model, device, detail: of its `EngineInfo`, asked after the inference.
        did: what it did, e.g. "recognised 2.1 s of speech"; empty when it failed.
        load_s, run_s: seconds to load (warming up included), and of the inference.
        fault, mend: why it failed and what to do; empty when it worked.
    """

    kind: Kind
    engine: str = ""
    model: str = ""
    device: str = ""
    detail: dict[str, str] = field(default_factory=dict)
    did: str = ""
    load_s: float = 0.0
    run_s: float = 0.0
    fault: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that was found out.

    Attributes:
        system, python: names and versions.
        n_cores: logical cores of the machine, also those this process may not use.
        hardware: what there is to compute with.
        is_gpu_driver_silent: there is an nvidia-smi, and it names no card.
        models_folder, free_disk_bytes: where models live, and the space left there.
        packages: versions of installed distributions that matter.
        sound_devices: all of them; empty when they cannot be listed.
        sound_fault, sound_mend: why they cannot be listed and what to do; empty when they can.
        models: one for each model the settings ask for.
        trials: one for each engine.
        wanted_devices: by kind of engine, where the settings want it: "auto", "cpu", "cuda".
        settings_problems: what in the settings was not used.
    """

    system: str
    python: str
    n_cores: int
    hardware: Hardware
    is_gpu_driver_silent: bool
    models_folder: str
    free_disk_bytes: int
    packages: dict[str, str]
    sound_devices: tuple[SoundDevice, ...]
    sound_fault: str
    sound_mend: str
    models: tuple[ModelCheck, ...]
    trials: tuple[Trial, ...]
    wanted_devices: dict[str, str]
    settings_problems: tuple[str, ...]

"""What the doctor found, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from samantha_desktop.doctor.facts import Facts
from samantha_desktop.doctor.findings import Finding, can_take_spoken_turn
from samantha_desktop.engines.registry import PLAIN_NAMES

_GIB = 1 << 30


def document(facts: Facts, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """The JSON form: all of `Facts` under its field names, and

    `can_take_spoken_turn` (what the exit code says) and `findings`
    (`severity`, `what`, `mend`).
    """
    return {
        "can_take_spoken_turn": can_take_spoken_turn(facts),
        "findings": [asdict(finding) for finding in findings],
        **asdict(facts),
    }


def text(facts: Facts, findings: tuple[Finding, ...]) -> str:
    """A page for people, which can also be pasted whole into a report of a fault."""
    sections = [
        ("This machine", _machine(facts)),
        ("Packages", [f"{name} {version}" for name, version in sorted(facts.packages.items())]),
        ("Sound", _sound(facts)),
        ("Models", _models(facts)),
        ("Engines, by one real inference each", _engines(facts)),
        ("Findings", _findings(findings)),
    ]
    lines = []
    for title, entries in sections:
        lines += [title, *(f"  {entry}" for entry in entries), ""]
    is_able = can_take_spoken_turn(facts)
    lines.append("A spoken turn is possible." if is_able else "No spoken turn is possible yet.")
    return "\n".join(lines)


def _machine(facts: Facts) -> list[str]:
    hardware = facts.hardware
    lines = [
        f"{facts.system}, Python {facts.python}",
        f"{hardware.cpu_name or 'processor'}: {hardware.usable_cores} of {facts.n_cores} cores "
        f"usable; {' '.join(hardware.cpu_features) or 'features unknown'}",
        f"memory: {hardware.available_bytes / _GIB:.1f} of {hardware.total_bytes / _GIB:.1f} GB "
        "free",
        f"models folder: {facts.models_folder}, {facts.free_disk_bytes / _GIB:.1f} GB free",
    ]
    for gpu in hardware.gpus:
        lines.append(
            f"{gpu.name}: {gpu.free_bytes / _GIB:.1f} of {gpu.total_bytes / _GIB:.1f} GB free, "
            f"driver {gpu.driver}"
        )
    if not hardware.gpus:
        lines.append("no NVIDIA card")
    return lines


def _sound(facts: Facts) -> list[str]:
    lines = []
    for device in facts.sound_devices:
        roles = []
        if device.n_inputs:
            roles.append("microphone" + (" (default)" if device.is_default_input else ""))
        if device.n_outputs:
            roles.append("speaker" + (" (default)" if device.is_default_output else ""))
        lines.append(f"{device.name} ({device.host_api}): {', '.join(roles)}")
    return lines or ["no devices"]


def _models(facts: Facts) -> list[str]:
    return [
        f"{model.id} ({model.kind}): {'not usable' if model.fault else model.path}"
        for model in facts.models
    ]


def _engines(facts: Facts) -> list[str]:
    lines = []
    for trial in facts.trials:
        name = PLAIN_NAMES[trial.kind]
        if trial.fault:
            lines.append(f"{name}: failed")
            continue
        lines.append(
            f"{name}: {trial.did} in {trial.run_s:.2f} s on {trial.device} "
            f"({trial.engine}, {trial.model}; loaded in {trial.load_s:.1f} s)"
        )
        lines += [f"    {key}: {value}" for key, value in sorted(trial.detail.items())]
    return lines


def _findings(findings: tuple[Finding, ...]) -> list[str]:
    lines = []
    for finding in findings:
        lines += [f"{finding.severity}: {finding.what}", f"    → {finding.mend}"]
    return lines or ["nothing is wrong"]

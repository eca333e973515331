"""The doctor finds planted faults, and says what to do about each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from samantha_desktop.core.errors import ModelError
from samantha_desktop.core.ports import (
    FRAME_SAMPLES,
    ChatMessage,
    EngineInfo,
    GenerationOptions,
    Pcm,
    Transcript,
)
from samantha_desktop.doctor import report
from samantha_desktop.doctor.facts import ENGINE_KINDS, Facts, ModelCheck, SoundDevice, Trial
from samantha_desktop.doctor.findings import can_take_spoken_turn, find
from samantha_desktop.doctor.trials import try_engine
from samantha_desktop.models.hardware import Gpu, Hardware

GIB = 1 << 30
CARD = Gpu(0, "NVIDIA RTX", 12 * GIB, 11 * GIB, "580.1")
SOUND = (SoundDevice("pulse", "ALSA", 32, 32, is_default_input=True, is_default_output=True),)
HARDWARE = Hardware(2, 2, 24 * GIB, 20 * GIB, "AMD EPYC", ("avx2",), ())


def trial(kind: str, device: str = "cpu", **changes: Any) -> Trial:
    plain = Trial(kind, f"{kind}-engine", f"{kind}-model", device, {}, "did it", 1.0, 0.5)
    return replace(plain, **changes)


WELL = Facts(
    system="Linux",
    python="3.11.7",
    n_cores=2,
    hardware=HARDWARE,
    is_gpu_driver_silent=False,
    models_folder="/models",
    free_disk_bytes=100 * GIB,
    packages={"onnxruntime": "1.32.0"},
    sound_devices=SOUND,
    sound_fault="",
    sound_mend="",
    models=(ModelCheck("llm", "qwen", path="/models/qwen"),),
    trials=tuple(trial(kind) for kind in ENGINE_KINDS),
    wanted_devices={"stt": "auto", "llm": "auto", "tts": "auto"},
    settings_problems=(),
)


def with_trial(facts: Facts, changed: Trial) -> Facts:
    return replace(
        facts, trials=tuple(changed if t.kind == changed.kind else t for t in facts.trials)
    )


def test_nothing_is_wrong_with_a_machine_that_is_well() -> None:
    assert find(WELL) == ()
    assert can_take_spoken_turn(WELL)


PLANTED: list[tuple[Facts, str, str, str]] = [
    (
        replace(WELL, packages={"onnxruntime": "1.32.0", "onnxruntime-gpu": "1.26.0"}),
        "warning",
        "onnxruntime and onnxruntime-gpu",
        "pip uninstall -y onnxruntime onnxruntime-gpu",
    ),
    (
        replace(WELL, models=(ModelCheck("llm", "qwen", fault="It is not installed.", mend="Do"),)),
        "problem",
        "It is not installed.",
        "Do",
    ),
    (
        with_trial(WELL, trial("tts", fault="No such voice.", mend="Choose another.")),
        "problem",
        "The voice does not work: No such voice.",
        "Choose another.",
    ),
    (
        replace(WELL, hardware=replace(HARDWARE, available_bytes=GIB)),
        "warning",
        "1.0 GB of memory",
        "smollm2",
    ),
    (replace(WELL, free_disk_bytes=GIB // 2), "warning", "0.5 GB", "SAMANTHA_MODELS_DIR"),
    (
        replace(WELL, hardware=replace(HARDWARE, usable_cores=1), n_cores=8),
        "warning",
        "one of 8",
        "two or more",
    ),
    (replace(WELL, is_gpu_driver_silent=True), "warning", "no card answers", "nvidia-smi"),
    (
        replace(
            WELL,
            sound_devices=(),
            sound_fault="PortAudio is missing.",
            sound_mend="Install libportaudio2.",
        ),
        "warning",
        "PortAudio is missing.",
        "libportaudio2",
    ),
    (
        replace(WELL, sound_devices=(SoundDevice("out", "ALSA", 0, 2),)),
        "warning",
        "no microphone",
        "text",
    ),
    (
        replace(WELL, sound_devices=(SoundDevice("in", "ALSA", 1, 0),)),
        "warning",
        "no speaker",
        "text",
    ),
    (
        with_trial(WELL, trial("llm", detail={"built_with": "AVX2 = 1 | AMX_INT8 = 1 |"})),
        "warning",
        "AMX",
        "make setup",
    ),
    (replace(WELL, settings_problems=("voice.x is bad.",)), "warning", "voice.x", "Correct"),
]


@pytest.mark.parametrize(("facts", "severity", "what", "mend"), PLANTED)
def test_each_planted_fault_is_found_alone_with_its_remedy(
    facts: Facts, severity: str, what: str, mend: str
) -> None:
    (finding,) = find(facts)
    assert finding.severity == severity
    assert what in finding.what
    assert mend.lower() in finding.mend.lower()
    assert what in report.text(facts, (finding,))


def test_a_card_that_an_engine_does_not_use_is_found_for_each_engine() -> None:
    facts = replace(WELL, hardware=replace(HARDWARE, gpus=(CARD,)))
    found = find(facts)
    assert len(found) == 3
    assert ["nvcc" in finding.mend for finding in found] == [False, True, False]
    assert all("NVIDIA RTX" in finding.what for finding in found)


def test_a_card_that_is_used_or_not_wanted_is_no_finding() -> None:
    facts = replace(
        WELL,
        hardware=replace(HARDWARE, gpus=(CARD,)),
        trials=(
            trial("vad"),
            trial("stt", "cuda:0"),
            trial("llm", fault="Out of memory.", mend="Use a smaller one."),
            trial("tts"),
        ),
        wanted_devices={"stt": "auto", "llm": "auto", "tts": "cpu"},
    )
    assert [finding.what for finding in find(facts)] == [
        "The language model does not work: Out of memory."
    ]


def test_a_missing_model_is_told_once_and_before_the_warnings() -> None:
    fault = "The model qwen is not installed."
    facts = replace(
        with_trial(WELL, trial("llm", fault=fault, mend="Install it.")),
        models=(ModelCheck("llm", "qwen", fault=fault, mend="Install it."),),
        free_disk_bytes=0,
    )
    assert [finding.severity for finding in find(facts)] == ["problem", "warning"]


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_a_spoken_turn_needs_every_engine(kind: str) -> None:
    assert not can_take_spoken_turn(with_trial(WELL, trial(kind, fault="It broke.")))
    without = replace(WELL, trials=tuple(t for t in WELL.trials if t.kind != kind))
    assert not can_take_spoken_turn(without)


def test_a_spoken_turn_needs_no_sound_card() -> None:
    assert can_take_spoken_turn(replace(WELL, sound_devices=(), sound_fault="None."))


def test_the_document_is_json_and_says_what_the_exit_code_says() -> None:
    facts = with_trial(WELL, trial("tts", fault="It broke.", mend="Mend it."))
    findings = find(facts)
    back = json.loads(json.dumps(report.document(facts, findings)))
    assert back["can_take_spoken_turn"] is False
    assert back["findings"][0]["mend"] == "Mend it."
    assert back["trials"][3]["fault"] == "It broke."
    assert back["hardware"]["usable_cores"] == 2


def test_the_page_names_device_and_time_of_every_inference() -> None:
    page = report.text(WELL, ())
    assert page.count("did it in 0.50 s on cpu") == 4
    assert "pulse (ALSA): microphone (default), speaker (default)" in page
    assert page.endswith("A spoken turn is possible.")


# ------------------------------------------------------------------------ trials


@dataclass
class FakeEngine:
    """All four engines in one; `broken` names the step that fails."""

    broken: str = ""
    text: str = "words"
    loudness: float = 0.5
    calls: list[str] = field(default_factory=list)
    sample_rate_hz: int = 24_000
    voices: tuple[str, ...] = ("af_heart",)
    context_tokens: int = 512

    def load(self) -> None:
        self._call("load")

    def info(self) -> EngineInfo:
        self._call("info")
        return EngineInfo("fake", "model", "cuda:0", {"threads": "2"})

    def close(self) -> None:
        self.calls.append("close")

    def speech_probabilities(self, pcm: Pcm) -> list[float]:
        self._call("run")
        assert len(pcm) % FRAME_SAMPLES == 0
        return [self.loudness + 0.4] * (len(pcm) // FRAME_SAMPLES)

    def transcribe(self, pcm: Pcm, **_: object) -> Transcript:
        self._call("run")
        return Transcript(self.text)

    def generate(self, messages: list[ChatMessage], options: GenerationOptions) -> list[str]:
        self._call("run")
        assert options.max_tokens == 4
        return [self.text]

    def synthesize(self, text: str, *, voice: str) -> list[Pcm]:
        self._call("run")
        return [np.full(12_000, self.loudness, np.float32)] if self.text else []

    def _call(self, step: str) -> None:
        self.calls.append(step)
        if self.broken == step:
            raise ModelError("It is damaged.", recovery="Install it again.")


class FakeSet:
    """What `build_engines` gives."""

    def __init__(self, **engines: FakeEngine) -> None:
        for kind in ENGINE_KINDS:
            setattr(self, kind, engines.get(kind) or FakeEngine())


def tried(engines: FakeSet) -> dict[str, Trial]:
    clock = iter(float(n) for n in range(100))
    speech = np.zeros(40_000, np.float32)
    return {
        kind: try_engine(kind, lambda _: engines, speech, "af_heart", now_s=lambda: next(clock))
        for kind in ENGINE_KINDS
    }


def test_every_engine_runs_once_and_is_closed() -> None:
    engines = FakeSet()
    trials = tried(engines)
    assert tuple(trials) == ENGINE_KINDS
    for kind, one in trials.items():
        assert (one.device, one.load_s, one.run_s, one.fault) == ("cuda:0", 1.0, 1.0, "")
        assert getattr(engines, kind).calls == ["load", "run", "info", "close"]
    assert trials["tts"].did == "spoke 0.5 s"


@pytest.mark.parametrize("step", ["load", "run", "info"])
@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_an_engine_that_fails_is_closed_and_the_others_are_tried(kind: str, step: str) -> None:
    broken = FakeEngine(broken=step)
    trials = tried(FakeSet(**{kind: broken}))
    assert trials[kind].fault == "It is damaged."
    assert trials[kind].mend == "Install it again."
    assert broken.calls[-1] == "close"
    assert [k for k, t in trials.items() if t.fault] == [kind]


def test_an_engine_that_cannot_be_built_has_failed() -> None:
    def build(kind: str) -> FakeSet:
        raise ModelError(f"The model of the {kind} is not installed.", recovery="Install it.")

    one = try_engine("stt", build, np.zeros(16_000, np.float32), "af_heart")
    assert one == Trial("stt", fault="The model of the stt is not installed.", mend="Install it.")


@pytest.mark.parametrize(
    ("kind", "engine"),
    [
        ("vad", FakeEngine(loudness=-0.4)),
        ("stt", FakeEngine(text="")),
        ("llm", FakeEngine(text="")),
        ("tts", FakeEngine(text="")),
        ("tts", FakeEngine(loudness=0.001)),
        ("tts", FakeEngine(loudness=float("nan"))),
    ],
)
def test_an_engine_that_runs_without_a_result_has_failed(kind: str, engine: FakeEngine) -> None:
    trials = tried(FakeSet(**{kind: engine}))
    assert [k for k, t in trials.items() if t.fault] == [kind]
    assert trials[kind].mend


def test_a_fault_of_the_program_itself_is_not_hidden() -> None:
    class Buggy(FakeEngine):
        def load(self) -> None:
            raise TypeError("a mistake of ours")

    buggy = Buggy()
    with pytest.raises(TypeError):
        tried(FakeSet(stt=buggy))
    assert buggy.calls == ["close"]

"""What every engine promises, whatever its kind: see `ports.Engine`."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from samantha_desktop.core import ports
from samantha_desktop.core.errors import SettingsError
from samantha_desktop.core.ports import Engine
from samantha_desktop.engines.registry import ENGINES, FIXED_PROPERTIES, Kind, find_engine

PORTS: dict[str, type] = {
    "stt": ports.SpeechToText,
    "llm": ports.LanguageModel,
    "tts": ports.TextToSpeech,
    "vad": ports.VoiceActivityDetector,
    "emotion": ports.EmotionClassifier,
}


@pytest.mark.parametrize("spec", ENGINES, ids=lambda spec: f"{spec.kind}-{spec.name}")
def test_every_registered_engine_has_the_members_of_its_port(spec: Any) -> None:
    engine_class = spec.engine_class()
    assert isinstance(spec.settings_class(), type)
    port = PORTS[spec.kind]
    members = [name for base in (port, Engine) for name in vars(base) if not name.startswith("_")]
    assert members
    assert [name for name in members if not hasattr(engine_class, name)] == []
    assert set(FIXED_PROPERTIES[spec.kind]) <= set(members)


def test_engines_are_found_by_kind_and_name() -> None:
    assert set(FIXED_PROPERTIES) == set(get_args(Kind))
    assert find_engine("tts", "kokoro").plain_name == "voice"
    with pytest.raises(SettingsError, match="no tts engine called 'whisper'") as wrong_name:
        find_engine("tts", "whisper")
    assert wrong_name.value.recovery == "Use one of: kokoro, scripted."
    with pytest.raises(SettingsError, match="no kind of engine called 'ear'"):
        find_engine("ear", "kokoro")

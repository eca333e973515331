"""Settings: frozen, validated, each field with its unit, range and meaning.

Stored as TOML by `host.settings_file`; an environment variable
`SAMANTHA_<SECTION>_<FIELD>` overrides a field for tests and servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from samantha_desktop.core.errors import SettingsError

SETTINGS_VERSION = 1


@dataclass(frozen=True)
class Range:
    """Allowed values of a number, both ends included."""

    low: float
    high: float


def _number(default: float, low: float, high: float, meaning: str) -> float:
    return field(default=default, metadata={"range": Range(low, high), "meaning": meaning})


def _count(default: int, low: int, high: int, meaning: str) -> int:
    return field(default=default, metadata={"range": Range(low, high), "meaning": meaning})


def _text(default: str, meaning: str) -> str:
    return field(default=default, metadata={"meaning": meaning})


def _choice(default: str, choices: tuple[str, ...], meaning: str) -> str:
    return field(default=default, metadata={"choices": choices, "meaning": meaning})


def _flag(default: bool, meaning: str) -> bool:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class AudioSettings:
    """The microphone and the speaker."""

    microphone: str = _text("", "device name, or a part of it; empty: the system's default")
    speaker: str = _text("", "device name, or a part of it; empty: the system's default")


@dataclass(frozen=True)
class SpeechSettings:
    """Speech recognition."""

    model: str = _text("whisper-base", "catalog id, or a folder with a CTranslate2 Whisper model")
    language: str = _text("", "ISO 639-1 code; empty: found per utterance")
    device: str = _choice("auto", ("auto", "cpu", "cuda"), "where it runs")
    n_threads: int = _count(0, 0, 64, "threads; 0: chosen for this machine")
    window: str = _choice(
        "adaptive", ("adaptive", "full"), "encoder window: as long as the utterance, or 30 s"
    )


@dataclass(frozen=True)
class LanguageModelSettings:
    """The language model."""

    model: str = _text("qwen2.5-coder-0.5b-instruct", "catalog id, or a path to a GGUF file")
    gpu_layers: int = _count(-1, -1, 1000, "layers on the GPU; -1: as many as fit, 0: none")
    n_threads: int = _count(0, 0, 64, "threads; 0: chosen for this machine")
    context_tokens: int = _count(4096, 512, 131072, "prompt and answer together")
    max_answer_tokens: int = _count(256, 8, 4096, "longest answer")
    temperature: float = _number(0.6, 0.0, 2.0, "0: always the likeliest word")
    seed: int = _count(-1, -1, 2**31 - 1, "-1: another one each time")


@dataclass(frozen=True)
class VoiceSettings:
    """Samantha's voice."""

    model: str = _text("kokoro-82m", "catalog id")
    voice: str = _text("af_heart", "voice name")
    speed: float = _number(1.0, 0.5, 2.0, "1: the voice's own pace")
    device: str = _choice("auto", ("auto", "cpu", "cuda"), "where it runs")
    n_threads: int = _count(0, 0, 64, "threads; 0: chosen for this machine")


@dataclass(frozen=True)
class ConversationSettings:
    """How she talks."""

    persona: str = _text("samantha", "name of a persona file, or a path to one")
    history_tokens: int = _count(1500, 0, 100000, "how much of the conversation she keeps in mind")
    is_speculative: bool = _flag(
        True, "prepare the answer in a pause of the speaker, and throw it away if they go on"
    )


@dataclass(frozen=True)
class Settings:
    """All of them, one section per room."""

    audio: AudioSettings = AudioSettings()
    speech: SpeechSettings = SpeechSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    voice: VoiceSettings = VoiceSettings()
    conversation: ConversationSettings = ConversationSettings()


def check_value(section: str, name: str, value: object, metadata: dict[str, object]) -> None:
    """Raise SettingsError when a value lies outside its range or choices."""
    allowed = metadata.get("range")
    if (
        isinstance(allowed, Range)
        and isinstance(value, int | float)
        and not (allowed.low <= value <= allowed.high)
    ):
        raise SettingsError(
            f"The setting {section}.{name} is {value}, but must lie between "
            f"{allowed.low:g} and {allowed.high:g}."
        )
    choices = metadata.get("choices")
    if isinstance(choices, tuple) and value not in choices:
        raise SettingsError(
            f"The setting {section}.{name} is {value!r}, but must be one of "
            f"{', '.join(map(str, choices))}."
        )


def validate(settings: Settings) -> None:
    """Check every field of every section.

    Raises:
        SettingsError: names the first field that is out of its range.
    """
    for section in fields(settings):
        values = getattr(settings, section.name)
        for item in fields(values):
            check_value(section.name, item.name, getattr(values, item.name), dict(item.metadata))

"""Settings on disk: nothing in the file can stop the program or take other values with it."""

from __future__ import annotations

import stat
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samantha_desktop.core.errors import StorageError
from samantha_desktop.core.settings import SETTINGS_VERSION, Settings, validate
from samantha_desktop.host import settings_file
from samantha_desktop.host.settings_file import load, save

DEFAULTS = Settings()
FASTER = replace(DEFAULTS, voice=replace(DEFAULTS.voice, speed=1.5))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def write(path: Path, text: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def wheres(loaded: settings_file.LoadedSettings) -> list[str]:
    return [problem.where for problem in loaded.problems]


def test_no_file_means_defaults_and_no_problem(path: Path) -> None:
    assert load(path, {}) == settings_file.LoadedSettings(DEFAULTS, ())
    assert not path.parent.exists()


def test_what_is_saved_is_loaded(path: Path) -> None:
    other = replace(
        FASTER,
        speech=replace(DEFAULTS.speech, model="whisper-tiny.en", n_threads=2),
        conversation=replace(DEFAULTS.conversation, is_speculative=False),
    )
    save(other, since=DEFAULTS, path=path)
    assert load(path, {}) == settings_file.LoadedSettings(other, ())


def test_the_file_holds_only_what_was_changed(path: Path) -> None:
    save(FASTER, since=DEFAULTS, path=path)
    document = tomllib.loads(path.read_text())
    assert document == {"version": SETTINGS_VERSION, "voice": {"speed": 1.5}}


def test_a_field_can_be_set_back_to_its_default(path: Path) -> None:
    save(FASTER, since=DEFAULTS, path=path)
    save(DEFAULTS, since=FASTER, path=path)
    assert load(path, {}).settings == DEFAULTS


@pytest.mark.parametrize(
    ("line", "field_name"),
    [
        ("speed = 9.0", "speed"),
        ("speed = nan", "speed"),
        ('speed = "fast"', "speed"),
        ("speed = true", "speed"),
        ("n_threads = true", "n_threads"),
        ("n_threads = 2.0", "n_threads"),
        ("n_threads = -1", "n_threads"),
        ('device = "gpu"', "device"),
        ("device = 1", "device"),
        ("device = [1]", "device"),
        ("spede = 1.0", "spede"),
    ],
)
def test_a_bad_value_names_itself_and_takes_nothing_with_it(
    path: Path, line: str, field_name: str
) -> None:
    write(path, f'[audio]\nspeaker = "USB"\n\n[voice]\nvoice = "bf_emma"\n{line}\n')
    loaded = load(path, {})
    assert wheres(loaded) == [f"voice.{field_name}"]
    assert f"voice.{field_name}" in loaded.problems[0].message
    assert loaded.settings == replace(
        DEFAULTS,
        audio=replace(DEFAULTS.audio, speaker="USB"),
        voice=replace(DEFAULTS.voice, voice="bf_emma"),
    )


def test_a_whole_number_serves_where_any_number_does(path: Path) -> None:
    write(path, "[voice]\nspeed = 2\n")
    loaded = load(path, {})
    assert loaded.settings.voice.speed == 2.0
    assert type(loaded.settings.voice.speed) is float
    assert not loaded.problems


@pytest.mark.parametrize("text", ["[weather]\nunit = 'C'\n", "weather = 1\n", "voice = 'loud'\n"])
def test_unknown_sections_are_named(path: Path, text: str) -> None:
    write(path, text)
    loaded = load(path, {})
    assert loaded.settings == DEFAULTS
    assert wheres(loaded) == [text.split(" ")[0].split("]")[0].strip("[")]


def test_saving_keeps_what_this_version_does_not_know(path: Path) -> None:
    write(path, "version = 7\n[voice]\nwarmth = 3\n[weather]\nunit = 'C'\n")
    loaded = load(path, {})
    assert str(path) in wheres(loaded)
    save(FASTER, since=DEFAULTS, path=path)
    document = tomllib.loads(path.read_text())
    assert document["version"] == 7
    assert document["weather"] == {"unit": "C"}
    assert document["voice"] == {"warmth": 3, "speed": 1.5}


@pytest.mark.parametrize(
    "text", [b"[voice\nspeed=1", b"\xff\xfe\x00", b"a = 1\na = 2", b"\x00" * 64]
)
def test_a_damaged_file_is_kept_aside(path: Path, text: bytes) -> None:
    write(path, text)
    loaded = load(path, {})
    assert loaded.settings == DEFAULTS
    assert len(loaded.problems) == 1
    kept = path.with_name("settings.toml.damaged")
    assert str(kept) in loaded.problems[0].message
    assert kept.read_bytes() == text
    assert load(path, {}).problems == ()


def test_a_folder_in_the_files_place_is_a_problem_and_an_error_to_save(path: Path) -> None:
    path.mkdir(parents=True)
    loaded = load(path, {})
    assert loaded.settings == DEFAULTS
    assert wheres(loaded) == [str(path)]
    with pytest.raises(StorageError, match=r"settings\.toml"):
        save(FASTER, since=DEFAULTS, path=path)
    assert [p.name for p in path.parent.iterdir() if p.suffix == ".part"] == []


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(StorageError) as caught:
        save(FASTER, since=DEFAULTS, path=tmp_path / "config" / "settings.toml")
    assert caught.value.recovery


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(FASTER, since=DEFAULTS, path=path)

    def no_space(document: object, file: Any) -> None:
        file.write(b"[voi")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings_file.tomli_w, "dump", no_space)
    with pytest.raises(StorageError, match="No space left"):
        save(DEFAULTS, since=FASTER, path=path)
    monkeypatch.undo()
    assert load(path, {}).settings == FASTER
    assert sorted(p.name for p in path.parent.iterdir()) in (
        ["settings.toml"],
        ["settings.toml", "settings.toml.lock"],
    )


@pytest.mark.parametrize("version", ["0", "-1", "'one'", "true", "1.5"])
def test_a_version_that_is_none_is_named_and_the_values_still_count(
    path: Path, version: str
) -> None:
    write(path, f"version = {version}\n[voice]\nspeed = 1.5\n")
    loaded = load(path, {})
    assert wheres(loaded) == ["version"]
    assert loaded.settings == FASTER


def test_an_older_file_is_migrated_step_by_step(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "SETTINGS_VERSION", 3)
    monkeypatch.setitem(
        settings_file.MIGRATIONS, 1, lambda d: {**d, "voice": {"pace": d["voice"]["tempo"]}}
    )
    monkeypatch.setitem(
        settings_file.MIGRATIONS, 2, lambda d: {**d, "voice": {"speed": d["voice"]["pace"]}}
    )
    write(path, "version = 1\n[voice]\ntempo = 1.5\n")
    assert load(path, {}) == settings_file.LoadedSettings(FASTER, ())
    save(replace(FASTER, audio=replace(DEFAULTS.audio, speaker="x")), since=FASTER, path=path)
    assert tomllib.loads(path.read_text()) == {
        "version": 3,
        "voice": {"speed": 1.5},
        "audio": {"speaker": "x"},
    }


# ------------------------------------------------------------------ environment


def test_the_environment_overrides_the_file_and_is_not_written_to_it(path: Path) -> None:
    write(path, "[language_model]\nmodel = 'mine'\nseed = 3\n")
    environ = {
        "SAMANTHA_LANGUAGE_MODEL_MODEL": "smollm2-135m-instruct",
        "SAMANTHA_VOICE_SPEED": "2",
        "SAMANTHA_CONVERSATION_IS_SPECULATIVE": "No",
        "SAMANTHA_DATA_DIR": "/elsewhere",
        "SAMANTHA_LOG_LEVEL": "DEBUG",
    }
    loaded = load(path, environ)
    assert loaded.problems == ()
    assert loaded.settings.language_model.model == "smollm2-135m-instruct"
    assert loaded.settings.language_model.seed == 3
    assert loaded.settings.voice.speed == 2.0
    assert loaded.settings.conversation.is_speculative is False
    audible = replace(loaded.settings, audio=replace(DEFAULTS.audio, speaker="USB"))
    save(audible, since=loaded.settings, path=path)
    after = load(path, {}).settings
    assert after.language_model.model == "mine"
    assert after.audio.speaker == "USB"
    assert after.voice.speed == 1.0


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SAMANTHA_VOICE_SPEED", "quick"),
        ("SAMANTHA_VOICE_SPEED", ""),
        ("SAMANTHA_VOICE_SPEED", "9"),
        ("SAMANTHA_VOICE_SPEED", "nan"),
        ("SAMANTHA_SPEECH_N_THREADS", "1.5"),
        ("SAMANTHA_CONVERSATION_IS_SPECULATIVE", "perhaps"),
        ("SAMANTHA_SPEECH_DEVICE", "gpu"),
        ("SAMANTHA_SPEECH_MODLE", "whisper-base"),
    ],
)
def test_a_bad_variable_names_itself_and_the_files_value_stays(
    path: Path, variable: str, value: str
) -> None:
    write(path, "[voice]\nspeed = 1.5\n")
    loaded = load(path, {variable: value})
    assert wheres(loaded) == [variable]
    assert loaded.settings == FASTER


# ------------------------------------------------------------------- properties

_TOML = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text("ab\n\"'é", max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=4,
)
_NAMES = [item.name for s in fields(Settings) for item in fields(getattr(DEFAULTS, s.name))]
_DOCUMENTS = st.dictionaries(
    st.sampled_from(["version", "other", *(s.name for s in fields(Settings))]),
    _TOML | st.dictionaries(st.sampled_from(["other", *_NAMES]), _TOML, max_size=4),
    max_size=4,
)


@given(document=_DOCUMENTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_file_holds_the_settings_are_valid(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = tmp_path / "settings.toml"
    with path.open("wb") as file:
        settings_file.tomli_w.dump(document, file)
    validate(load(path, {}).settings)


@given(text=st.binary(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_are_loading_never_fails(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(text)
    validate(load(path, {}).settings)


# ------------------------------------------------------------------- concurrency

_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from samantha_desktop.core.settings import Settings
from samantha_desktop.host.settings_file import save
path, section, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
before = Settings()
for n in range(1, 41):
    part = replace(getattr(before, section), **{name: n})
    after = replace(before, **{section: part})
    save(after, since=before, path=path)
    before = after
"""


def test_two_processes_writing_at_once_lose_nothing_and_readers_see_whole_files(
    path: Path,
) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), section, "n_threads"])
        for section in ("speech", "voice")
    ]
    while any(writer.poll() is None for writer in writers):
        assert load(path, {}).problems == ()
    assert [writer.returncode for writer in writers] == [0, 0]
    settings_now = load(path, {}).settings
    assert (settings_now.speech.n_threads, settings_now.voice.n_threads) == (40, 40)


def test_a_lock_that_is_never_given_back_is_one_clear_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    monkeypatch.setattr(settings_file, "_LOCK_TIMEOUT_S", 0.0)
    with (
        settings_file.FileLock(path.with_name("settings.toml.lock")),
        pytest.raises(StorageError, match="Another Samantha"),
    ):
        save(FASTER, since=DEFAULTS, path=path)


def test_the_file_is_the_persons_alone(path: Path) -> None:
    save(FASTER, since=DEFAULTS, path=path)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0

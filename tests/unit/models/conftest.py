"""Small models, a web server and package clients to install them from. No network."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants
from tiny_models import VOCABULARY, WEIGHTS, Web, gguf_bytes

from samantha_desktop.models.catalog import Source


@pytest.fixture(autouse=True)
def no_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the person's caches nor their proxies and package indexes take part."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OLLAMA_MODELS", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()


@pytest.fixture
def file_source(tmp_path: Path) -> Source:
    """A folder that holds the two files."""
    folder = tmp_path / "usb-stick"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WEIGHTS)
    (folder / "vocabulary.txt").write_bytes(VOCABULARY)
    return Source("file", str(folder))


# ------------------------------------------------------------------------- web


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_error(405)

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.ranges.append(wanted)
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted and site.knows_ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            body = content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: site.cut_after_bytes])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # so that closing waits for them
    site = Web(f"http://127.0.0.1:{server.server_port}/")
    site.files = {"/model.bin": WEIGHTS, "/vocabulary.txt": VOCABULARY}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


# -------------------------------------------------------------------- packages


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[[str, Mapping[str, bytes]], None]:
    """Puts a wheel, version 1.0, where pip looks for it."""

    def make(name: str, members: Mapping[str, bytes]) -> None:
        module = name.replace("-", "_")
        info = f"{module}-1.0.dist-info"
        wheel = tmp_path / "wheels" / f"{module}-1.0-py3-none-any.whl"
        texts = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
            # Whoever imports this package has done what must never be done.
            f"{module}/__init__.py": "raise SystemExit('imported')\n",
        }
        with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in texts.items():
                archive.writestr(path, text)
            for path, content in members.items():
                archive.writestr(f"{module}/{path}", content)

    return make


@pytest.fixture
def make_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Puts an `npm` on the path whose `pack` brings a package with voices/one.bin."""

    def make(content: bytes) -> None:
        folder = tmp_path / "npm"
        folder.mkdir()
        with tarfile.open(folder / "voices-2.0.tgz", "w:gz") as archive:
            member = tarfile.TarInfo("package/voices/one.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        npm = folder / "npm"
        npm.write_text(
            f"#!{sys.executable}\n"
            "import shutil, sys\n"
            "assert sys.argv[1] == 'pack' and sys.argv[-1] == 'voices@2.0', sys.argv\n"
            f"shutil.copy({str(folder / 'voices-2.0.tgz')!r}, '.')\n"
        )
        npm.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    return make


# ------------------------------------------------------------------------ GGUF


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    """A sound GGUF file."""
    path = tmp_path / "Tiny-Q4.gguf"
    path.write_bytes(gguf_bytes())
    return path


@pytest.fixture
def ollama(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Ollama folder with tinyllama:1b; returns the blob."""
    folder = tmp_path / "ollama"
    monkeypatch.setenv("OLLAMA_MODELS", str(folder))
    manifest = folder / "manifests" / "registry.example" / "library" / "tinyllama" / "1b"
    manifest.parent.mkdir(parents=True)
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:00"},
        {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:abc"},
    ]
    manifest.write_text(json.dumps({"layers": layers}))
    blob = folder / "blobs" / "sha256-abc"
    blob.parent.mkdir()
    blob.write_bytes(gguf_bytes())
    return blob

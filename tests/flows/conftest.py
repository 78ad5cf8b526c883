"""A whole registry in a folder: server and worker as real processes, spoken to by the real commands."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.plugins.parts import environment_of

BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Registry:
    """A running registry, its folder, and the commands of both sides."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the developer's own settings gets in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BYLINE_")}
        return {**kept, **environment_of(self.data), **self.settings}

    def start(self) -> None:
        """Init, serve, wait until ready."""
        self.admin("init")
        log = (self.folder / "serve.log").open("ab")
        self.process = subprocess.Popen(
            [str(BIN / "byline-registry"), "serve", "--port", str(self.port)],
            env=self.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        log.close()
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, (self.folder / "serve.log").read_text()
            time.sleep(0.1)
        raise AssertionError((self.folder / "serve.log").read_text())

    def stop(self) -> None:
        """As an operator would; killed if it does not listen."""
        if self.process is None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def admin(self, *words: str) -> Any:
        """`byline-registry … --json`."""
        return run("byline-registry", *words, environment=self.environment)

    def byline(self, *words: str, code: int = 0) -> Any:
        """`byline … --json` against this registry, expecting an exit code."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BYLINE_")}
        return run("byline", *words, "--registry", self.url, environment=kept, code=code)

    def get(self, path: str, **kwargs: Any) -> Any:
        """A JSON answer of the REST API."""
        answer = httpx.get(f"{self.url}{path}", timeout=30, **kwargs)
        answer.raise_for_status()
        return answer.json()

    def publisher(self, slug: str) -> Path:
        """A registered publisher's key."""
        key = self.folder / f"{slug}.pem"
        if not key.exists():
            self.byline("keygen", "--out", str(key))
            self.byline("publisher", "register", "--slug", slug, "--name", slug.title(), "--key", str(key))
        return key

    def publish(
        self, ref: str, version: str, *files: Path, mapping: dict[str, str], extra: tuple[str, ...] = ()
    ) -> Any:
        """Init, sign, publish, wait: what `publish --json` gives."""
        key = self.publisher(ref.partition("/")[0])
        stem = self.folder / f"{ref.replace('/', '-')}-{version}"
        records = [word for file in files for word in ("--records", str(file))]
        columns = [word for name, column in mapping.items() for word in ("--map", f"{name}={column}")]
        self.byline(
            "manifest",
            "init",
            "--dataset",
            ref,
            "--version",
            version,
            *records,
            *columns,
            *extra,
            "-o",
            f"{stem}.json",
        )
        self.byline("manifest", "sign", f"{stem}.json", "--key", str(key), "-o", f"{stem}.dsse.json")
        where = str(files[0]) if len(files) == 1 else str(files[0].parent)
        return self.byline("publish", f"{stem}.dsse.json", "--records", where, "--wait")

    def opt_out(self, identity: str, *extra: str) -> tuple[str, str]:
        """Claim, confirm by the operator's hand, opt out: (opt-out id, token)."""
        claim = self.byline("claim", identity, "--email", "someone@example.org")
        self.admin("claim", "confirm", claim["id"], "--by", "test", "--why", "test")
        made = self.byline("opt-out", "--claim", claim["id"], "--token", claim["token"], *extra)
        return made["id"], claim["token"]

    def wait_for_feed(self, opt_out: str, token: str) -> Any:
        """The status once a head covers the opt-out."""
        for _ in range(300):
            status = self.byline("opt-out", "status", opt_out, "--token", token)
            if status["feed_seq"] is not None:
                return status
            time.sleep(0.1)
        raise AssertionError("no head of the feed covers the opt-out after 30 s")

    def wait_until_quiet(self) -> None:
        """Until a head of the feed counts an opt-out, and after what it covers only heads stand in the log."""
        for _ in range(600):
            if httpx.get(f"{self.url}/feed/v1/head.json", timeout=5).status_code == httpx.codes.OK:
                head = self.get("/feed/v1/head.json")
                if head["coverage"]["opt_outs"] and set(self.logged()[head["log_size"] :]) <= {"feed"}:
                    return
            time.sleep(0.1)
        raise AssertionError("the feed did not catch up within 60 s")

    def logged(self) -> list[str]:
        """The kind of every entry of the (young) log, in its order."""
        size = int(httpx.get(f"{self.url}/log/checkpoint", timeout=5).text.split("\n")[1])
        assert 0 < size < 256, "one bundle of entries is read, no more"
        bundle, kinds = httpx.get(f"{self.url}/log/tile/entries/000.p/{size}", timeout=5).content, []
        while bundle:
            length = int.from_bytes(bundle[:2])
            kinds.append(json.loads(bundle[2 : 2 + length])["kind"])
            bundle = bundle[2 + length :]
        return kinds

    def mailed_link(self, address: str) -> str:
        """The confirmation link in the newest mail to an address, as files in the data folder hold it."""
        for _ in range(300):
            mails = sorted((self.folder / "data" / "mail").glob("*"), key=lambda path: path.stat().st_mtime)
            texts = [
                email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in mails
            ]
            for mail in reversed([mail for mail in texts if address in str(mail["To"])]):
                body = mail.get_body()
                found = re.search(r"https?://\S+/confirm/\S+", body.get_content() if body else "")
                if found:
                    return found.group()
            time.sleep(0.1)
        raise AssertionError(f"no mail to {address} within 30 s")


def run(command: str, *words: str, environment: dict[str, str], code: int = 0) -> Any:
    """Run a command with --json and give its document."""
    done = subprocess.run(
        [str(BIN / command), *words, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == code, (
        f"{command} {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry of this module's own."""
    made = Registry(tmp_path_factory.mktemp("registry"))
    made.start()
    yield made
    made.stop()

"""A mirror is files: whatever serves them, a client syncs from it and believes what it would believe of the registry."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from byline.client.mirror import mirror
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport
from byline.errors import BylineError
from tests.api.test_audit import victim, web
from tests.api.test_malicious import Shown
from tests.api.world import PHOTO, World

__all__ = ["victim", "web"]


class Quiet(SimpleHTTPRequestHandler):
    """Files, as they lie there."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing."""


@contextmanager
def static(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_client_syncs_from_any_static_server(
    web: Transport, world: World, victim: Shown, tmp_path: Path
) -> None:
    now, vkey = world.runtime.clock, world.runtime.vkey
    state = State(tmp_path / "state", make=True)
    with static(tmp_path / "mirror") as address, Transport(address) as files:
        for more in (False, True):
            if more:
                body = {"selectors": [PHOTO], "email": "b@example.org"}
                world.signer.post("/v1/opt-outs", json.dumps(body).encode())
                world.settle()
            mirror(web, tmp_path / "mirror")
            found = sync(files, state, now=now, vkey=vkey)
            served = sync(web, State(tmp_path / f"direct-{more}", make=True), now=now)
            assert (found.head.sha256, found.head.coverage["opt_outs"]) == (served.head.sha256, 1)


def test_without_a_key_a_mirror_is_not_believed(
    web: Transport, world: World, victim: Shown, tmp_path: Path
) -> None:
    mirror(web, tmp_path / "mirror")
    with static(tmp_path / "mirror") as address, Transport(address) as files, pytest.raises(BylineError):
        sync(files, State(tmp_path / "state", make=True), now=lambda: dt.datetime.now(dt.UTC))

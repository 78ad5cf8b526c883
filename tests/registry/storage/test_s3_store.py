"""What only S3 can get wrong: stores that ignore conditions, answers that are lost, credentials."""

from __future__ import annotations

import datetime as dt
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from byline.errors import Refused, Unavailable
from registry.storage.opening import open_store
from registry.storage.s3 import PART, S3Store
from tests.plugins.s3 import BUCKET, Seaweed

pytestmark = pytest.mark.s3


class Between(BaseHTTPRequestHandler):
    """Hands requests on to the real server; `loses(method, path)` says whose answer never comes back."""

    protocol_version = "HTTP/1.1"
    behind: str
    loses: Callable[[str, str], bool]

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = http.client.HTTPConnection(self.behind)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        server.request(self.command, self.path, body, headers)
        answer = server.getresponse()
        data = answer.read()
        server.close()
        self.close_connection = True
        if type(self).loses(self.command, self.path):
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header(
            "Content-Length",
            answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(data)),
        )
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def losing(s3_server: Seaweed, s3_prefix: str) -> Iterator[Callable[[Callable[[str, str], bool]], S3Store]]:
    """Make a store whose way to the server loses the answers that a function chooses."""
    handler = type("Losing", (Between,), {"behind": urlsplit(s3_server.endpoint).netloc})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
    client: Any = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{proxy.server_port}", region_name="us-east-1",
        aws_access_key_id=s3_server.access_key, aws_secret_access_key=s3_server.secret_key,
        config=Config(
            s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 4},
            request_checksum_calculation="when_required", response_checksum_validation="when_required",
        ),
    )  # fmt: skip

    def make(loses: Callable[[str, str], bool]) -> S3Store:
        handler.loses = staticmethod(loses)  # type: ignore[attr-defined]
        return S3Store(BUCKET, prefix=s3_prefix, client=client)

    yield make
    client.close()
    proxy.shutdown()
    proxy.server_close()


def once(method: str, part: str) -> Callable[[str, str], bool]:
    """Lose the first answer to a request of this kind."""
    left = [1]
    return lambda m, path: m == method and part in path and bool(left) and bool(left.pop())


def test_a_creation_whose_answer_was_lost_still_won(losing: Callable[..., S3Store]) -> None:
    store = losing(once("PUT", "/a"))
    assert store.put_new("a", b"mine")
    assert store.get("a") == b"mine"


def test_a_creation_that_lost_does_not_win_by_a_retry(losing: Callable[..., S3Store]) -> None:
    losing(lambda _m, _p: False).put_new("a", b"same bytes")
    assert not losing(once("PUT", "/a")).put_new("a", b"same bytes")


def test_a_swap_whose_answer_was_lost_still_won(losing: Callable[..., S3Store]) -> None:
    losing(lambda _m, _p: False).put_new("head", b"0")
    store = losing(once("PUT", "/head"))
    assert store.replace_if("head", b"1", expected=b"0")
    assert store.get("head") == b"1"


def test_a_long_creation_whose_completion_was_lost_still_won(losing: Callable[..., S3Store]) -> None:
    store = losing(once("POST", "uploadId"))
    assert store.put_new("long", b"x" * (PART + 1))
    assert store.size("long") == PART + 1


def test_a_body_whose_answer_was_lost_is_read_again(losing: Callable[..., S3Store]) -> None:
    losing(lambda _m, _p: False).put_new("a", b"body")
    assert losing(once("GET", "/a")).get("a") == b"body"


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_store_that_ignores_a_condition_is_refused(
    s3_server: Seaweed, s3_prefix: str, ignored: str
) -> None:
    client = s3_server.client()
    client.meta.events.register(
        "before-sign.s3.PutObject", lambda request, **_: request.headers.__delitem__(ignored)
    )
    with pytest.raises(Refused) as caught:
        S3Store(BUCKET, prefix=s3_prefix, client=client).probe()
    client.close()
    assert caught.value.code == "store-ignores-conditions"


def test_the_probe_leaves_nothing_behind(s3_server: Seaweed, s3_prefix: str) -> None:
    client = s3_server.client()
    store = S3Store(BUCKET, prefix=s3_prefix, client=client)
    store.probe()
    assert list(store.list("")) == []
    client.close()


def test_a_setting_opens_it(s3_server: Seaweed, s3_prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    store = open_store(s3_server.url(s3_prefix))
    assert store.put_new("a", b"1")
    assert isinstance(store, S3Store)
    store.close()


@pytest.mark.parametrize("bucket", ["no-such-bucket", BUCKET])
def test_a_wrong_bucket_or_secret_is_unavailable(
    s3_server: Seaweed, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.secret_key if bucket != BUCKET else "wrong")
    with pytest.raises(Unavailable) as caught:
        open_store(f"s3://{bucket}?endpoint_url={s3_server.endpoint}")
    assert caught.value.code == "store-unreachable"


def test_a_broken_upload_leaves_no_parts_to_pay_for(s3_server: Seaweed, s3_prefix: str) -> None:
    client = s3_server.client()
    store = S3Store(BUCKET, prefix=s3_prefix, client=client)
    store.put_new("long", b"there")
    assert not store.put_new("long", b"x" * (PART + 1))
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET, Prefix=s3_prefix)
    client.close()


def test_parts_that_a_killed_writer_left_are_swept_when_they_are_old(
    s3_server: Seaweed, s3_prefix: str
) -> None:
    client = s3_server.client()
    store = S3Store(BUCKET, prefix=s3_prefix, client=client)
    name = {"Bucket": BUCKET, "Key": f"{s3_prefix}/extracts/half"}
    begun = client.create_multipart_upload(**name)
    client.upload_part(**name, UploadId=begun["UploadId"], PartNumber=1, Body=b"half of it")
    now = dt.datetime.now(dt.UTC)
    assert store.sweep(before=now - dt.timedelta(hours=1)) == 0
    assert store.sweep(before=now + dt.timedelta(hours=1)) == 1
    assert client.list_multipart_uploads(Bucket=BUCKET, Prefix=s3_prefix).get("Uploads", []) == []

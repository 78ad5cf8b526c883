"""The feed's files: found by digest alone, kept for ever, in ranges."""

from __future__ import annotations

import hashlib

import pytest
from flask.testing import FlaskClient

from registry.runtime import Runtime

DATA = bytes(range(256)) * 5000
DIGEST = hashlib.sha256(DATA).hexdigest()
ADDRESS = f"/feed/v1/files/{DIGEST}.parquet"


@pytest.fixture(autouse=True)
def _file(runtime: Runtime) -> None:
    runtime.store.put(f"feed/v1/files/{DIGEST}.parquet", DATA)


def test_a_file_is_served_whole_and_for_ever(client: FlaskClient) -> None:
    answer = client.get(ADDRESS)
    assert answer.data == DATA
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=1000-", 1000, len(DATA)), ("bytes=-10", len(DATA) - 10, len(DATA)),
     ("bytes=1048570-1048590", 1048570, 1048591), ("bytes=5-99999999", 5, len(DATA))],
)  # fmt: skip
def test_a_range_of_it(client: FlaskClient, asked: str, start: int, stop: int) -> None:
    answer = client.get(ADDRESS, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.data == DATA[start:stop]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"


def test_a_range_beyond_the_end_is_told_the_size(client: FlaskClient) -> None:
    answer = client.get(ADDRESS, headers={"Range": "bytes=9999999-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=x", "bytes=5-1"])
def test_a_range_that_is_none_gets_the_whole(client: FlaskClient, asked: str) -> None:
    assert client.get(ADDRESS, headers={"Range": asked}).status_code in (200, 416)


def test_who_has_it_is_told_so(client: FlaskClient) -> None:
    assert client.get(ADDRESS, headers={"If-None-Match": f'"{DIGEST}"'}).status_code == 304


def test_a_file_that_changed_is_sent_whole(client: FlaskClient) -> None:
    answer = client.get(ADDRESS, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert answer.status_code == 200


def test_head_tells_size_and_digest(client: FlaskClient) -> None:
    answer = client.head(ADDRESS)
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.data == b""


@pytest.mark.parametrize(
    "name",
    ["../../../manifests/x", "..%2f..%2fbyline.sqlite", "head.json",
     "A" * 64 + ".parquet", "0" * 64, "0" * 64 + ".exe",
     "0" * 63 + "%00.parquet", "0" * 64 + ".parquet%0a", "0" * 64 + ".parquet/"],
)  # fmt: skip
def test_nothing_but_a_digest_is_looked_up(client: FlaskClient, name: str) -> None:
    assert client.get(f"/feed/v1/files/{name}").status_code == 404


def test_an_unknown_digest_is_not_there(client: FlaskClient) -> None:
    assert client.get(f"/feed/v1/files/{'0' * 64}.puffin").get_json()["code"] == "no-such-file"


def test_before_the_first_build_there_is_no_head(client: FlaskClient) -> None:
    assert client.get("/feed/v1/head.json").get_json()["code"] == "no-feed-yet"
    assert client.get("/feed/v1/head.note").status_code == 404

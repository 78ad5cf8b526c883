"""Publishing over REST: the manifest, then the extract in parts that go on where they stopped."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.runtime import Runtime
from tests.api.clock import Clock
from tests.api.signing import Signer
from tests.api.streams import Unread
from tests.registry.publishing.desk import Extract

SAID = Extract((), {"url": "URL"}, 3, "0" * 64, (3,))
EXTRACT = bytes(range(256)) * 64  # whether it is an extract, only the worker will see


@pytest.fixture
def signer(client: FlaskClient, runtime: Runtime) -> Signer:
    made = Signer(client, runtime.settings.origin, runtime.clock())
    made.register()
    return made


@pytest.fixture
def submitted(signer: Signer) -> str:
    """The address of a submission that awaits its extract."""
    return signer.post("/v1/manifests", signer.manifest(extract=SAID)).headers["Location"]


def put(client: FlaskClient, address: str, data: bytes, **headers: str) -> TestResponse:
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.put(address, data=data, content_type="application/octet-stream", headers=said)


def test_an_accepted_manifest_says_what_it_awaits(signer: Signer) -> None:
    answer = signer.post("/v1/manifests", signer.manifest(extract=SAID))
    assert answer.status_code == 202
    shown = answer.get_json()
    assert answer.headers["Location"] == f"/v1/submissions/{shown['id']}"
    assert shown["state"] == "awaiting-extract"
    assert shown["dataset"] == "ibm-research/faces"
    assert shown["awaits"] == [{"part": 0, "received": 0}]
    assert shown["errors"] == []
    assert shown["receipt"] is None


def test_the_same_manifest_is_the_same_submission(signer: Signer) -> None:
    body = signer.manifest(extract=SAID)
    first, again = (signer.post("/v1/manifests", body).get_json() for _ in range(2))
    assert first["id"] == again["id"]


def test_a_submission_is_found_by_its_address(client: FlaskClient, submitted: str) -> None:
    assert client.get(submitted).get_json()["state"] == "awaiting-extract"


def test_an_unknown_submission_is_a_404(client: FlaskClient) -> None:
    assert client.get(f"/v1/submissions/{'0' * 32}").get_json()["code"] == "no-such-submission"


def test_a_whole_extract_is_received(client: FlaskClient, submitted: str) -> None:
    digest = base64.b64encode(hashlib.sha256(EXTRACT).digest()).decode()
    answer = put(client, f"{submitted}/extract/0", EXTRACT, Content_Digest=f"sha-256=:{digest}:")
    assert answer.get_json() == {
        "part": 0,
        "received": len(EXTRACT),
        "size": len(EXTRACT),
        "state": "received",
    }
    assert client.get(submitted).get_json()["awaits"] == []


def test_an_upload_goes_on_where_it_stopped(client: FlaskClient, submitted: str) -> None:
    total, half = len(EXTRACT), len(EXTRACT) // 2
    first = put(client, f"{submitted}/extract/0", EXTRACT[:half], Content_Range=f"bytes 0-{half - 1}/{total}")
    assert first.get_json()["received"] == half
    assert client.get(submitted).get_json()["awaits"] == [{"part": 0, "received": half}]
    rest = put(
        client, f"{submitted}/extract/0", EXTRACT[half:], Content_Range=f"bytes {half}-{total - 1}/{total}"
    )
    assert rest.get_json()["state"] == "received"


def test_a_caller_who_hangs_up_keeps_what_arrived(client: FlaskClient, submitted: str) -> None:
    answer = client.put(
        f"{submitted}/extract/0",
        input_stream=io.BytesIO(EXTRACT[:1000]),
        content_type="application/octet-stream",
        environ_overrides={"CONTENT_LENGTH": str(len(EXTRACT))},
    )
    assert answer.get_json()["received"] == 1000
    assert client.get(submitted).get_json()["awaits"] == [{"part": 0, "received": 1000}]


def test_bytes_out_of_order_are_told_where_to_go_on(client: FlaskClient, submitted: str) -> None:
    total = len(EXTRACT)
    answer = put(client, f"{submitted}/extract/0", EXTRACT[5:], Content_Range=f"bytes 5-{total - 1}/{total}")
    assert answer.status_code == 409
    assert answer.get_json()["details"] == {"received": 0}


def test_an_extract_in_two_parts(client: FlaskClient, submitted: str) -> None:
    one = put(client, f"{submitted}/extract/1?parts=2", EXTRACT)
    assert one.get_json()["state"] == "awaiting-extract"
    assert put(client, f"{submitted}/extract/0?parts=2", EXTRACT).get_json()["state"] == "received"


def test_bytes_that_are_not_the_digests_are_refused(client: FlaskClient, submitted: str) -> None:
    wrong = base64.b64encode(bytes(32)).decode()
    answer = put(client, f"{submitted}/extract/0", EXTRACT, Content_Digest=f"sha-256=:{wrong}:")
    assert answer.get_json()["code"] == "part-digest-mismatch"
    assert client.get(submitted).get_json()["awaits"] == [{"part": 0, "received": 0}]


@pytest.mark.parametrize(
    "said",
    [
        "bytes 0-1/2",
        "bytes 9-5/100",
        "bytes */5",
        "0-5/6",
        "bytes 0-16383/5",
        "bytes 0-16383/99999999999999999",
    ],
)
def test_a_range_that_does_not_fit_the_body_is_refused(
    client: FlaskClient, submitted: str, said: str
) -> None:
    assert (
        put(client, f"{submitted}/extract/0", EXTRACT, Content_Range=said).get_json()["code"] == "bad-header"
    )


def test_a_part_past_the_limit_is_refused_before_it_is_read(client: FlaskClient, submitted: str) -> None:
    answer = client.put(
        f"{submitted}/extract/0",
        input_stream=Unread(),
        content_type="application/octet-stream",
        environ_overrides={"CONTENT_LENGTH": str(5 << 30)},
    )
    assert answer.status_code == 413
    assert answer.get_json()["code"] == "part-too-large"


def test_an_upload_says_how_long_it_is(client: FlaskClient, submitted: str) -> None:
    answer = client.put(
        f"{submitted}/extract/0", input_stream=Unread(), headers={"Transfer-Encoding": "chunked"}
    )
    assert answer.status_code == 411


def test_nothing_is_taken_that_no_manifest_awaits(client: FlaskClient, submitted: str, clock: Clock) -> None:
    clock.now += dt.timedelta(hours=25)
    assert put(client, f"{submitted}/extract/0", EXTRACT).get_json()["code"] == "extract-not-awaited"


def test_a_manifest_by_a_stranger_is_not_believed(client: FlaskClient, runtime: Runtime) -> None:
    stranger = Signer(client, runtime.settings.origin, runtime.clock())
    answer = stranger.post("/v1/manifests", stranger.manifest(extract=SAID))
    assert answer.status_code == 403


def test_a_statement_that_does_not_follow_is_told_the_present_one(signer: Signer) -> None:
    answer = signer.post("/v1/manifests", signer.manifest(extract=SAID, previous="0" * 64))
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "stale-previous"
    assert answer.get_json()["details"]["present"] is None


def test_what_is_awaited_is_in_no_list(client: FlaskClient, submitted: str) -> None:
    assert client.get("/v1/datasets").get_json()["items"] == []

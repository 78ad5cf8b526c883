"""A stranger checks a signed report with the holder's key: what was changed, by whom it is not, which feed never was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from byline.client.describe import Stamp
from byline.client.reporting import signed_report
from byline.formats import canonical, filter_reports, note
from byline.formats.keys import PrivateKey
from byline.formats.selectors import fingerprint
from tests.client.loopback import Loopback, listening
from tests.client.served import NOW, Served, every
from tests.client.test_filter_reports import KEY, OTHER
from tests.client.test_filtering import CSV, GONE, URLS, Desk, run


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    served = Served()
    served.publish(every([fingerprint("u", URLS[at][8:]) for at in GONE]))
    with listening(served) as listens:
        yield listens


@pytest.fixture
def desk(loopback: Loopback, tmp_path: Path) -> Desk:
    """A desk whose feed is the one that is listening, with a report that KEY signed."""
    desk = Desk(tmp_path)
    loopback.served.sync(tmp_path / "state")
    for name, key in (("lab", KEY), ("other", OTHER)):
        (tmp_path / f"{name}.pem").write_bytes(key.to_pem())
        (tmp_path / f"{name}.pub").write_text(key.public.to_pem())
    (tmp_path / "lab.pem").chmod(0o600)
    path, out = desk.file("set.csv", CSV.encode()), tmp_path / "out.csv"
    report = ("--report", str(tmp_path / "report.json"), "--key", str(tmp_path / "lab.pem"))
    done = run("filter", str(path), "-o", str(out), "--state", str(desk.state), "--pin", "1", *report)
    assert done.exit_code == 0, done.output
    return desk


def verify(desk: Desk, *words: str, key: str = "lab") -> Result:
    """`byline report verify` as a stranger runs it."""
    given = (str(desk.folder / "report.json"), "--key", str(desk.folder / f"{key}.pub"))
    done: Result = run("report", "verify", *given, "--json", *words)
    return done


def code(done: Result) -> str:
    """Of the error it ended with."""
    assert done.exit_code == 1, done.output
    return str(json.loads(done.stdout)["error"]["code"])


def change(desk: Desk, edit: Callable[[dict[str, Any]], object], *, sign: PrivateKey | None = None) -> None:
    """Another report in the same place; signed again by a holder who lies, or as it was."""
    path = desk.folder / "report.json"
    report = json.loads(path.read_bytes())
    edit(report)
    data = canonical.dumps(report)
    path.write_bytes(data)
    if sign is not None:
        signed = signed_report(data, sign, origin="byline.example.org", stamp=Stamp(NOW, bytes(16)))
        (desk.folder / "report.json.dsse.json").write_bytes(signed)


def test_a_stranger_with_the_holders_key_believes_the_report(desk: Desk, loopback: Loopback) -> None:
    asked = ("--registry", loopback.url, "--vkey", loopback.served.vkey)
    found = json.loads(verify(desk, *asked, "--data", str(desk.folder / "out.csv")).stdout)
    assert (found["key_id"], found["rows_in"], found["rows_out"]) == (KEY.public.key_id, 7, 5)
    assert (found["feed"]["seq"], found["logged"]["index"]) == (1, 1)
    text = run("report", "verify", str(desk.folder / "report.json"), "--key", str(desk.folder / "lab.pub"))
    assert "not looked up" in text.output
    assert [path for path in loopback.whole if "receipts" in path]


def test_without_the_logs_key_nothing_is_asked(desk: Desk, loopback: Loopback) -> None:
    loopback.whole.clear()
    assert json.loads(verify(desk).stdout)["logged"] is None
    assert not loopback.whole


def test_a_receipt_that_was_kept_needs_no_registry(desk: Desk, loopback: Loopback) -> None:
    head = json.loads((desk.folder / "report.json").read_bytes())["feed"]["sha256"]
    kept = desk.folder / "head.receipt"
    kept.write_bytes(loopback.served.receipt(head) or b"")
    offline = ("--registry", "http://127.0.0.1:9", "--vkey", loopback.served.vkey, "--receipt", str(kept))
    assert json.loads(verify(desk, *offline).stdout)["logged"]["index"] == 1
    assert verify(desk, "--receipt", str(kept)).exit_code == 2


def test_another_key_did_not_sign_it(desk: Desk) -> None:
    assert code(verify(desk, key="other")) == "bad-signature"


def test_a_count_that_was_changed_after_is_seen(desk: Desk) -> None:
    change(desk, lambda report: report.update(rows_out=4))
    assert code(verify(desk)) == "wrong-report"


def test_a_file_that_was_changed_after_is_seen(desk: Desk) -> None:
    change(desk, lambda report: report["files"][0].update(sha256="0" * 64))
    assert code(verify(desk)) == "wrong-report"


@pytest.mark.parametrize(
    "edit",
    [
        {"rows_in": 8}, {"rows_out": 6}, {"rows_out": 7, "dropped": {}}, {"unreadable": 1}, {"dropped": {"u": 1}},
    ],
)  # fmt: skip
def test_a_report_that_does_not_add_up_is_not_believed_even_signed(desk: Desk, edit: dict[str, Any]) -> None:
    change(desk, lambda report: report.update(edit), sign=KEY)
    assert code(verify(desk)) == "wrong-totals"


def test_a_report_whose_files_do_not_follow_from_one_another_is_not_believed(desk: Desk) -> None:
    def edit(report: dict[str, Any]) -> None:
        report["rows_out"] = report["files"][0]["rows_out"] = 6

    change(desk, edit, sign=KEY)
    assert code(verify(desk)) == "wrong-totals"


@pytest.mark.parametrize("feed", [{"sha256": "0" * 64}, {"seq": 2}])
def test_a_feed_that_was_never_published_is_seen(
    desk: Desk, loopback: Loopback, feed: dict[str, Any]
) -> None:
    change(desk, lambda report: report["feed"].update(feed), sign=KEY)
    assert verify(desk).exit_code == 0  # the signature is the holder's; the log knows better
    asked = ("--registry", loopback.url, "--vkey", loopback.served.vkey)
    assert code(verify(desk, *asked)) == "head-not-logged"


def test_the_receipt_of_another_head_does_not_do(desk: Desk, loopback: Loopback) -> None:
    first = json.loads((desk.folder / "report.json").read_bytes())["feed"]["sha256"]
    head = loopback.served.publish(every([1]), seq=2)
    other = hashlib.sha256(canonical.dumps(head)).hexdigest()
    assert other != first
    kept = desk.folder / "head.receipt"
    kept.write_bytes(loopback.served.receipt(other) or b"")
    assert code(verify(desk, "--vkey", loopback.served.vkey, "--receipt", str(kept))) == "head-not-logged"


def test_a_log_of_another_key_or_name_proves_nothing(desk: Desk, loopback: Loopback) -> None:
    asked = ("--registry", loopback.url)
    stranger = note.vkey("byline.example.org", OTHER.public)
    assert code(verify(desk, *asked, "--vkey", stranger)) == "bad-signature"
    elsewhere = note.vkey("other.example", loopback.served.key.public)
    assert code(verify(desk, *asked, "--vkey", elsewhere)) == "wrong-origin"


def test_a_registry_that_does_not_answer_is_not_a_refusal(desk: Desk, loopback: Loopback) -> None:
    done = verify(desk, "--registry", "http://127.0.0.1:9", "--vkey", loopback.served.vkey)
    assert done.exit_code == 3


def test_a_file_of_another_run_is_none_of_this_one(desk: Desk) -> None:
    other = desk.file("other.csv", b"id\n1\n")
    assert code(verify(desk, "--data", str(other))) == "not-in-report"
    assert verify(desk, "--data", str(desk.folder / "set.csv")).exit_code == 0


@pytest.mark.parametrize(
    "edit",
    [
        lambda report: report.update(files="all"),
        lambda report: report.update(feed=[]),
        lambda report: report["feed"].update(sha256=5),
        lambda report: report["feed"].pop("sha256"),
        lambda report: report["files"][0].pop("dropped"),
        lambda report: report.pop("rows_in"),
    ],
)  # fmt: skip
def test_signed_nonsense_is_refused(desk: Desk, edit: Callable[[dict[str, Any]], object]) -> None:
    report = json.loads((desk.folder / "report.json").read_bytes())
    edit(report)
    data = canonical.dumps(report)
    (desk.folder / "report.json").write_bytes(data)
    signed = _signed_anyhow(data, report)
    (desk.folder / "report.json.dsse.json").write_bytes(signed)
    assert code(verify(desk)) in {"bad-report", "missing-member"}


def _signed_anyhow(data: bytes, report: dict[str, Any]) -> bytes:
    """A statement as somebody else's program writes it: what the report says, whatever that is."""
    from byline.formats import envelope, statements

    common = statements.common(origin="byline.example.org", now=NOW, nonce=bytes(16))
    said = {name: report[name] for name in filter_reports.SAID if name in report}
    if isinstance(said.get("feed"), dict):
        said["feed"] = {name: value for name, value in said["feed"].items() if name != "tiers"}
    subject = [filter_reports._subject(data)]
    return envelope.sign(statements.build(statements.FILTER_REPORT, subject, {**common, **said}), KEY)

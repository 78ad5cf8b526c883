"""A report that is signed says what was filtered, by which feed; another report than the signed one is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap64

from byline.client.feed import Feed
from byline.client.reporting import dropped_rows, suppressed
from byline.errors import BylineError
from byline.formats import filter_reports
from byline.formats.keys import PrivateKey
from tests.client.served import NOW
from tests.client.test_filtering import CSV, Desk, run

KEY = PrivateKey.generate()
OTHER = PrivateKey.generate()
GONE = {"aa": BitMap64([2, 5]), "bb": BitMap64([0])}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with the key beside it."""
    (tmp_path / "lab.pem").write_bytes(KEY.to_pem())
    (tmp_path / "lab.pem").chmod(0o600)
    return Desk(tmp_path)


def filtered(desk: Desk, *words: str, name: str = "set.csv") -> Any:
    """Filter one file with the command, signing."""
    path = desk.file(name, CSV.encode())
    given = (str(path), "--state", str(desk.state), "--pin", "1", "--key", str(desk.folder / "lab.pem"))
    return run("filter", *given, *words)


def signed(desk: Desk) -> tuple[bytes, bytes]:
    """The report of one run and its envelope."""
    report = desk.folder / "report.json"
    done = filtered(desk, "-o", str(desk.folder / "out.csv"), "--report", str(report))
    assert done.exit_code == 0, done.output
    return report.read_bytes(), (desk.folder / "report.json.dsse.json").read_bytes()


def test_a_signed_report_names_what_was_read_and_written_and_what_it_covers(desk: Desk) -> None:
    found = filter_reports.verify(*signed(desk), KEY.public)
    [file] = found["files"]
    assert (found["rows_in"], found["rows_out"], found["dropped"]) == (7, 5, {"u": 2})
    assert found["coverage"]["opt_outs"] > 0
    assert file["sha256"] == hashlib.sha256(CSV.encode()).hexdigest()
    assert file["written_sha256"] == hashlib.sha256((desk.folder / "out.csv").read_bytes()).hexdigest()
    assert found["feed"]["seq"] == 1


def test_the_signature_is_over_these_very_bytes(desk: Desk) -> None:
    report, envelope = signed(desk)
    with pytest.raises(BylineError) as other:
        filter_reports.verify(report.replace(b'"rows_out":5', b'"rows_out":4'), envelope, KEY.public)
    assert other.value.code == "wrong-report"
    with pytest.raises(BylineError) as stranger:
        filter_reports.verify(report, envelope, OTHER.public)
    assert stranger.value.code == "bad-signature"


def test_a_statement_of_another_kind_is_no_report(desk: Desk) -> None:
    from byline.client.describe import Stamp
    from byline.client.outcome import outcome_statement
    from byline.formats.outcomes import Said

    report, _ = signed(desk)
    said = [Said("suppressed", ("0" * 32,))]
    stamp = Stamp(NOW, bytes(16))
    other = outcome_statement(said, KEY, publisher="lab", origin="o", previous=None, stamp=stamp)
    with pytest.raises(BylineError) as refused:
        filter_reports.verify(report, other, KEY.public)
    assert refused.value.code == "wrong-predicate-type"


def test_a_report_is_kept_again_but_never_over_data(desk: Desk) -> None:
    signed(desk)
    signed(desk)
    data = desk.file("other.csv", CSV.encode())
    for path in (data, desk.folder / "set.csv"):
        done = filtered(desk, "--report-only", "--report", str(path), "--json")
        assert done.exit_code == 1
        assert json.loads(done.stdout)["error"]["code"] in {"file-exists", "would-overwrite"}
        assert path.read_bytes() == CSV.encode()


@pytest.mark.parametrize(
    "words", [[], ["--publisher", "lab", "--report-only"]], ids=["nothing to sign", "nothing taken out"]
)
def test_a_key_wants_something_to_sign(desk: Desk, words: list[str]) -> None:
    out = [] if "--report-only" in words else ["-o", str(desk.folder / "out.csv")]
    assert filtered(desk, *out, *words).exit_code == 2


@pytest.mark.parametrize(("use", "gone"), [("any", [2, 5]), ("train-other", [2])])
def test_rows_that_went_are_those_of_the_registered_file(desk: Desk, use: str, gone: list[int]) -> None:
    path = desk.file("set.csv", CSV.encode())
    desk.register(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    done = run(
        "filter", str(path), "--report-only", "--state", str(desk.state), "--pin", "1", "--for", use, "--json"
    )
    found = dropped_rows(Feed.open(desk.state, now=NOW), json.loads(done.stdout))
    assert {name: list(rows) for name, rows in found.items()} == {digest: gone}


def notice(*rows: tuple[str, str, list[int]], **more: Any) -> dict[str, Any]:
    """A notice with rows as (version, digest, rows)."""
    parts = [
        {"version": version, "sha256": sha256, "rows": base64.b64encode(BitMap64(at).serialize()).decode()}
        for version, sha256, at in rows
    ]
    uses = ["train-generative", "train-other"]
    return {"id": "n", "state": "sent", "categories": uses, "rows": parts, **more}


@pytest.mark.parametrize(
    ("one", "use", "version"),
    [
        (notice(("1", "aa", [2])), "any", "1"),
        (notice(("1", "aa", [2]), ("1", "bb", [0])), "any", "1"),
        (notice(("1", "aa", [2]), ("2", "bb", [0])), "any", "2"),
        (notice(("1", "aa", [2]), ("2", "cc", [0])), "any", "1"),
        (notice(("1", "aa", [2]), categories=["train-other"]), "train-other", "1"),
        (notice(("1", "aa", [2, 3])), "any", None),
        (notice(("1", "aa", [2]), ("1", "cc", [0])), "any", None),
        (notice(("1", None, [2])), "any", None),  # type: ignore[arg-type]
        (notice(), "any", None),
        (notice(("1", "aa", [2]), state="declined"), "any", None),
        (notice(("1", "aa", [2]), state="said-deleted"), "any", None),
        (notice(("1", "aa", [2])), "train-other", None),
    ],
)
def test_only_a_notice_all_of_whose_rows_went_is_answered(
    one: dict[str, Any], use: str, version: str | None
) -> None:
    assert list(suppressed([one], GONE, use=use)) == ([("n", version)] if version else [])

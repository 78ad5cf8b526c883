"""What a registry says of its size is held against its log; heads that nobody kept are told of, and cost no memory."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from byline.client.audit import audit
from byline.client.auditing.counts import CHECK
from byline.client.auditing.findings import CANNOT, HOLDS, Finding
from byline.client.auditing.logged import Digests
from byline.client.mirror import mirror
from byline.client.transport import Transport
from byline.formats import entries
from registry.database import transaction
from registry.models import Manifest
from registry.tlog.append import append
from tests.api.test_audit import failed, victim, web
from tests.api.world import World

__all__ = ["victim", "web"]

SEEN = "no head of the feed is missing, so that nothing came and left unseen"
LEFT = "no fingerprint and no row left the feed without a removal entry"


def counts(web: Transport, **how: Any) -> Finding:
    """The finding, and that nothing else is wrong."""
    waited: list[float] = []
    report = audit(web, pause=waited.append, **how)
    assert set(failed(report)) <= {CHECK}
    (found,) = [one for one in report.findings if one.check == CHECK]
    assert bool(waited) == bool([one for one in found.wrong if "is not listed" not in one])
    return found


def more_wishes_than_it_says(world: World) -> str:
    with transaction(world.runtime.sessions) as session:
        for number in range(12):
            digest = hashlib.sha256(b"wish %d" % number).hexdigest()
            leaf = entries.commitment_entry("opt-out", commitment=digest, at=world.runtime.clock())
            append(session, kind="opt-out", subject="x", ref=digest, leaf=leaf, now=world.runtime.clock())
    world.settle()
    return "<10 opt-outs are said to be in force, the log has 12"


def more_records_than_are_signed(world: World) -> str:
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Manifest).values(records=4_000))
    return "is listed with 4000 records, its manifest says 3"


def a_version_nobody_signed(world: World) -> str:
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Manifest).values(version="9.9"))
    return "ibm-research/faces@9.9 is listed, and no manifest of it stands in the log"


def a_dataset_that_is_not_listed(world: World) -> str:
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Manifest).values(state="recorded"))
        late = world.runtime.clock() + dt.timedelta(days=2)
        digest = hashlib.sha256(b"a wish").hexdigest()
        leaf = entries.commitment_entry("opt-out", commitment=digest, at=late)
        append(session, kind="opt-out", subject="x", ref=digest, leaf=leaf, now=late)
        leaf = entries.commitment_entry("opt-out-withdrawn", commitment=digest, at=late)
        append(session, kind="opt-out-withdrawn", subject="x", ref=digest, leaf=leaf, now=late)
    world.settle()
    return "ibm-research/faces stands in the log and is not listed"


def test_an_honest_registrys_counts_hold(web: Transport, victim: object) -> None:
    assert victim
    found = counts(web)
    assert (found.result, found.unknown, found.looked_at) == (HOLDS, [], 4)


@pytest.mark.parametrize(
    "cheat",
    [
        more_wishes_than_it_says,
        more_records_than_are_signed,
        a_version_nobody_signed,
        a_dataset_that_is_not_listed,
    ],
)
def test_each_difference_is_named(web: Transport, world: World, cheat: Callable[[World], str]) -> None:
    said = cheat(world)
    found = counts(web)
    assert [one for one in found.wrong if said in one], found.wrong


def test_a_dataset_that_came_just_now_is_not_called_missing(web: Transport, world: World) -> None:
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Manifest).values(state="logged"))
    found = counts(web)
    assert found.wrong == []
    assert "ibm-research/faces stands in the log and is not listed: it came within a day" in found.unknown[0]


def test_what_is_voided_in_sight_is_no_difference(web: Transport, world: World) -> None:
    with transaction(world.runtime.sessions) as session:
        session.execute(update(Manifest).values(state="voided"))
    found = counts(web)
    assert (found.wrong, found.unknown) == ([], [])


def test_of_another_log_than_the_one_that_was_read_nothing_is_said(
    web: Transport, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    mirror(web, tmp_path / "mirror")
    request.getfixturevalue("victim")  # the registry goes on
    found = counts(web, mirror=tmp_path / "mirror")
    assert (found.result, len(found.unknown)) == (CANNOT, 1)
    mirror(web, tmp_path / "mirror")
    assert counts(web, mirror=tmp_path / "mirror").result == HOLDS


def test_heads_that_were_not_kept_cannot_be_checked(
    web: Transport, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    mirror(web, tmp_path / "mirror")
    request.getfixturevalue("victim")
    mirror(web, tmp_path / "mirror")
    results = {one.check: one.result for one in audit(web, mirror=tmp_path / "mirror").findings}
    assert (results[LEFT], results[SEEN]) == (HOLDS, HOLDS)
    kept = tmp_path / "mirror" / "feed" / "v1"
    newest = hashlib.sha256((kept / "head.json").read_bytes()).hexdigest()
    for path in (kept / "files").glob("*.json"):
        if path.read_bytes().startswith(b'{"canon"') and path.stem != newest:
            path.unlink()
    report = audit(web, mirror=tmp_path / "mirror")
    (seen,) = [one for one in report.findings if one.check == SEEN]
    assert (seen.result, failed(report)) == (CANNOT, [])
    assert "not kept: what stood in" in seen.unknown[0]


def test_many_digests_take_forty_bytes_each() -> None:
    made, withdrawn = Digests(), Digests()
    for number in range(1_000):
        made.add(hashlib.sha256(b"%d" % (number % 900)).hexdigest(), number)
    for number in range(0, 1_200, 3):
        withdrawn.add(hashlib.sha256(b"%d" % number).hexdigest(), number)
    made.add("00" * 32, 1_000)
    assert (len(made), made.without(withdrawn)) == (1_001, 601)
    assert made.numbers_of(hashlib.sha256(b"7").hexdigest()) == [7, 907]
    assert made.numbers_of(hashlib.sha256(b"999").hexdigest()) == []
    assert made.last == (1_000, "00" * 32)
    assert [number for number, _ in made] == list(range(1_001))

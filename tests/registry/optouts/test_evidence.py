"""What a newer version proves: rows taken out are evidence; dropped, blanked or rehosted columns are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from registry.database import transaction
from registry.models import Answer, Notice, NoticeEvent
from registry.optouts.match import match_manifest
from registry.optouts.status import status
from tests.registry.optouts.small_registry import Line, SmallRegistry, small_registry, static

ME, OTHER = "flickr:11@N00", "flickr:22@N00"
MINE = Line(makers=(ME,), photos=("flickr:101",), url=static(101))
REST = [
    Line(makers=(OTHER,), photos=("flickr:102",), url=static(102)),
    Line(makers=(OTHER,), photos=("flickr:103",), url=static(103)),
    Line(url="https://example.org/plain.jpg"),
]


@dataclasses.dataclass
class Desk:
    """One dataset whose first version has one row of mine, and my opt-out."""

    here: SmallRegistry
    last: int
    opt_out: tuple[str, str]
    serial: int = 1

    def next(self, lines: Sequence[Line], *, follows: bool = True, role: str = "holder") -> int:
        """Publish the next version."""
        self.serial += 1
        supersedes = self.last if follows else None
        self.last = self.here.publish("museum/a", str(self.serial), lines, supersedes=supersedes, role=role)
        return self.last

    def line(self) -> dict[str, Any]:
        """What my status says of it."""
        with self.here.sessions() as session:
            [one] = status(session, opt_out_id=self.opt_out[0], token=self.opt_out[1])["datasets"]
        return dict(one)

    def said(self) -> list[tuple[str, str, str | None]]:
        """By whom, what, of which version."""
        return [(one["by"], one["outcome"], one["version"]) for one in self.line()["answers"]]

    def told(self) -> list[str]:
        """What the publisher hears."""
        with self.here.sessions() as session:
            return list(session.scalars(select(NoticeEvent.kind).order_by(NoticeEvent.seq)))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with small_registry(tmp_path) as here:
        here.publisher("museum")
        first = here.publish("museum/a", "1", [MINE, *REST])
        yield Desk(here, first, here.opt_out(ME))


def test_rows_gone_are_evidence_that_the_registry_saw(desk: Desk) -> None:
    desk.next(REST)
    line = desk.line()
    assert (line["state"], line["evidence"]["version"]) == ("unlisted", "2")
    assert desk.said() == [("registry", "unlisted", "2")]
    assert desk.told() == ["made", "changed"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([dataclasses.replace(one, makers=()) for one in (MINE, *REST)], None),  # still matched by its photo
        ([Line(url="https://example.org/plain.jpg", sha256=None) for _ in range(4)], "fewer of its rows say"),
        ([dataclasses.replace(MINE, makers=(), photos=(), url=None), *REST], "fewer of its rows say"),
        (
            [Line(makers=(), url=f"https://cdn.example.org/{n}.jpg") for n in range(4)],
            "fewer of its rows say who made them",
        ),
        ([dataclasses.replace(MINE, makers=(), photos=()), *REST], "their address still stands in it"),
    ],
    ids=["column of makers dropped", "blanked", "one row blanked", "rehosted", "only the photo's id gone"],
)
def test_what_only_hides_a_row_is_no_evidence(desk: Desk, lines: list[Line], why: str | None) -> None:
    desk.next(lines)
    assert (desk.line()["state"], desk.line()["evidence"]) == ("pending", None)
    if why is None:
        assert desk.said() == []
    else:
        assert desk.said() == [("registry", "no-evidence", "2")]
        assert desk.line()["answers"][0]["reason"].startswith(why)


def test_rows_that_come_back_reopen_it_and_the_publisher_hears(desk: Desk) -> None:
    desk.next(REST)
    desk.next([*REST, MINE])
    assert desk.line()["state"] == "pending"
    assert desk.said() == [("registry", "unlisted", "2"), ("registry", "reopened", "3")]
    assert desk.told() == ["made", "changed", "reopened"]
    desk.next(REST)
    assert desk.line()["evidence"]["version"] == "4"


def test_what_was_said_deleted_and_comes_back_is_asked_again(desk: Desk) -> None:
    with transaction(desk.here.sessions) as session:
        session.execute(update(Notice).values(state="said-deleted"))
    desk.next([*REST, MINE])
    assert desk.line()["state"] == "pending"


def test_a_version_that_proved_it_and_is_retracted_proves_nothing_more(desk: Desk) -> None:
    clean = desk.next(REST)
    desk.here.end(clean, "retracted")
    assert desk.line()["state"] == "pending"
    assert desk.said()[-1] == ("registry", "reopened", "2")


@pytest.mark.parametrize("how", [{"follows": False}, {"role": "observer"}])
def test_only_a_holders_version_that_follows_is_weighed(desk: Desk, how: dict[str, Any]) -> None:
    desk.next(REST, **how)
    assert (desk.line()["state"], desk.said()) == ("pending", [])


def test_a_job_done_again_after_a_crash_says_it_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.optouts.weighing.tell", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.next(REST)
    assert (desk.line()["state"], desk.said()) == ("pending", [])
    with desk.here.sessions() as session:
        clean = max(desk.here.digests)
        assert session.scalar(select(Answer.id)) is None
    for _ in range(2):
        match_manifest(
            desk.here.sessions,
            items=desk.here.items,
            store=desk.here.store,
            manifest_id=clean,
            now=desk.here.now,
        )
    assert desk.said() == [("registry", "unlisted", "2")]


def test_taking_out_some_of_many_rows_lowers_a_share_and_is_evidence(desk: Desk) -> None:
    """Two of three attributed rows stay, and the one without a maker: 3/4 became 2/3, and nothing is hidden."""
    desk.next([REST[0], REST[2]])
    assert desk.line()["state"] == "unlisted"


def test_a_version_is_weighed_for_everybody_at_once(desk: Desk) -> None:
    other = desk.here.opt_out(OTHER)
    desk.next(REST[2:])
    with desk.here.sessions() as session:
        states = session.scalars(select(Notice.state)).all()
    assert states == ["unlisted", "unlisted"]
    assert other

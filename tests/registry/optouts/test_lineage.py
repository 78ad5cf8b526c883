"""Notices by lineage by example: who is asked, what they are told, and what they are not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event, select

from registry.models import Dataset, Notice
from registry.optouts.inbox import notices_view
from registry.optouts.lineage import descendants
from registry.optouts.match import match_all
from registry.optouts.status import full_status
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
MINE = Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))


def told(here: SmallRegistry, dataset: str) -> dict[str, Any] | None:
    """The one notice of a dataset, as its publisher sees it."""
    name = dataset.partition("/")[2]
    with here.sessions() as session:
        found = select(Notice.id).join(Dataset, Dataset.id == Notice.dataset_id).where(Dataset.name == name)
        notice = session.scalars(found).one_or_none()
        return notices_view(session, [notice])[notice] if notice else None


def test_who_made_theirs_from_it_is_told_that_and_not_who_asks(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", None)])
    asked, token = here.opt_out(OWNER)
    above, below = told(here, "museum/faces"), told(here, "archive/crops")
    assert above is not None
    assert below is not None
    assert above["selectors"]
    assert above["parent"] is None
    assert below["parent"] == {"dataset": "museum/faces", "notice": above["id"]}
    assert (below["selectors"], below["rows"], below["records"]) == ([], [], 0)
    assert below["word_of"] == ["archive/crops@1"]
    with here.sessions() as session:
        lines = full_status(session, opt_out_id=asked, token=token)["datasets"]
    assert [(one["dataset"], one["parent"]) for one in lines] == [
        ("archive/crops", "museum/faces"),
        ("museum/faces", None),
    ]


def test_a_child_with_rows_of_its_own_has_one_notice_and_it_is_its_own(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [MINE], parents=[("museum/faces", None, None)])
    here.opt_out(OWNER)
    notice = told(here, "archive/crops")
    assert notice is not None
    assert (notice["parent"], notice["records"]) == (None, 1)


def test_a_child_whose_every_row_names_its_maker_was_read_and_is_not_asked(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish(
        "archive/named", "1", [Line(makers=("flickr:22@N00",))], parents=[("museum/faces", "1", None)]
    )
    here.publish("archive/crops", "1", [Line()], parents=[("archive/named", "1", None)])
    here.opt_out(OWNER)
    assert told(here, "archive/named") is None
    assert told(here, "archive/crops") is not None  # through it, all the same


def test_a_parent_that_comes_after_its_child_and_goes_again(here: SmallRegistry) -> None:
    here.opt_out(OWNER)
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", None)])
    assert told(here, "archive/crops") is None
    parent = here.publish("museum/faces", "1", [MINE])
    notice = told(here, "archive/crops")
    assert notice is not None
    assert notice["state"] == "pending"
    here.end(parent, "retracted")
    gone = told(here, "archive/crops")
    assert gone is not None
    assert gone["state"] == "withdrawn"


def test_a_digest_that_is_not_the_registered_one_is_not_believed(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", "0" * 64)])
    here.opt_out(OWNER)
    assert told(here, "archive/crops") is None


def test_only_who_made_theirs_from_a_version_with_rows_is_asked(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("museum/faces", "2", [Line()])
    here.publish("archive/old", "1", [Line()], parents=[("museum/faces", "1", None)])
    here.publish("archive/new", "1", [Line()], parents=[("museum/faces", "2", None)])
    here.publish("archive/some", "1", [Line()], parents=[("museum/faces", "0.9", None)])
    here.opt_out(OWNER)
    assert told(here, "archive/old") is not None
    assert told(here, "archive/new") is None
    assert told(here, "archive/some") is not None  # nobody can say which version that was
    here.publish("museum/faces", "0.9", [Line()])
    settled = told(here, "archive/some")
    assert settled is not None
    assert settled["state"] == "withdrawn"


def test_an_opt_out_limited_to_datasets_asks_only_those(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", None)])
    here.publish("archive/cuts", "1", [Line()], parents=[("archive/crops", "1", None)])
    here.opt_out(OWNER, datasets=["museum/faces", "archive/cuts"])
    assert told(here, "archive/crops") is None
    assert told(here, "archive/cuts") is not None


def test_a_notice_that_was_withdrawn_with_its_opt_out(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", None)])
    asked, token = here.opt_out(OWNER)
    here.withdraw(asked, token)
    notice = told(here, "archive/crops")
    assert notice is not None
    assert notice["state"] == "withdrawn"


def test_matching_everything_again_changes_nothing(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", "1", None)])
    here.opt_out(OWNER)
    before = told(here, "archive/crops")
    match_all(here.sessions, items=here.items, store=here.store, now=here.now)
    assert told(here, "archive/crops") == before


def test_what_is_circular_ends(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE], parents=[("archive/crops", None, None)])
    here.publish("archive/crops", "1", [Line()], parents=[("museum/faces", None, None)])
    here.opt_out(OWNER)
    notice = told(here, "archive/crops")
    assert notice is not None
    assert notice["parent"] is not None


def test_one_statement_finds_them_however_many_there_are(here: SmallRegistry) -> None:
    here.publish("museum/faces", "1", [MINE])
    for number in range(12):
        of = ("museum/faces", None, None) if number < 6 else (f"archive/d{number - 6}", "1", None)
        here.publish(f"archive/d{number}", "1", [Line()], parents=[of])
    asked, _ = here.opt_out(OWNER)
    sent: list[str] = []
    with here.sessions() as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", lambda *said: sent.append(said[2]))
        found = descendants(session, [asked])[asked]
    assert [one.depth for one in found.values()] == [1] * 6 + [2] * 6
    assert len([one for one in sent if one != "BEGIN"]) == 1


def test_a_childs_coming_takes_no_more_statements_with_twenty_wishes_than_with_four(
    here: SmallRegistry,
) -> None:
    owners = [f"flickr:{number}@N00" for number in range(500, 520)]
    lines = [Line(makers=(one,), photos=(f"flickr:{n}",), url=static(n)) for n, one in enumerate(owners, 500)]
    here.publish("museum/faces", "1", lines)
    made = here.opt_out(*owners[:1])[0]
    counts: list[int] = []
    for more in (owners[1:4], owners[4:]):
        for one in more:
            here.opt_out(one)
        child = here.record(
            "archive/crops", str(len(counts)), [Line()], parents=[("museum/faces", "1", None)]
        )
        counts.append(len(_sent(here, child)))
    assert counts[1] <= counts[0]
    with here.sessions() as session:
        asked = session.scalars(select(Notice).where(Notice.parent_id.is_not(None))).all()
        assert len(asked) == 20
        assert made in {one.opt_out_id for one in asked}


def _sent(here: SmallRegistry, manifest: int) -> list[str]:
    """The statements that a version's coming takes."""
    sent: list[str] = []
    with here.sessions() as session:
        engine = session.get_bind()

    def hear(*said: Any) -> None:
        sent.append(said[2])

    event.listen(engine, "before_cursor_execute", hear)
    try:
        here.go_on(manifest)
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    return sent

"""One notice for each opt-out and dataset, kept true to what the matcher found; and their public counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.models import Dataset, Notice, Publisher
from registry.optouts.answers import BELIED_BY_ROWS, CLOSED, reopen
from registry.optouts.lineage import Descent, descendants
from registry.optouts.pieces import select_in
from registry.optouts.reach import FileRows
from registry.optouts.rule import Strength
from registry.optouts.sources import Source
from registry.optouts.telling import Happened, tell
from registry.optouts.wishes import Asked
from registry.watches.noting import note_answers

FEW = 10
OPEN = "pending"
Matches = Mapping[tuple[int, int, Strength], FileRows]


@dataclass
class Wanted:
    """What one notice should say of the rows that matched."""

    records: dict[Source, int] = field(default_factory=lambda: defaultdict(int))
    word_of: set[str] = field(default_factory=set)
    full: bool = False


def update_notices(
    session: Session,
    reached: Mapping[Asked, Matches],
    *,
    sources: Mapping[int, Source],
    now: dt.datetime,
    new_id: Callable[[], str],
) -> None:
    """Make, change and withdraw the notices of some opt-outs; only approved publishers' datasets get any.

    Those whose rows match, and by lineage those that are made from them. As many statements for fifty as for one.
    """
    session.flush()  # the matches of this very writing are where lineage begins
    ids = {asked.id for asked in reached}
    below, standing = descendants(session, ids), _standing(session, ids)
    happened: list[Happened] = []
    for asked, matches in reached.items():
        said = {
            dataset_id: _as_columns(one, asked.assurance)
            for dataset_id, one in _wanted(matches, sources).items()
        }
        said |= _by_lineage(asked, said, below.get(asked.id, {}))
        happened += _change(session, asked.id, said, standing[asked.id], now=now, new_id=new_id)
    note_answers(session, [one.notice_id for one in happened if one.kind == "reopened"], now=now)
    session.flush()
    tell(session, happened, now=now)


def _standing(session: Session, opt_outs: Collection[str]) -> dict[str, dict[int, Notice]]:
    """What was asked so far, by opt-out and dataset."""
    found: dict[str, dict[int, Notice]] = defaultdict(dict)
    for (one,) in select_in(session, select(Notice), Notice.opt_out_id, opt_outs):
        found[one.opt_out_id][one.dataset_id] = one
    return found


def _change(
    session: Session,
    opt_out_id: str,
    said: Mapping[int, dict[str, Any]],
    standing: Mapping[int, Notice],
    *,
    now: dt.datetime,
    new_id: Callable[[], str],
) -> list[Happened]:
    """Make one opt-out's notices say this; what its receivers shall hear."""
    happened = [
        Happened(dataset_id, notice.id, "withdrawn")
        for dataset_id, notice in standing.items()
        if dataset_id not in said and _close(notice, now)
    ]
    for dataset_id, columns in said.items():
        notice = standing.get(dataset_id)
        if notice is None:
            notice = Notice(
                id=new_id(), opt_out_id=opt_out_id, dataset_id=dataset_id, state=OPEN, made_at=now
            )
            session.add(notice)
            kind: str | None = "made"
        else:
            kind = _as_before(session, notice, columns, now=now)
        for column, value in columns.items():
            if getattr(notice, column) != value:
                setattr(notice, column, value)
        if kind:
            happened.append(Happened(dataset_id, notice.id, kind))
    return happened


def withdraw_notices(session: Session, opt_out_id: str, now: dt.datetime) -> None:
    """The person took it back: nothing is asked of anybody any more."""
    standing = session.scalars(select(Notice).where(Notice.opt_out_id == opt_out_id)).all()
    closed = [Happened(one.dataset_id, one.id, "withdrawn") for one in standing if _close(one, now)]
    session.flush()
    tell(session, closed, now=now)


def notice_counts(session: Session, *, dataset: str) -> dict[str, Any]:
    """How many notices one dataset has, per state: what everybody may know.

    `{"dataset", "total", "counts": {state: n}, "observed"}`; a count below 10 reads "<10", zero as well.
    Notices that went to an observer are counted in `observed` and nowhere else. NotFound("no-such-dataset")
    also where the publisher is not approved: a dataset made to find out who objected must learn nothing.
    """
    found = _approved_dataset(session, dataset)
    columns = select(Notice.state, Notice.observed, func.count()).where(Notice.dataset_id == found.id)
    states: Counter[str] = Counter()
    observed = 0
    for state, by_observer, count in session.execute(columns.group_by(Notice.state, Notice.observed)):
        if by_observer:
            observed += count
        else:
            states[state] += count
    return {
        "dataset": dataset,
        "total": shown(states.total()),
        "counts": {state: shown(count) for state, count in sorted(states.items()) if count >= FEW},
        "observed": shown(observed),
    }


def _approved_dataset(session: Session, dataset: str) -> Dataset:
    slug, _, name = dataset.partition("/")
    joined = select(Dataset).join(Publisher, Publisher.id == Dataset.publisher_id)
    approved = joined.where(Publisher.approved, ~Publisher.suspended, ~Dataset.hidden)
    found = session.scalars(approved.where(Publisher.slug == slug, Dataset.name == name)).one_or_none()
    if found is None:
        raise NotFound("no-such-dataset", f"there are no notices of a dataset {dataset}")
    return found


def shown(count: int) -> int | str:
    """A count as everybody may see it."""
    return count if count >= FEW else f"<{FEW}"


def _wanted(matches: Matches, sources: Mapping[int, Source]) -> dict[int, Wanted]:
    wanted: dict[int, Wanted] = defaultdict(Wanted)
    for (manifest_id, _, strength), found in matches.items():
        source = sources[manifest_id]
        if source.counts:
            one = wanted[source.dataset_id]
            one.records[source] += len(found.rows)
            one.word_of |= {sources[said].label for said in found.word_of}
            one.full |= strength == "full"
    return wanted


def _by_lineage(
    asked: Asked, direct: Mapping[int, dict[str, Any]], below: Mapping[int, Descent]
) -> dict[int, dict[str, Any]]:
    """Dataset -> what its notice says, for those without rows that are made from one with rows."""
    if not direct:
        return {}
    return {
        dataset_id: {
            "parent_id": one.parent_id,
            "assurance": direct[one.parent_id]["assurance"],
            "versions": one.versions,
            "records": 0,
            "word_of": sorted(f"{one.dataset}@{version}" for version in one.versions),
            "observed": one.observed,
        }
        for dataset_id, one in below.items()
        if asked.targets(dataset_id)
    }


def _as_columns(one: Wanted, assurance: str) -> dict[str, Any]:
    versions = sorted(one.records, key=lambda source: source.id)
    return {
        "parent_id": None,
        "assurance": assurance if one.full else "asserted",
        "versions": [source.version for source in versions],
        "records": one.records[versions[-1]],
        "word_of": sorted(one.word_of),
        "observed": _all_observed(versions),
    }


def _all_observed(versions: Iterable[Source]) -> bool:
    return all(source.observed for source in versions)


def _as_before(session: Session, notice: Notice, said: dict[str, Any], *, now: dt.datetime) -> str | None:
    """What is new about a notice that stands: made (again), reopened, changed, or nothing. Whose word it is, is no news."""
    if notice.state == CLOSED:
        notice.state, notice.made_at, notice.closed_at, notice.confirmed = OPEN, now, None, False
        notice.sent_at = notice.answer_by = notice.answered_at = notice.reason = None
        return "made"
    seen = (
        () if notice.parent_id is not None else notice.versions
    )  # of one by lineage no row was known before
    back = [version for version in said["versions"] if version not in seen]
    if notice.state in BELIED_BY_ROWS and back and said["parent_id"] is None:
        reopen(session, notice, version=back[-1], now=now)
        return "reopened"
    news = ("parent_id", "assurance", "versions", "records")
    return "changed" if any(getattr(notice, name) != said[name] for name in news) else None


def _close(notice: Notice, now: dt.datetime) -> bool:
    """Nothing is asked any more; False where nothing was."""
    if notice.state == CLOSED:
        return False
    notice.state, notice.closed_at = CLOSED, now
    return True

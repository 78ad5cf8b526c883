"""A publisher's own notices, read by a request it signed: what is asked, of which rows, by whom it was pointed at."""

from __future__ import annotations

import base64
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from byline.formats import categories
from registry.contributors.sealed import ERASED
from registry.models import (
    Dataset,
    Manifest,
    ManifestFile,
    Match,
    Notice,
    OptOut,
    OptOutSelector,
    Publisher,
)
from registry.optouts.delivering import Event, delivered, events
from registry.optouts.pieces import select_in
from registry.optouts.telling import receiver_of

MOST = 100
ROOM = 4 << 20  # bytes of row sets in one page


def read_inbox(
    session: Session, *, publisher_id: int, after: int, limit: int, proof: str, now: dt.datetime
) -> dict[str, Any]:
    """What happened after event `after`: `{"items": [{"seq", "kind", "made_at", "notice"}], "next", "last"}`.

    Asking for what came after 17 says that 17 arrived: that is its proof of delivery. `next` is what to ask
    after next time; `last` the newest there is. A notice is shown as it stands now, whatever the event was.
    """
    receiver = receiver_of(session, publisher_id)
    last = receiver.next_seq - 1
    known = min(after, last)
    if known > receiver.polled_to:
        delivered(
            session,
            publisher_id,
            channel="poll",
            from_seq=receiver.polled_to + 1,
            to_seq=known,
            proof=proof,
            now=now,
        )
        receiver.polled_to = known
        session.flush()
    found = events(session, publisher_id, after=known, to=last, limit=min(limit, MOST))
    items = _fitting(found, notices_view(session, {one.notice_id for one in found}))
    return {"items": items, "next": items[-1]["seq"] if items else known, "last": last}


def notices_view(session: Session, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Notices as their publisher sees them, by id.

    `rows`: for each version and file the count and the 64-bit roaring bitmap of row ordinals, in base64. One by lineage
    has none, and no selectors: `parent` names the dataset that has, and the notice there.
    """
    notices = {n.id: n for (n,) in select_in(session, select(Notice), Notice.id, ids)}
    opt_outs = {
        o.id: o
        for (o,) in select_in(session, select(OptOut), OptOut.id, {n.opt_out_id for n in notices.values()})
    }
    selectors: dict[str, list[dict[str, str]]] = defaultdict(list)
    for (one,) in select_in(session, select(OptOutSelector), OptOutSelector.opt_out_id, opt_outs):
        if not one.value.startswith(ERASED):  # its rows still say where it is
            selectors[one.opt_out_id].append({"kind": one.kind, "value": one.value})
    rows, parents = _rows(session, notices), _parents(session, notices)
    return {
        notice.id: {
            **_view(notice, opt_outs[notice.opt_out_id], selectors[notice.opt_out_id], rows[notice.id]),
            "parent": parents.get(notice.id),
        }
        for notice in notices.values()
    }


def _view(
    notice: Notice, opt_out: OptOut, selectors: list[dict[str, str]], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    unsaid = notice.state == "withdrawn" or notice.parent_id is not None
    return {
        "id": notice.id,
        "state": notice.state,
        "assurance": notice.assurance,
        "relation": opt_out.relation,
        "remove_existing": opt_out.remove_existing,
        "categories": categories.labels(opt_out.categories & categories.ALL_USES),
        "versions": list(notice.versions),
        "records": notice.records,
        "word_of": list(notice.word_of),
        "observed": notice.observed,
        "confirmed": notice.confirmed,
        "reason": notice.reason,
        "made_at": notice.made_at,
        "sent_at": notice.sent_at,
        "answer_by": notice.answer_by,
        "selectors": [] if unsaid else sorted(selectors, key=lambda one: (one["kind"], one["value"])),
        "rows": [] if unsaid else rows,
    }


def _parents(session: Session, notices: Mapping[str, Notice]) -> dict[str, dict[str, str]]:
    """Of each notice by lineage: `{"dataset", "notice"}`, where the rows are."""
    above = aliased(Notice)
    columns = (
        select(Notice.id, Publisher.slug, Dataset.name, above.id.label("above"))
        .join(above, (above.opt_out_id == Notice.opt_out_id) & (above.dataset_id == Notice.parent_id))
        .join(Dataset, Dataset.id == Notice.parent_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
    )
    by_lineage = {one.id for one in notices.values() if one.parent_id is not None}
    return {
        row.id: {"dataset": f"{row.slug}/{row.name}", "notice": row.above}
        for row in select_in(session, columns, Notice.id, by_lineage)
    }


def _rows(session: Session, notices: Mapping[str, Notice]) -> dict[str, list[dict[str, Any]]]:
    by_subject = {(n.opt_out_id, n.dataset_id): n.id for n in notices.values()}
    columns = (
        select(Match, Manifest.dataset_id, Manifest.version, ManifestFile.name, ManifestFile.sha256)
        .join(Manifest, Manifest.id == Match.manifest_id)
        .outerjoin(
            ManifestFile,
            (ManifestFile.manifest_id == Match.manifest_id) & (ManifestFile.position == Match.file),
        )
        .where(Manifest.dataset_id.in_({n.dataset_id for n in notices.values()}))
        .order_by(Match.manifest_id, Match.file, Match.strength)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for match, dataset_id, version, name, sha256 in select_in(
        session, columns, Match.opt_out_id, {n.opt_out_id for n in notices.values()}
    ):
        notice_id = by_subject.get((match.opt_out_id, dataset_id))
        if notice_id is not None:
            found[notice_id].append(
                {
                    "version": version, "file": name, "sha256": sha256, "strength": match.strength,
                    "records": match.records, "rows": base64.b64encode(match.rows).decode("ascii"),
                }
            )  # fmt: skip
    return found


def _fitting(found: list[Event], views: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as fit into a page, but one at least."""
    items: list[dict[str, Any]] = []
    room = ROOM
    for one in found:
        view = views[one.notice_id]
        room -= sum(len(row["rows"]) for row in view["rows"])
        if items and room < 0:
            break
        items.append(
            {
                "seq": one.seq,
                "kind": one.kind,
                "made_at": one.made_at,
                "notice": {**view, "dataset": one.dataset},
            }
        )
    return items

"""What became of an opt-out, for who holds its token; for everybody else datasets and dates."""

from __future__ import annotations

import base64
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from byline.formats import categories
from registry.models import (
    Act,
    Answer,
    Dataset,
    Manifest,
    Match,
    Notice,
    OptOut,
    OptOutClaim,
    OptOutScope,
    OptOutSelector,
    Publisher,
)
from registry.optouts.access import find_opt_out, require_claim, require_token
from registry.optouts.answers import UNLISTED, answers_of
from registry.optouts.mailing import find_link

# A publisher the operator has not approved is asked nothing: the answer would tell it who objected.
NOT_ASKED = "publisher-not-approved"


def status(session: Session, *, opt_out_id: str, token: str | None = None) -> dict[str, Any]:
    """Design section 8's answer to the person; without a token only datasets, their states and dates.

    What a person in a picture asked is for the publishers named alone: without a token nothing of it is said.
    NotFound("no-such-opt-out"), Untrusted("wrong-token").
    """
    if token is None:
        return _public(session, find_opt_out(session, opt_out_id))
    return full_status(session, opt_out_id=opt_out_id, token=token)


def full_status(session: Session, *, opt_out_id: str, token: str) -> dict[str, Any]:
    """The same, whole. NotFound("no-such-opt-out"), Untrusted("wrong-token")."""
    opt_out = find_opt_out(session, opt_out_id)
    require_token(session, opt_out, token)
    return _own(session, opt_out)


def opt_outs_of(session: Session, *, claim_id: str, token: str) -> list[dict[str, Any]]:
    """Every opt-out that stands on a claim, newest first, for who holds the claim's token.

    Untrusted("wrong-token").
    """
    claim = require_claim(session, claim_id, token)
    joined = select(OptOut).join(OptOutClaim, OptOutClaim.opt_out_id == OptOut.id)
    found = session.scalars(
        joined.where(OptOutClaim.claim_id == claim.id).order_by(OptOut.made_at.desc(), OptOut.id)
    )
    return [_own(session, opt_out) for opt_out in found]


def by_link(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """What a mailed link would confirm; nothing changes (scanners open links).

    Whoever got the mail need not be who asked: they see what it is before they say yes.
    NotFound("no-such-link"), Refused("link-lapsed").
    """
    opt_out = find_link(session, token, now)[1]
    named = (
        select(Publisher.slug, Dataset.name)
        .join(Dataset, Dataset.publisher_id == Publisher.id)
        .join(OptOutScope, OptOutScope.dataset_id == Dataset.id)
        .where(OptOutScope.opt_out_id == opt_out.id)
        .order_by(Publisher.slug, Dataset.name)
    )
    return {
        "state": opt_out.state,
        "relation": opt_out.relation,
        "selectors": _selectors(session, opt_out),
        "datasets": [f"{slug}/{name}" for slug, name in session.execute(named)],
        "publisher_only": opt_out.publisher_only,
    }


def _public(session: Session, opt_out: OptOut) -> dict[str, Any]:
    shown = ("dataset", "state", "sent_at", "answer_by")
    notices = _asked(session, opt_out.id) if opt_out.relation == "maker" else []
    return {
        "id": opt_out.id,
        "state": opt_out.state,
        "datasets": [{name: notice[name] for name in shown} for notice in notices],
    }


def _selectors(session: Session, opt_out: OptOut) -> list[dict[str, str]]:
    columns = select(OptOutSelector.kind, OptOutSelector.value).where(OptOutSelector.opt_out_id == opt_out.id)
    rows = session.execute(columns.order_by(OptOutSelector.value))
    return [{"kind": kind, "value": value} for kind, value in rows]


def _own(session: Session, opt_out: OptOut) -> dict[str, Any]:
    return {
        "id": opt_out.id,
        "state": opt_out.state,
        "assurance": opt_out.assurance,
        "relation": opt_out.relation,
        "selectors": _selectors(session, opt_out),
        "categories": categories.labels(opt_out.categories & categories.ALL_USES),
        "remove_existing": opt_out.remove_existing,
        "publisher_only": opt_out.publisher_only,
        "made_at": opt_out.made_at,
        "in_force_at": opt_out.in_force_at,
        "withdrawn_at": opt_out.withdrawn_at,
        "datasets": _datasets(session, opt_out.id),
        "feed_seq": opt_out.feed_seq,
        "receipt": _receipt(session, opt_out),
    }


def _datasets(session: Session, opt_out_id: str) -> list[dict[str, Any]]:
    """One line a dataset: its notice, or that its publisher may not be asked."""
    not_asked = {one["dataset"]: one for one in _not_asked(session, opt_out_id)}
    asked = [one for one in _asked(session, opt_out_id) if one["dataset"] not in not_asked]
    return sorted([*asked, *not_asked.values()], key=lambda one: str(one["dataset"]))


def _asked(session: Session, opt_out_id: str) -> list[dict[str, Any]]:
    above, above_by = aliased(Dataset), aliased(Publisher)
    joined = (
        select(Notice, Publisher.slug, Dataset.name, above_by.slug + "/" + above.name)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(above, above.id == Notice.parent_id)
        .outerjoin(above_by, above_by.id == above.publisher_id)
    )
    rows = session.execute(
        joined.where(Notice.opt_out_id == opt_out_id).order_by(Publisher.slug, Dataset.name)
    ).all()
    said = answers_of(session, [notice.id for notice, *_ in rows])
    return [
        {
            "dataset": f"{slug}/{name}",
            "versions": list(notice.versions),
            "records": notice.records,
            "state": notice.state,
            "assurance": notice.assurance,
            "observed": notice.observed,
            "parent": parent,
            "sent_at": notice.sent_at,
            "answer_by": notice.answer_by,
            "reason": notice.reason,
            "evidence": _evidence(notice, said[notice.id]),
            "by": list(notice.word_of),
            "answers": [_answer(one) for one in said[notice.id]],
        }
        for notice, slug, name, parent in rows
    ]


def _evidence(notice: Notice, said: Sequence[Answer]) -> dict[str, Any] | None:
    """The version that no longer names them, while that holds."""
    shown = [one for one in said if one.outcome == UNLISTED]
    return (
        {"version": shown[-1].version, "seen_at": shown[-1].at}
        if shown and notice.state == UNLISTED
        else None
    )


def _answer(one: Answer) -> dict[str, Any]:
    return {"by": one.by, "outcome": one.outcome, "reason": one.reason, "version": one.version, "at": one.at}


def _not_asked(session: Session, opt_out_id: str) -> list[dict[str, Any]]:
    """Datasets that hold rows of it and whose publishers are not approved."""
    columns = (
        select(Publisher.slug, Dataset.name, Manifest.version, func.sum(Match.records).label("records"))
        .join(Manifest, Manifest.id == Match.manifest_id)
        .join(Dataset, Dataset.id == Manifest.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .where(Match.opt_out_id == opt_out_id, ~Publisher.approved | Publisher.suspended)
        .group_by(Publisher.slug, Dataset.name, Manifest.id, Manifest.version)
        .order_by(Publisher.slug, Dataset.name, Manifest.id)
    )
    found: Mapping[str, list[tuple[str, int]]] = defaultdict(list)
    for row in session.execute(columns):
        found[f"{row.slug}/{row.name}"].append((row.version, row.records))
    nothing: dict[str, Any] = {
        "assurance": None,
        "observed": False,
        "parent": None,
        "sent_at": None,
        "answer_by": None,
        "reason": None,
        "evidence": None,
        "by": [],
        "answers": [],
    }
    return [
        {
            "dataset": dataset,
            "versions": [version for version, _ in versions],
            "records": versions[-1][1],
            "state": NOT_ASKED,
            **nothing,
        }
        for dataset, versions in found.items()
    ]


def _receipt(session: Session, opt_out: OptOut) -> dict[str, Any] | None:
    """What proves what was asked: the committed bytes, and where the log holds the commitment."""
    found = select(Act.kind, Act.log_index).where(Act.ref == opt_out.commitment, Act.leaf.is_not(None))
    entries = {row.kind: row.log_index for row in session.execute(found)}
    if "opt-out" not in entries or opt_out.request is None:
        return None
    return {
        "commitment": opt_out.commitment,
        "salt": opt_out.salt.hex(),
        "request": base64.b64encode(opt_out.request).decode("ascii"),
        "log_index": entries["opt-out"],
        "withdrawal_index": entries.get("opt-out-withdrawn"),
    }

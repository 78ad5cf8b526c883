"""What stands under one mail address, whole: the page, and the export."""

from __future__ import annotations

import base64
import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from byline.formats import categories
from registry.contributors.hiding import may_hide
from registry.models import Claim, Contributor, Dataset, Notice, OptOut, OptOutSelector, Publisher
from registry.optouts.mine import claims_of, opt_outs_of_mail, whose
from registry.optouts.pieces import select_in
from registry.watches.asking import watches_of


def mine(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """`{"claims": […], "opt_outs": […], "watches": […]}`, the newest first, in a number of queries that does not grow with either.

    Untrusted("wrong-token").
    """
    digest = whose(session, token, now)
    claims, opt_outs = claims_of(session, digest), opt_outs_of_mail(session, digest)
    watches = [
        {"id": one.id, "about": one.about, "state": one.state, "made_at": one.made_at}
        for one in watches_of(session, digest)
    ]
    return {"claims": _claims(session, claims), "opt_outs": _opt_outs(session, opt_outs), "watches": watches}


def _claims(session: Session, claims: Collection[Claim]) -> list[dict[str, Any]]:
    found = select(Contributor.key, Contributor.hidden)
    hidden = {
        row.key
        for row in select_in(session, found, Contributor.key, {one.identity for one in claims})
        if row.hidden
    }
    return [
        {
            "id": one.id,
            "identity": one.identity,
            "state": one.state,
            "assurance": one.assurance,
            "made_at": one.made_at,
            "decided_at": one.decided_at,
            "hidden": one.identity in hidden,
            "may_hide": may_hide(one),
        }
        for one in claims
    ]


def _opt_outs(session: Session, opt_outs: Collection[OptOut]) -> list[dict[str, Any]]:
    ids = {one.id for one in opt_outs}
    selectors: dict[str, list[dict[str, str]]] = defaultdict(list)
    for (one,) in select_in(
        session, select(OptOutSelector).order_by(OptOutSelector.value), OptOutSelector.opt_out_id, ids
    ):
        selectors[one.opt_out_id].append({"kind": one.kind, "value": one.value})
    datasets = _datasets(session, ids)
    return [
        {
            "id": one.id,
            "state": one.state,
            "assurance": one.assurance,
            "relation": one.relation,
            "selectors": selectors[one.id],
            "categories": categories.labels(one.categories & categories.ALL_USES),
            "remove_existing": one.remove_existing,
            "publisher_only": one.publisher_only,
            "made_at": one.made_at,
            "in_force_at": one.in_force_at,
            "withdrawn_at": one.withdrawn_at,
            "datasets": datasets[one.id],
            "commitment": one.commitment,
            "salt": one.salt.hex(),
            "request": base64.b64encode(one.request).decode("ascii") if one.request else None,
        }
        for one in opt_outs
    ]


def _datasets(session: Session, ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    above, above_by = aliased(Dataset), aliased(Publisher)
    columns = (
        select(Notice, Publisher.slug, Dataset.name, above_by.slug + "/" + above.name)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(above, above.id == Notice.parent_id)
        .outerjoin(above_by, above_by.id == above.publisher_id)
        .order_by(Publisher.slug, Dataset.name)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for notice, slug, name, parent in select_in(session, columns, Notice.opt_out_id, ids):
        found[notice.opt_out_id].append(
            {
                "dataset": f"{slug}/{name}", "versions": list(notice.versions), "records": notice.records,
                "parent": parent, "state": notice.state, "sent_at": notice.sent_at, "answer_by": notice.answer_by,
            }
        )  # fmt: skip
    return found

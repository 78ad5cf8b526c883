"""One search over every registered dataset: by name in any script, by handle, by a pasted link."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from byline.errors import Refused
from byline.formats.selectors import Selector, candidates
from registry.contributors.indexing import NAME
from registry.contributors.people import records_of
from registry.contributors.shown import maker_at, rows_showing
from registry.contributors.views import describe
from registry.models import Act, Contributor, ContributorCount, Follower
from search import Match, SearchEngine

MOST_HITS = 500  # of one query; who has more to choose from needs one more word
MOST_PAGE = 100
LONGEST = 1000
MOST_ROWS = 50  # of an item, whose makers are looked up
_SURE = 101  # closeness of what was named exactly: before any name
_BAD_CURSOR = "this cursor was not given out here; begin without one"

Key = tuple[int, int, int, int]  # match, -closeness, -records, root: the order of an answer


def search(
    session: Session,
    engine: SearchEngine,
    q: str,
    *,
    limit: int = 20,
    cursor: str | None = None,
    items: Engine | None = None,
) -> dict[str, Any]:
    """Give a page of `GET /v1/search`: exact before folded, prefix, fuzzy, then by records.

    A handle, profile URL or (with `items`) a photo's link finds its maker. Refused("empty-query"),
    ("bad-cursor"). The number of SQL statements does not depend on what is found.
    """
    text = q.strip()[:LONGEST]
    if not text:
        raise Refused("empty-query", "say a name, a user name or a link", at="q")
    found = {hit.id: (hit.match, hit.closeness) for hit in engine.search(text, limit=MOST_HITS).hits}
    found.update(dict.fromkeys(_named_exactly(session, text, items), (Match.exact, _SURE)))
    ordered = _ordered(found, records_of(session, found))
    page, after = _page(ordered, limit=max(1, min(limit, MOST_PAGE)), cursor=cursor)
    shown = describe(session, [key[3] for key in page])
    entries = [shown[key[3]] | {"match": Match(key[0]).name} for key in page if key[3] in shown]
    return {"items": entries, "next": after, "as_of": {"log_size": _log_size(session)}}


def _named_exactly(session: Session, text: str, items: Engine | None) -> set[int]:
    """Roots that the text names as an identity, or shows a photo of."""
    meant = candidates(text)
    keys = {selector.value for selector in meant if selector.kind == "maker"}
    keys |= {f"{selector.kind}:{selector.value}" for selector in meant if selector.kind in {"name", "id"}}
    roots = set(session.scalars(select(Contributor.root_id).where(Contributor.key.in_(keys))))
    shown = [selector for selector in meant if selector.kind in {"photo", "url", "sha256"}]
    return roots | (_makers_of(session, items, shown) if items is not None and shown else set())


def _makers_of(session: Session, items: Engine, selectors: Collection[Selector]) -> set[int]:
    """Roots of the rows that show one of these items."""
    roots: set[int] = set()
    for row in rows_showing(items, selectors)[:MOST_ROWS]:
        roots.update(session.scalars(select(Contributor.root_id).join(ContributorCount).where(maker_at(row))))
    return roots


def _ordered(found: dict[int, tuple[Match, int]], records: dict[int, int]) -> list[Key]:
    """Who has nothing published, or is hidden, has no records here and falls out."""
    return sorted(
        (int(match), -closeness, -records[root], root)
        for root, (match, closeness) in found.items()
        if records.get(root)
    )


def _page(ordered: list[Key], *, limit: int, cursor: str | None) -> tuple[list[Key], str | None]:
    after = _read_cursor(cursor) if cursor else None
    rest = [key for key in ordered if after is None or key > after]
    page = rest[:limit]
    return page, _write_cursor(page[-1]) if len(rest) > limit else None


def _write_cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> Key:
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise Refused("bad-cursor", _BAD_CURSOR, at="cursor") from error
    if not isinstance(key, list) or len(key) != 4 or any(type(number) is not int for number in key):
        raise Refused("bad-cursor", _BAD_CURSOR, at="cursor")
    return key[0], key[1], key[2], key[3]


def _log_size(session: Session) -> int:
    """How much of the log the index has seen."""
    seen = select(Follower.number).where(Follower.name == NAME).scalar_subquery()
    newest = select(Act.log_index).where(Act.number < seen, Act.log_index.is_not(None))
    index = session.scalar(newest.order_by(Act.number.desc()).limit(1))
    return 0 if index is None else index + 1

"""What the tables hold of every opt-out, beside what the records say it should be."""

from __future__ import annotations

from pyroaring import BitMap64
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from byline.formats.selectors import fingerprint
from registry.models import CoveredPhoto, Dataset, Fingerprint, Match, Notice, Publisher
from tests.registry.optouts.naive import Wished, World
from tests.registry.optouts.small_registry import SmallRegistry


def assert_true(here: SmallRegistry, world: World) -> None:
    """Every match, covered photo, fingerprint and notice of every opt-out is what the records say."""
    with here.sessions() as session:
        for wish in world.wishes:
            _assert_matches(session, world, wish)
            _assert_notices(session, world, wish)


def _assert_matches(session: Session, world: World, wish: Wished) -> None:
    wanted = world.wanted(wish)
    held = list(session.scalars(select(Match).where(Match.opt_out_id == wish.id)))
    keyed = {(m.manifest_id, m.file, m.strength): m for m in held}
    assert {key: set(BitMap64.deserialize(m.rows)) for key, m in keyed.items()} == wanted["matches"]
    assert {key: set(m.word_of) for key, m in keyed.items()} == wanted["word_of"]
    assert {key: m.records for key, m in keyed.items()} == {
        k: len(rows) for k, rows in wanted["matches"].items()
    }
    covered = select(CoveredPhoto.k).where(CoveredPhoto.opt_out_id == wish.id)
    assert set(session.scalars(covered)) == {fingerprint("photo", p) for p in wanted["covered"]}
    fingerprints = select(Fingerprint.k).where(Fingerprint.opt_out_id == wish.id)
    assert set(session.scalars(fingerprints)) == wanted["fingerprints"]


def _assert_notices(session: Session, world: World, wish: Wished) -> None:
    above, above_by = aliased(Dataset), aliased(Publisher)
    joined = (
        select(Notice, Publisher.slug, Dataset.name, above_by.slug + "/" + above.name)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(above, above.id == Notice.parent_id)
        .outerjoin(above_by, above_by.id == above.publisher_id)
    )
    rows = session.execute(joined.where(Notice.opt_out_id == wish.id, Notice.state != "withdrawn"))
    held = {
        f"{slug}/{name}": {
            "versions": notice.versions,
            "records": notice.records,
            "word_of": set(notice.word_of),
            "assurance": notice.assurance,
            "parent": parent,
        }
        for notice, slug, name, parent in rows
    }
    assert held == world.notices(wish)

"""The same flow on a real PostgreSQL: published, linked, retracted."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks.photos import photos
from registry.models import AliasLink, ContributorCount
from registry.publishing import queries
from tests.registry.publishing.desk import Desk, extract_of, records, registry_in


@pytest.mark.postgres
def test_the_flow_is_the_same_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with registry_in(tmp_path / "data", database_url=postgres_url, ingest_memory=256 << 20) as registry:
        desk = Desk(registry)
        desk.register()
        digest = desk.publish(extract_of(photos(3_000)), name="many")["digest"]
        both = {
            "landing_url": "https://www.flickr.com/photos/somebody/3072908271/",
            "creator_url": "https://www.flickr.com/people/12345678@N00/",
        }
        desk.publish(extract_of(records(both)), name="one")
        with registry.sessions() as session:
            assert queries.totals(session) == {"datasets": 2, "records": 3001}
            assert sum(session.scalars(select(ContributorCount.records))) == 3000 + 2
            assert len(session.scalars(select(AliasLink)).all()) == 1
        desk.retract(desk.retraction(digest, previous=digest, name="many"))
        registry.forget_withdrawn()
        with registry.sessions() as session:
            assert queries.totals(session) == {"datasets": 1, "records": 1}

"""A registry and a publisher's desk beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.publishing.desk import Desk, Extract, Registry, extract_of, records, registry_in


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with registry_in(tmp_path / "data", ingest_memory=256 << 20) as opened:
        yield opened


@pytest.fixture
def desk(registry: Registry) -> Desk:
    made = Desk(registry)
    made.register()
    return made


@pytest.fixture
def extract() -> Extract:
    """Three records: two of one maker, one of nobody known."""
    return extract_of(
        records(
            {
                "url": "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg",
                "landing_url": "https://www.flickr.com/photos/12345678@N00/3072908271/",
                "creator_name": "Jane Doe",
                "license": "https://creativecommons.org/licenses/by/2.0/",
                "title": "Cat, 2009",
            },
            {
                "url": "https://live.staticflickr.com/65535/3072908272_abcdef0124_b.jpg",
                "landing_url": "https://www.flickr.com/photos/12345678@N00/3072908272/",
                "creator_name": "Jane Doe",
                "license": "https://creativecommons.org/licenses/by/2.0/",
                "title": "Dog",
            },
            {"url": "https://example.org/pictures/000001.jpg"},
        )
    )

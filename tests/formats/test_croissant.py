from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats import canonical, croissant, licences

KEYS = st.sampled_from(
    ["name", "license", "creator", "@value", "@id", "en", "sc:name", "conformsTo", "url", "description"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, VALUES))
def test_any_document_can_be_looked_at(document: dict[str, Any]) -> None:
    found = croissant.summary(document)
    assert found.title is None or found.title


def test_every_real_document_says_its_version_and_title(shared: Path) -> None:
    seen = {"1.0": 0, "1.1": 0}
    for path in sorted((shared / "manifests/croissant").glob("*/*/*.json")):
        document = canonical.loads(path.read_bytes(), max_bytes=1 << 24, floats=True)
        if "@context" not in document:
            continue
        found = croissant.summary(document)
        assert found.conforms_to == path.relative_to(shared / "manifests/croissant").parts[0]
        assert found.title or "name" not in document
        seen[found.conforms_to] += 1
    assert min(seen.values()) >= 10


def test_a_licence_page_in_croissant_is_a_licence() -> None:
    document = {
        "license": [
            "https://choosealicense.com/licenses/cc-by-3.0/",
            {"@type": "CreativeWork", "url": "https://creativecommons.org/licenses/by/4.0/"},
        ]
    }
    assert [licences.to_spdx(raw) for raw in croissant.summary(document).licenses] == [
        "CC-BY-3.0",
        "CC-BY-4.0",
    ]


@pytest.mark.parametrize(
    ("document", "title"),
    [
        ({"name": " Faces "}, "Faces"),
        ({"name": {"de": "Gesichter", "en": "Faces"}}, "Faces"),
        ({"name": {"fr": "Visages"}}, "Visages"),
        ({"sc:name": "Faces"}, "Faces"),
        ({"name": [{"@value": "Faces", "@language": "en"}]}, "Faces"),
        ({"name": ""}, None),
        ({}, None),
        ({"name": {"@type": "Thing"}}, None),
    ],
)
def test_a_title_in_any_spelling_is_read(document: dict[str, Any], title: str | None) -> None:
    assert croissant.summary(document).title == title


def test_the_document_made_for_who_has_none_is_croissant() -> None:
    made = croissant.minimal(title="Faces", description="Some.", license_="CC-BY-4.0", version="1")
    found = croissant.summary(made)
    assert (found.conforms_to, found.title, found.description, found.licenses) == (
        "1.1",
        "Faces",
        "Some.",
        ("CC-BY-4.0",),
    )

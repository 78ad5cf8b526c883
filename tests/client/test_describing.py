from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from byline.client import describe
from byline.client.api import Registry
from byline.client.describe import Measured, Said, Stamp, Standing
from byline.client.transport import Transport
from byline.errors import Conflict, Refused
from byline.formats import canonical, envelope, manifest, statements
from byline.formats.manifest import RecordFile
from byline.formats.statements import Subject
from tests.vectors import make_core

KEY = make_core.KEY
STAMP = Stamp(make_core.NOW, bytes(16))
STANDING = Standing("byline.example.org", previous="a" * 64, newest_version="1.0", newest_digest="b" * 64)
MEASURED = Measured([RecordFile("dif.csv", make_core.FILE, 3)], "csv", {"url": "URL"}, 3, make_core.EXTRACT)


def signed(said: Said, *, standing: Standing | None = STANDING) -> manifest.ManifestPredicate:
    """Described, signed and read back."""
    drafted = describe.read_draft(canonical.dumps(describe.draft(said, MEASURED)))
    sealed = describe.sign_draft(drafted, KEY, registry_says=standing, stamp=STAMP)
    opened = envelope.open_envelope(sealed)
    assert envelope.verify(opened, KEY.public)
    return manifest.read_manifest(statements.open_statement(opened))


def registry(answers: dict[str, Any]) -> Iterator[Registry]:
    """A registry that knows these addresses."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        return (
            httpx.Response(404, json={"code": "no-such-dataset"})
            if found is None
            else httpx.Response(200, json=found)
        )

    with Transport("http://registry.test", transport=httpx.MockTransport(answer)) as transport:
        yield Registry(transport)


def test_what_is_not_said_is_not_stated() -> None:
    found = signed(Said("ibm-research/dif", "1.0.0")).disclosure
    assert (found.purposes, found.access, found.contact, found.personal_data) == (
        ("not-stated",),
        "not-stated",
        None,
        None,
    )
    assert [one.category for one in found.annotations] == ["not-stated"]


def test_what_is_said_stands_in_the_manifest() -> None:
    said = Said(
        "ibm-research/dif",
        "1.0.0",
        role="observer",
        title="Faces",
        purposes=["face-recognition"],
        access="research-only",
        personal_data="yes",
        annotations=["biometric:craniofacial measures", "demographic:skin tone: Fitzpatrick:machine"],
        derived_from=["yahoo/yfcc100m@1", "a/b"],
    )
    found = signed(said)
    assert (found.role, found.croissant["name"], found.disclosure.personal_data) == (
        "observer",
        "Faces",
        True,
    )
    assert [(one.category, one.name, one.method) for one in found.disclosure.annotations] == [
        ("biometric", "craniofacial measures", "not-stated"),
        ("demographic", "skin tone: Fitzpatrick", "machine"),
    ]
    assert [(one.dataset, one.version) for one in found.derived_from] == [
        ("yahoo/yfcc100m", "1"),
        ("a/b", None),
    ]


def test_signing_names_what_the_registry_says_and_the_instant() -> None:
    found = signed(Said("ibm-research/dif", "1.0.0"))
    assert (found.origin, found.previous, found.made_at) == (
        STANDING.origin,
        STANDING.previous,
        make_core.NOW,
    )


def test_without_an_origin_nothing_is_signed() -> None:
    with pytest.raises(Refused) as caught:
        signed(Said("ibm-research/dif", "1.0.0"), standing=None)
    assert caught.value.code == "no-origin"


def test_a_given_croissant_is_carried_as_it_is() -> None:
    document = {"@type": "sc:Dataset", "name": "Faces", "weird": [1.5, {"deep": None}]}
    assert signed(Said("ibm-research/dif", "1.0.0", croissant=document)).croissant == document


@pytest.mark.parametrize("text", ["biometric", "face:nose", "biometric:", ":nose", ""])
def test_an_annotation_is_a_category_and_a_name(text: str) -> None:
    with pytest.raises(Refused) as caught:
        describe.draft(Said("ibm-research/dif", "1.0.0", annotations=[text]), MEASURED)
    assert caught.value.code == "bad-annotation"


def test_what_signing_would_refuse_is_refused_when_drafted() -> None:
    for said in (
        Said("dif", "1"),
        Said("IBM/dif", "1"),
        Said("ibm-research/dif", ""),
        Said("ibm-research/dif", "1", purposes=["x"]),
    ):
        with pytest.raises(Refused):
            describe.draft(said, MEASURED)


def test_a_signed_manifest_is_no_draft() -> None:
    with pytest.raises(Refused) as caught:
        describe.read_draft(envelope.sign(b"{}", KEY))
    assert caught.value.code == "already-signed"


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"predicate":1}'])
def test_another_file_is_no_draft(data: bytes) -> None:
    with pytest.raises(Refused) as caught:
        describe.read_draft(data)
    assert caught.value.code == "bad-draft"


def test_an_edited_draft_is_checked_whole_before_it_is_signed() -> None:
    drafted = describe.draft(Said("ibm-research/dif", "1.0.0"), MEASURED)
    drafted["predicate"]["disclosure"]["purposes"] = ["typo"]
    with pytest.raises(Refused) as caught:
        describe.sign_draft(drafted, KEY, registry_says=STANDING, stamp=STAMP)
    assert caught.value.at == "predicate.disclosure.purposes"


def test_a_dataset_the_registry_does_not_know_has_no_previous() -> None:
    for asked in registry({"/v1": {"origin": "o"}}):
        assert describe.standing(asked, "a/b") == Standing("o", None, None, None)


def test_the_head_of_a_dataset_is_what_previous_names() -> None:
    view = {
        "head": "c" * 64,
        "versions": [
            {"version": "2", "digest": "d" * 64, "state": "retracted"},
            {"version": "1", "digest": "b" * 64, "state": "published"},
        ],
    }
    for asked in registry({"/v1": {"origin": "o"}, "/v1/datasets/a/b": view}):
        assert describe.standing(asked, "a/b") == Standing("o", "c" * 64, "1", "b" * 64)


def test_only_the_newest_version_is_superseded() -> None:
    assert describe.superseded(STANDING, "1.0") == STANDING.newest_digest
    with pytest.raises(Conflict):
        describe.superseded(STANDING, "0.9")


def test_a_publisher_signs_for_itself() -> None:
    sealed = describe.publisher_statement(slug="a", name="A", key=KEY, origin="o", stamp=STAMP)
    claim = statements.read_publisher(statements.open_statement(envelope.open_envelope(sealed)))
    assert (claim.slug, claim.public_key) == ("a", KEY.public)


def test_a_retraction_names_the_manifest_and_what_came_before() -> None:
    sealed = describe.retraction_statement(
        Subject("a/b@1", "e" * 64), KEY, registry_says=STANDING, reason=None, stamp=STAMP
    )
    read = statements.read_retraction(statements.open_statement(envelope.open_envelope(sealed)))
    assert (read.manifest, read.previous, read.version) == ("e" * 64, STANDING.previous, "1")
    assert json.loads(sealed)

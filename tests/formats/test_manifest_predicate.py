from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats import manifest, records, statements
from byline.formats.statements import Subject
from tests.vectors import make_core

SUBJECT = [Subject("dif.csv", make_core.FILE)]


def read(predicate: dict[str, Any], subject: list[Subject] | None = None) -> manifest.ManifestPredicate:
    """Build, parse and read."""
    payload = statements.build(statements.MANIFEST, subject or SUBJECT, predicate)
    return manifest.read_manifest(statements.parse(payload))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good predicate with one member set (`...` takes it out)."""
    predicate = copy.deepcopy(make_core.manifest())
    *outer, last = path.split(".")
    inner: Any = predicate
    for name in outer:
        inner = inner[int(name)] if name.isdigit() else inner[name]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return predicate


@given(
    st.fixed_dictionaries(
        {
            "purposes": st.lists(st.sampled_from(manifest.PURPOSES[:-1]), min_size=1, unique=True),
            "access": st.sampled_from(manifest.ACCESS),
            "contact": st.sampled_from(["mailto:a@b.example", "not-stated"]),
            "annotations": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.text(
                            st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=200
                        ),
                        "category": st.sampled_from(manifest.ANNOTATION_CATEGORIES[:-1]),
                        "method": st.sampled_from(manifest.METHODS),
                    }
                ),
                max_size=3,
            ),
            "consent": st.fixed_dictionaries(
                {
                    "notified": st.sampled_from(manifest.YES_NO),
                    "consented": st.sampled_from(manifest.YES_NO),
                    "revocable": st.sampled_from(manifest.REVOCABLE),
                }
            ),
            "personal_data": st.sampled_from([True, False, "not-stated"]),
        }
    )
)
def test_every_disclosure_reads_as_it_was_said(said: dict[str, Any]) -> None:
    found = read(changed("disclosure", said)).disclosure
    assert list(found.purposes) == said["purposes"]
    assert [vars(one) for one in found.annotations] == said["annotations"]
    assert (found.access, found.consent) == (said["access"], said["consent"])
    assert found.contact == (None if said["contact"] == "not-stated" else said["contact"])
    assert found.personal_data is (None if said["personal_data"] == "not-stated" else said["personal_data"])


def test_the_fields_are_those_of_the_reader() -> None:
    assert manifest.FIELDS == records.FIELDS


def test_what_may_be_left_out_has_its_default() -> None:
    predicate = make_core.manifest()
    for name in ("bad_rows", "on_bad_rows", "options"):
        del predicate["records"][name]
    predicate["records"]["extract"]["rows"] = 3
    del predicate["visibility"], predicate["derived_from"]
    found = read(predicate)
    assert (found.records.options, found.records.on_bad_rows) == (manifest.Options(), "reject")
    assert (found.visibility, found.derived_from) == ("named", ())


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("role", "owner", "bad-member"),
        ("croissant", None, "bad-member"),
        ("visibility", "secret", "bad-member"),
        ("extra", 1, "unknown-member"),
        ("dataset.version", "1 0", "bad-member"),
        ("dataset.name", "../x", "bad-member"),
        ("dataset.name", "x\n", "bad-member"),
        ("dataset.supersedes", "1.0", "bad-member"),
        ("records.count", 4, "counts-disagree"),
        ("records.count", -1, "bad-member"),
        ("records.count", True, "bad-member"),
        ("records.extract.rows", 3, "counts-disagree"),
        ("records.on_bad_rows", "reject", "counts-disagree"),
        ("records.format", "xml", "bad-member"),
        ("records.columns", {}, "bad-member"),
        ("records.columns", {"colour": "c"}, "unknown-member"),
        ("records.columns.url", "", "bad-member"),
        ("records.files.0.name", "other.csv", "wrong-subject"),
        ("records.files.0.sha256", "0" * 64, "wrong-subject"),
        ("records.extract.sha256", "x", "bad-member"),
        ("records.options.delimiter", ";;", "bad-member"),
        ("records.options.delimiter", '"', "bad-member"),
        ("records.options.header", ["a", "a"], "bad-member"),
        ("records.options.quoting", "no", "bad-member"),
        ("records.options.colour", 1, "unknown-member"),
        ("disclosure.purposes", [], "bad-member"),
        ("disclosure.purposes", ["world-domination"], "bad-member"),
        ("disclosure.purposes", ["not-stated", "other"], "bad-member"),
        ("disclosure.purposes", [{}], "bad-member"),
        ("disclosure.access", "secret", "bad-member"),
        ("disclosure.contact", ..., "missing-member"),
        ("disclosure.consent.notified", True, "bad-member"),
        ("disclosure.personal_data", "maybe", "bad-member"),
        ("disclosure.annotations.0.category", "face", "bad-member"),
        ("derived_from.0.dataset", "nobody", "bad-member"),
        ("derived_from.0.digest", "0" * 64, "bad-member"),
    ],
)
def test_a_bad_member_is_refused_where_it_stands(path: str, value: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(changed(path, value))
    assert refused.value.code == code
    assert refused.value.at is not None


def test_every_file_is_a_subject_in_the_same_order() -> None:
    other = Subject("b.csv", "1" * 64)
    predicate = changed(
        "records.files",
        [
            {"name": "b.csv", "sha256": "1" * 64, "records": 1},
            {"name": "dif.csv", "sha256": make_core.FILE, "records": 2},
        ],
    )
    assert [one.name for one in read(predicate, [other, *SUBJECT]).records.files] == ["b.csv", "dif.csv"]
    with pytest.raises(Refused):
        read(predicate, [*SUBJECT, other])


def test_another_kind_of_statement_is_no_manifest() -> None:
    with pytest.raises(Refused) as refused:
        manifest.read_manifest(statements.parse(make_core.payloads()["key"]))
    assert refused.value.code == "wrong-predicate-type"


@pytest.mark.parametrize(
    "words",
    [manifest.PURPOSES, manifest.ACCESS, manifest.ANNOTATION_CATEGORIES, manifest.FIELDS, manifest.METHODS],
)
def test_the_docs_list_the_words_of_the_closed_lists(root: Path, words: tuple[str, ...]) -> None:
    assert ", ".join(f"`{word}`" for word in words) in (root / "docs/formats/manifest.md").read_text()

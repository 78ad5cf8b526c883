"""The golden file is what the code writes, and the code reads what the golden file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byline.errors import Refused
from byline.formats import canonical, entries, envelope, licences, manifest, note, statements
from byline.formats.keys import PublicKey
from tests.vectors import make_core


@pytest.fixture(scope="module")
def vectors(root: Path) -> Any:
    return json.loads((root / "tests/vectors/core.json").read_text(encoding="utf-8"))


def test_the_golden_file_is_what_its_script_writes(root: Path) -> None:
    assert (root / "tests/vectors/core.json").read_text(encoding="utf-8") == make_core.written()


def test_every_statement_verifies_and_has_its_digest(vectors: Any) -> None:
    key = PublicKey.parse(vectors["key"]["public"])
    for told in vectors["statements"].values():
        opened = envelope.open_envelope(told["envelope"].encode())
        assert envelope.verify(opened, key) == told["payload"].encode()
        assert statements.open_statement(opened).digest == told["digest"]


def test_every_leaf_reads_back_and_has_its_hash(vectors: Any) -> None:
    leaves = {one["leaf"]: one["leaf_hash"] for one in vectors["statements"].values()} | vectors["leaves"]
    for leaf, digest in leaves.items():
        assert canonical.dumps(entries.parse_entry(leaf.encode())) == leaf.encode()
        assert entries.leaf_hash(leaf.encode()).hex() == digest


def test_the_manifest_reads_whole(vectors: Any) -> None:
    read = manifest.read_manifest(statements.parse(vectors["statements"]["manifest"]["payload"].encode()))
    assert read.dataset.label == "ibm-research/diversity-in-faces@1.0.0"
    assert read.records.options.delimiter == ";"
    assert read.disclosure.personal_data is True


def test_the_note_verifies_under_its_key(vectors: Any) -> None:
    signed = vectors["note"]["signed"].encode()
    assert note.verify(signed, vectors["note"]["vkey"]).endswith("=\n")


def test_every_licence_maps_as_written(vectors: Any) -> None:
    assert {raw: licences.to_spdx(raw) for raw in vectors["licences"]} == vectors["licences"]


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in make_core.BAD_JSON.items() for text in texts]
)
def test_bad_json_is_refused_with_its_code(code: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        canonical.loads(text.encode())
    assert refused.value.code == code

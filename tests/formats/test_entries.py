from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused
from byline.formats import canonical, entries

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
GOOD = {
    "at": "2026-01-01T00:00:00Z",
    "digest": "0" * 64,
    "envelope_sha256": "1" * 64,
    "key_id": "2" * 64,
    "kind": "manifest",
    "subject": "dataset:a/b",
    "v": 1,
}


@given(
    st.sampled_from(sorted(entries.STATEMENT_KINDS)),
    HEX,
    st.sampled_from(["dataset:a/b.c", "publisher:a", "keys:a-b"]),
)
def test_a_statements_leaf_reads_back(kind: str, digest: str, subject: str) -> None:
    leaf = entries.statement_entry(
        kind, digest=digest, envelope_sha256=digest, key_id=digest, subject=subject, at=NOW
    )
    read = entries.parse_entry(leaf)
    assert (read["kind"], read["digest"], read["subject"], read["v"]) == (kind, digest, subject, 1)


@given(st.sampled_from(sorted(entries.COMMITMENT_KINDS)), HEX)
def test_a_persons_leaf_holds_the_commitment_and_nothing_else(kind: str, commitment: str) -> None:
    leaf = entries.commitment_entry(kind, commitment=commitment, at=NOW)
    assert entries.parse_entry(leaf) == {
        "at": "2026-01-01T00:00:00Z",
        "commitment": commitment,
        "kind": kind,
        "v": 1,
    }


@given(st.integers(0, 2**53 - 1), HEX)
def test_a_heads_leaf_reads_back(seq: int, digest: str) -> None:
    assert entries.parse_entry(entries.feed_entry(seq, digest, NOW))["seq"] == seq


@given(st.binary(max_size=60))
def test_any_bytes_are_a_leaf_or_refused(data: bytes) -> None:
    with pytest.raises(BylineError):
        entries.parse_entry(data)


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "party"},
        {"kind": 1},
        {"digest": "0"},
        {"digest": None},
        {"key_id": "G" * 64},
        {"subject": "photo:1"},
        {"subject": "dataset:a b"},
        {"subject": "dataset:a\n"},
        {"v": 2},
        {"v": ...},
        {"at": "now"},
        {"who": "Jane Doe"},
        {"subject": ...},
        {"kind": "feed"},
        {"kind": "opt-out"},
    ],
)
def test_what_no_writer_makes_is_no_leaf(changed: dict[str, Any]) -> None:
    whole = {name: value for name, value in {**GOOD, **changed}.items() if value is not ...}
    with pytest.raises(Refused):
        entries.parse_entry(canonical.dumps(whole))


def test_a_leaf_in_another_order_is_no_leaf() -> None:
    assert entries.parse_entry(canonical.dumps(GOOD))
    with pytest.raises(Refused):
        entries.parse_entry(json.dumps(GOOD).encode())


@pytest.mark.parametrize("seq", [-1, True, "7", None])
def test_a_heads_number_counts_from_zero(seq: Any) -> None:
    with pytest.raises(Refused):
        entries.feed_entry(seq, "0" * 64, NOW)


def test_the_hash_of_a_leaf_is_rfc_6962s() -> None:
    assert entries.leaf_hash(b"") == hashlib.sha256(b"\x00").digest()

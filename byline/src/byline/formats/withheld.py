"""Withheld rows: in place of names, links and ids their digests under a key (docs/formats/withheld.md).

HMAC-SHA-256 (RFC 2104) of the selector as `fingerprint` hashes it, `b1|kind|value`, in hex. Who has the key can test
whether something known is among them; nobody can read them back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from byline.formats.batch import batch_selectors
from byline.formats.hosts import host_chain
from byline.formats.platforms.columns import each_distinct
from byline.formats.url_columns import hosts_of_column
from byline.formats.urls import host_of

FIELDS = ("makers", "photos", "places", "license", "sha256")
"""The columns of a withheld extract beside `file` and `row`. Several digests of one row stand in one text, a space between."""
DIGESTS = ("makers", "photos", "places", "sha256")
KEY_BYTES = 32
SCHEME = "withheld"
SPELT = r"^[0-9a-f]{64}(?: [0-9a-f]{64})*$"
_KEY = re.compile(r"[0-9a-f]{64}")


def read_key(text: str) -> bytes:
    """A key from its 64 hex digits; Refused("bad-withheld-key")."""
    tidy = text.strip()
    if not _KEY.fullmatch(tidy):
        raise Refused("bad-withheld-key", "a key of withheld rows has 64 hex digits", at="key")
    return bytes.fromhex(tidy)


def commitment(key: bytes) -> str:
    """SHA-256 of the key in hex: what a manifest names it by."""
    return hashlib.sha256(key).hexdigest()


def blinded(key: bytes, kind: str, values: Iterable[str]) -> list[str]:
    """The digests of selectors of one kind: contributor, photo, photo2, url, host or sha256."""
    before = f"b1|{kind}|"
    return [hmac.digest(key, (before + value).encode(), "sha256").hex() for value in values]


def blinded_makers(key: bytes, contributor_keys: Iterable[str]) -> list[str]:
    """What these contributors are known by where rows are withheld: `withheld:` and the digest."""
    return [f"{SCHEME}:{digest}" for digest in blinded(key, "contributor", contributor_keys)]


def withheld_rows(rows: pa.RecordBatch, *, key: bytes, dataset: str) -> pa.RecordBatch:
    """`file`, `row` and FIELDS of extract rows: digests of what identifies, and the licence as it stands.

    The places of a row that shows no photo are its URL, then the hosts that URL and landing page lie at.
    """
    found = batch_selectors(rows, dataset=dataset).combine_chunks()
    makers, photos = (_whole(found[name]) for name in ("makers", "photos"))
    nothing = pa.nulls(rows.num_rows, pa.string())
    shown = _photos(photos, key)
    columns = [
        rows["file"],
        rows["row"],
        _joined(makers, lambda values: _each(values, _blinding(key, "contributor"))),
        shown,
        pc.if_else(shown.is_valid(), pa.scalar(None, pa.string()), _places(found, key)),
        rows["license"] if "license" in rows.schema.names else nothing,
        _each(_whole(found["sha256"]), _blinding(key, "sha256")),
    ]
    return pa.RecordBatch.from_arrays(columns, names=["file", "row", *FIELDS])


def _photos(photos: pa.ListArray, key: bytes) -> pa.StringArray:
    """Of one photo as `photo`, of several as `photo2`: those bridge nothing (docs/formats/matching.md)."""
    count = np.asarray(photos.value_lengths())
    alone = pa.array(np.repeat(count == 1, count))

    def digests(values: pa.StringArray) -> pa.StringArray:
        one, several = (_each(values, _blinding(key, kind)) for kind in ("photo", "photo2"))
        return pc.if_else(alone, one, several) if count.max(initial=0) > 1 else one

    return _joined(photos, digests)


def _places(found: pa.Table, key: bytes) -> pa.StringArray:
    """The URL (or the landing page where there is none) and every host that an opt-out may cover it by."""
    url, landing = (_whole(found[name]) for name in ("url", "landing"))
    hosts, others = (_hosts(column, key) for column in (url, landing))
    others = pc.if_else(pc.fill_null(pc.equal(hosts, others), False), pa.scalar(None, pa.string()), others)
    shown = _each(pc.coalesce(url, landing), _blinding(key, "url"))
    return pc.binary_join_element_wise(shown, _further(hosts), _further(others), "")


def _further(digests: pa.StringArray) -> pa.StringArray:
    return pc.fill_null(pc.binary_join_element_wise(" ", digests, ""), "")


def _hosts(urls: pa.StringArray, key: bytes) -> pa.StringArray:
    shown = hosts_of_column(urls)
    digests = [
        " ".join(blinded(key, "host", host_chain(host_of(name)))) or None if name else None
        for name in shown.names
    ]
    return pa.array(digests, pa.string()).take(pa.array(shown.codes))


def _joined(lists: pa.ListArray, digests: Callable[[pa.StringArray], pa.StringArray]) -> pa.StringArray:
    made = pa.ListArray.from_arrays(_from_zero(lists), digests(lists.flatten()))
    return pc.if_else(
        pc.greater(made.value_lengths(), 0), pc.binary_join(made, " "), pa.scalar(None, pa.string())
    )


def _from_zero(lists: pa.ListArray) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(np.asarray(lists.value_lengths()))]), pa.int32())


def _each(column: pa.StringArray, digest: Callable[[str], str]) -> pa.StringArray:
    return each_distinct(column, digest)


def _blinding(key: bytes, kind: str) -> Callable[[str], str]:
    return lambda value: blinded(key, kind, [value])[0]


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def wrongly_spelt(column: pa.StringArray) -> Sequence[int]:
    """Where a text stands that is no digests: nobody's name gets in that way."""
    right = pc.fill_null(pc.match_substring_regex(column, SPELT), True)
    return list(np.flatnonzero(~np.asarray(right)).tolist())

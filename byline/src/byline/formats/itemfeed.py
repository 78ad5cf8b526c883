"""Opted-out items by their dataset's own ids: for who works with ids and has not the registered files.

`k` is the fingerprint of `item|S|id`, and S is SHA-256 of the dataset's ids: only who holds the whole list can test one
(docs/formats/itemfeed.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from byline.formats import keyfeed
from byline.formats.keyset import Keys, KeySet
from byline.formats.selectors import fingerprints

_CHECK = 16


class ListDigest:
    """S of ids that come sorted by their UTF-8 bytes; one that comes again, one after another, counts once."""

    def __init__(self) -> None:
        """No id yet."""
        self._hash = hashlib.sha256()
        self._last: str | None = None

    def update(self, ids: pa.Array) -> None:
        """The next ids, none of them null."""
        if self._last is not None:
            ids = pa.concat_arrays([pa.array([self._last], ids.type), ids])
        fresh = _without_repeats(ids)
        if self._last is not None:
            fresh = fresh.slice(1)
        if not len(fresh):
            return
        if self._last is not None:
            self._hash.update(b"\n")
        self._hash.update(_lines(fresh)[:-1])
        self._last = fresh[-1].as_py()

    def hexdigest(self) -> str | None:
        """64 hex digits; None where there was no id."""
        return None if self._last is None else self._hash.hexdigest()


def list_sha256(ids: pa.Array | pa.ChunkedArray) -> str | None:
    """S of a dataset's ids in any order: distinct, sorted by their UTF-8 bytes, joined by LF. Null is no id."""
    found = pc.unique(_texts(ids).drop_null())
    digest = ListDigest()
    digest.update(found.take(pc.sort_indices(found.cast(pa.large_binary()))))
    return digest.hexdigest()


def check_of(list_sha256: str) -> str:
    """What the index says of S, so that a client can tell another list from this one: 16 hex digits."""
    return hashlib.sha256(f"b1|items|{list_sha256}".encode()).hexdigest()[:_CHECK]


def item_keys(list_sha256: str, ids: pa.Array | pa.ChunkedArray) -> Keys:
    """The fingerprint of each id, -1 for null."""
    return fingerprints(f"item|{list_sha256}", _texts(ids))


def write_ndjson(keys: KeySet) -> bytes:
    """A line `{"k": …, "c": …}` a key, ascending: the same as the Parquet file (`keyfeed.write`), for whoever has none."""
    keyfeed.check(keys.k, keys.c)
    return b"".join(
        b'{"k":%d,"c":%d}\n' % pair for pair in zip(keys.k.tolist(), keys.c.tolist(), strict=True)
    )


def read_ndjson(lines: Iterable[bytes]) -> KeySet:
    """The keys of such a file; Refused("bad-key-feed")."""
    try:
        pairs = [(one["k"], one["c"]) for one in map(json.loads, lines)]
        k, c = np.array([one for one, _ in pairs], np.int64), np.array([one for _, one in pairs], np.uint8)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise Refused("bad-key-feed", 'this is no items.ndjson: a line is not {"k": …, "c": …}') from error
    keyfeed.check(k, c)
    return KeySet(k, c)


def _texts(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Ids as text, as extracts hold them: a number as its decimal digits."""
    flat = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    return flat.cast(pa.large_string())


def _lines(ids: pa.Array) -> memoryview:
    """The ids one after another, LF after each: the very bytes an Arrow array of them holds."""
    ended = pc.binary_join_element_wise(
        ids, pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string())
    )
    _, offsets, data = ended.buffers()
    at = np.frombuffer(offsets, np.int64)
    return memoryview(data)[int(at[ended.offset]) : int(at[ended.offset + len(ended)])]


def _without_repeats(ids: pa.Array) -> pa.Array:
    """Each run of equal ids once."""
    if len(ids) < 2:
        return ids
    changes = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return ids.filter(pa.array(np.concatenate([[True], changes])))

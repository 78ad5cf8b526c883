"""S of the items feed: SHA-256 of a dataset's own ids, sorted; in bounded memory however many there are."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from byline.formats.itemfeed import ListDigest

STRETCH = 4_000_000  # ids sorted at once
MARK = 4_096

_MARKS = f"SELECT item_id FROM entries WHERE position % {MARK} = 0 AND item_id IS NOT NULL ORDER BY item_id"  # noqa: S608 - a number of ours
_BETWEEN = """
    SELECT item_id FROM entries
    WHERE item_id IS NOT NULL AND ($low IS NULL OR item_id >= $low) AND ($high IS NULL OR item_id < $high)
    ORDER BY item_id
"""


def items_sha256(connection: duckdb.DuckDBPyConnection, *, stretch: int = STRETCH) -> str | None:
    """Of the record index that is open as `entries`; None where its rows carry no id.

    A stretch of ids at a time, cut at every so many-th of a sample: each is read and sorted alone.
    """
    sample = [one for (one,) in connection.execute(_MARKS).fetchall()]
    cuts = sorted(set(sample[:: max(stretch // MARK, 1)][1:]))
    digest = ListDigest()
    for low, high in zip([None, *cuts], [*cuts, None], strict=True):
        found = connection.sql(_BETWEEN, params={"low": low, "high": high})
        for batch in found.to_arrow_reader(100_000):
            digest.update(batch["item_id"].cast(pa.large_string()))
    return digest.hexdigest()

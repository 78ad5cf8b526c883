"""Selectors of many records at once, equal to `record_selectors` row by row."""

from __future__ import annotations

import pyarrow as pa

from byline.formats.makers import record_selectors
from byline.formats.urls import canonical_url

SCHEMA = pa.schema(
    [
        ("makers", pa.list_(pa.string())),
        ("photos", pa.list_(pa.string())),
        ("url", pa.string()),
        ("landing", pa.string()),
        ("sha256", pa.string()),
    ]
)


def batch_selectors(batch: pa.RecordBatch | pa.Table, *, dataset: str) -> pa.Table:
    """One row per record, in order: makers and photos (lists, empty where none), b1 of url and landing_url, sha256."""
    rows = [(row, record_selectors(row, dataset=dataset)) for row in batch.to_pylist()]
    return pa.Table.from_pylist(
        [
            {
                "makers": list(found.makers),
                "photos": list(found.photos),
                "url": canonical_url(row.get("url")),
                "landing": canonical_url(row.get("landing_url")),
                "sha256": found.sha256,
            }
            for row, found in rows
        ],
        schema=SCHEMA,
    )

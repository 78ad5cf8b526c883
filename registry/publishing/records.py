"""What the fenced process made, brought to where it is kept: the extract, the record index, the item keys.

Every step may be repeated: objects are written whole under the manifest's digest, keys that are there stay. Nobody
reads any of it before the manifest is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import Engine

from registry.storage import ObjectStore, item_index
from registry.storage.item_index import Int64s
from registry.storage.record_index import index_key

KEYS = 200_000


def extract_key(digest: str, part: int) -> str:
    """Where a part of an extract lies. Never served."""
    return f"extracts/{digest}/{part:04d}.parquet"


def keep_extract(store: ObjectStore, digest: str, parts: list[Path]) -> None:
    """Keep the extract as it was sent: what `rebuild` makes everything from again."""
    for number, part in enumerate(parts):
        store.put_file(extract_key(digest, number), part)


def keep_index(store: ObjectStore, digest: str, index: Path) -> str:
    """Keep the record index; its SHA-256."""
    with index.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    store.put_file(index_key(digest), index)
    return found


def load_item_keys(items: Engine, *, manifest_id: int, keys: Path, loaded: Callable[[int], None]) -> int:
    """Bring the sorted keys into the items database."""
    return item_index.load(items, manifest_id, _batches(keys), loaded=loaded)


def drop_objects(store: ObjectStore, digest: str) -> None:
    """Delete extract and record index."""
    for key in [*store.list(f"extracts/{digest}/"), index_key(digest)]:
        store.delete(key)


def drop_extract(store: ObjectStore, digest: str) -> None:
    """Delete the extract alone."""
    for key in list(store.list(f"extracts/{digest}/")):
        store.delete(key)


def _batches(keys: Path) -> Iterator[tuple[Int64s, Int64s]]:
    with pq.ParquetFile(keys) as file:
        for batch in file.iter_batches(batch_size=KEYS, columns=["k", "position"]):
            yield batch["k"].to_numpy(), batch["position"].to_numpy()

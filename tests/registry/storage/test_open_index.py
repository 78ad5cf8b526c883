"""Footers are parsed once, and never those of other bytes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.storage import open_index as opening
from registry.storage.memory import MemoryStore
from registry.storage.record_index import index_key, read_entries, write_entries


def entries(makers: int, rows: int) -> pa.Table:
    """Rows of makers 0.., each `rows` in one run."""
    of = [maker for maker in range(makers) for _ in range(rows)]
    return pa.table(
        {
            "contributor": [f"flickr:{maker}@N00" for maker in of],
            "file": pa.array([0] * len(of), pa.int32()),
            "row": pa.array(range(len(of)), pa.int64()),
            "url": [f"https://photos.example/{maker}/{at}.jpg" for at, maker in enumerate(of)],
        }
    )


def test_a_second_look_parses_no_footer(monkeypatch: pytest.MonkeyPatch) -> None:
    store, parsed, usual = MemoryStore(), list[bool](), pq.ParquetFile
    write_entries(store, "a", entries(30, 300))

    def counted(source: object, **options: object) -> object:
        parsed.append(options["metadata"] is None)
        return usual(source, **options)

    monkeypatch.setattr(pq, "ParquetFile", counted)
    first = read_entries(store, "a", [(8_100, 200)], ("row",))
    second = read_entries(store, "a", [(300, 2)], ("row",))
    assert first["row"].to_pylist() == list(range(8_100, 8_300))
    assert second["row"].to_pylist() == [300, 301]
    assert parsed == [True, False]


def test_an_index_that_was_written_anew_is_read_anew() -> None:
    store = MemoryStore()
    for makers, rows in ((40, 250), (3, 5), (40, 251)):
        write_entries(store, "b", entries(makers, rows))
        last = makers * rows - 1
        assert read_entries(store, "b", [(last, 1)], ("row",))["row"].to_pylist() == [last]


def test_footers_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    store, kept = MemoryStore(), opening._Kept()
    monkeypatch.setattr(opening, "_KEPT", kept)
    write_entries(store, "c", entries(3, 5))
    size = pq.read_metadata(pa.BufferReader(store.get(index_key("c")))).serialized_size
    monkeypatch.setattr(opening, "MOST_BYTES", 3 * size)
    for name in "cdefghc":
        write_entries(store, name, entries(3, 5))
        assert read_entries(store, name, [(14, 1)], ("row",))["row"].to_pylist() == [14]
    assert len(kept._footers) == 3
    assert kept._bytes == 3 * size

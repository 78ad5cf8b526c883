"""Item keys: loaded in small chunks, found, forgotten; the same on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from registry.database import make_items_engine
from registry.models import items_metadata
from registry.storage import item_index

Rows = list[tuple[int, int, int]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def items(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres_url") if on_postgres else f"sqlite:///{tmp_path / 'items.sqlite'}"
    engine = make_items_engine(url)
    with engine.connect() as connection, connection.begin():
        items_metadata.create_all(connection)
    yield engine
    engine.dispose()


def load(items: Engine, manifest: int, pairs: list[tuple[int, int]]) -> int:
    ks = np.array([k for k, _ in pairs], dtype=np.int64)
    positions = np.array([position for _, position in pairs], dtype=np.int64)
    return item_index.load(items, manifest, [(ks, positions)])


def found(items: Engine, ks: list[int], manifest: int | None = None) -> Rows:
    table = item_index.find(items, np.array(ks, dtype=np.int64), manifest_id=manifest)
    return [(row["k"], row["manifest_id"], row["position"]) for row in table.to_pylist()]


def test_every_row_that_shows_an_item_is_found(items: Engine) -> None:
    load(items, 1, [(5, 0), (5, 2), (7, 1)])
    load(items, 2, [(5, 9)])
    assert found(items, [5, 6]) == [(5, 1, 0), (5, 1, 2), (5, 2, 9)]


def test_a_look_up_may_name_one_manifest(items: Engine) -> None:
    load(items, 1, [(5, 0)])
    load(items, 2, [(5, 9)])
    assert found(items, [5], 2) == [(5, 2, 9)]


def test_loading_again_changes_nothing(items: Engine) -> None:
    load(items, 1, [(5, 0), (7, 1)])
    load(items, 1, [(5, 0), (7, 1)])
    assert found(items, [5, 7]) == [(5, 1, 0), (7, 1, 1)]


def test_more_keys_than_fit_a_chunk_are_all_there(items: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_index, "LOADED", 700)
    monkeypatch.setattr(item_index, "_ASKED", 300)
    pairs = [(k * 11, k) for k in range(2000)]
    assert load(items, 1, pairs) == 2000
    assert found(items, [k for k, _ in pairs]) == [(k, 1, position) for k, position in pairs]


def test_the_largest_fingerprint_fits(items: Engine) -> None:
    load(items, 1, [(2**60 - 1, 0)])
    assert found(items, [2**60 - 1]) == [(2**60 - 1, 1, 0)]


def test_forgetting_one_manifest_leaves_the_others(items: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_index, "CHUNK", 50)
    load(items, 1, [(k, k) for k in range(300)])
    load(items, 2, [(k, k) for k in range(0, 300, 3)])
    assert item_index.forget(items, 1) == 300
    assert len(found(items, list(range(300)))) == 100


def test_nothing_asked_is_nothing_found(items: Engine) -> None:
    assert found(items, []) == []


def test_the_count_so_far_is_told(items: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_index, "LOADED", 2)
    told: list[int] = []
    ks = np.arange(5, dtype=np.int64)
    item_index.load(items, 1, [(ks, ks)], loaded=told.append)
    assert told == [2, 4, 5]

"""Item keys: which rows of which manifests show an item.

A narrow table in a database of its own (design section 3).

On SQLite a file of its own, WITHOUT ROWID, loaded in key order in chunks of at most 100,000 so that a writer
in the application's database never waits for an ingest; on PostgreSQL a table beside the others.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, MetaData, Table

items_metadata = MetaData()

item_key = Table(
    "item_key",
    items_metadata,
    Column("k", BigInteger, primary_key=True, autoincrement=False),
    Column("manifest_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

"""A record index that takes the place of the only copy: laid beside it, its digest committed, then put there.

Killed before the commit the old one stands; after it `settle` puts the new one there, which every rebuild begins with.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import select

from registry.database import Sessions
from registry.models import Manifest
from registry.moving.objects import sha256_of
from registry.storage import ObjectStore, open_object
from registry.storage.record_index import index_key

STAGED = "staged/"


def stage(store: ObjectStore, digest: str, index: Path) -> str:
    """Lay it down; its SHA-256, to be committed as the manifest's."""
    with index.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        store.put(f"{STAGED}{digest}.parquet", file)
    return sha256


def settle(sessions: Sessions, store: ObjectStore) -> None:
    """Each that was committed takes its place; the others are forgotten."""
    for key in list(store.list(STAGED)):
        digest = key.removeprefix(STAGED).removesuffix(".parquet")
        with sessions() as session:
            wanted = session.scalar(select(Manifest.index_sha256).where(Manifest.digest == digest))
        if wanted == sha256_of(store, key):
            with open_object(store, key) as staged:
                store.put(index_key(digest), staged)
        store.delete(key)

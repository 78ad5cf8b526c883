"""The store a setting names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from byline.errors import Refused
from registry.storage.filesystem import FolderStore
from registry.storage.memory import MemoryStore
from registry.storage.s3 import S3Store
from registry.storage.store import ObjectStore


def open_store(url: str) -> ObjectStore:
    """Open `file:///FOLDER`, `s3://BUCKET[/PREFIX]?endpoint_url=URL&region=NAME`, or `memory:` (one process).

    Refused("bad-object-store", "store-ignores-conditions"); Unavailable("store-unreachable").
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path and parts.netloc in {"", "localhost"}:
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        options = dict(parse_qsl(parts.query))
        if options.keys() <= {"endpoint_url", "region"}:
            store = S3Store(
                parts.netloc,
                prefix=parts.path.strip("/"),
                endpoint_url=options.get("endpoint_url"),
                region=options.get("region"),
            )
            store.probe()
            return store
    if url == "memory:":
        return MemoryStore()
    raise Refused(
        "bad-object-store",
        "give file:///FOLDER or s3://BUCKET[/PREFIX]?endpoint_url=URL&region=NAME",
        at="BYLINE_OBJECT_STORE",
    )

"""The object store, and what is kept in it: bytes by key, written once, served for ever."""

from __future__ import annotations

from registry.storage.reader import open_object
from registry.storage.store import Body, ObjectStore

__all__ = ["Body", "ObjectStore", "open_object"]

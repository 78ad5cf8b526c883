"""How much disk is left where this machine writes, and what is still taken when little is.

Big things stop first (extracts, at the reserve), small ones last (wishes, at an eighth of it): an opt-out is a few
kilobytes, and whoever made one must not lose it to somebody's upload. Reads go on in any case.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import make_url

from byline.errors import Unavailable
from registry.config import Settings

LAST = 8  # the part of the reserve that is kept for what was taken already: numbering, the log, the feed


def left(settings: Settings) -> int:
    """Bytes free on the fullest of the disks this registry writes to."""
    return min(shutil.disk_usage(place).free for place in places(settings))


def places(settings: Settings) -> set[Path]:
    """The data folder, and the folders of the store and of SQLite where they lie elsewhere."""
    found = {settings.data_dir}
    if settings.object_store.startswith("file://"):
        found.add(Path(settings.object_store.removeprefix("file://")))
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        found.add(Path(url.database).parent)
    return {place for place in found if place.exists()}


def has_room(settings: Settings, *, coming: int = 0) -> bool:
    """Whether so many bytes more leave the reserve alone."""
    return left(settings) - coming >= settings.disk_reserve


def check_room(settings: Settings, *, coming: int = 0) -> None:
    """Unavailable("disk-full") for what is big: extracts, and manifests that announce one."""
    if not has_room(settings, coming=coming):
        raise _full(3600)


def check_small(settings: Settings) -> None:
    """Unavailable("disk-full") for any other write, when nearly all of the reserve is gone as well."""
    if left(settings) < settings.disk_reserve // LAST:
        raise _full(600)


def _full(retry_after: int) -> Unavailable:
    return Unavailable(
        "disk-full",
        "the registry is short of space; nothing was kept, try again later",
        retry_after=retry_after,
    )

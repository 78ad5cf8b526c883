"""Byline for outsiders: publish manifests, search, opt out, pull the feed, filter.

`byline.Feed.open(state).mask(urls)` is loaded when it is first asked for, so that `import byline` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pyarrow and numpy are only imported by who uses the feed
    from byline.client.feed import Feed
    from byline.client.item_ids import item_ids

__all__ = ["Feed", "item_ids"]


def __getattr__(name: str) -> Any:
    if name == "Feed":
        from byline.client.feed import Feed

        return Feed
    if name == "item_ids":
        from byline.client.item_ids import item_ids

        return item_ids
    raise AttributeError(f"module 'byline' has no attribute {name!r}")

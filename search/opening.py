"""From a setting to an engine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from byline.errors import Refused
from search import SearchEngine
from search.whoosh_engine import WhooshEngine


def open_engine(url: str) -> SearchEngine:
    """Open `whoosh:///folder`. Refused("unknown-search-engine") for any other scheme."""
    parts = urlsplit(url)
    if parts.scheme != "whoosh" or not parts.path:
        raise Refused("unknown-search-engine", "BYLINE_SEARCH is whoosh:///a/folder", at="BYLINE_SEARCH")
    return WhooshEngine(Path(unquote(parts.path)))

"""What stands where a name should: markup around one, or a word that says there is none."""

from __future__ import annotations

import html
import re

# The elements wikis write credits with; any other `<…>` is part of the name.
_ELEMENTS = "a|abbr|b|bdi|bdo|big|br|cite|dd|div|dl|dt|em|font|i|li|p|small|span|strong|sub|sup|table|tbody|td|th|tr|tt|u|ul"
_TAG = re.compile(rf"</?(?:{_ELEMENTS})(?:[\s/][^<>]{{0,2000}})?>", re.IGNORECASE)
_HREF = re.compile(r"<a\s[^<>]{0,1000}?\bhref\s*=\s*[\"']?([^\"'\s<>]{1,2000})", re.IGNORECASE)
_ONLY_MARKS = re.compile(r"[-.?*_ ]*")
_SPACES = re.compile(r"\s+")

# What programs write for a missing value, exactly so: `Nan` and `Na` are names of people.
_MISSING = frozenset(
    {
        "null",
        "NULL",
        "nan",
        "NaN",
        "NAN",
        "NA",
        "none",
        "None",
        "NONE",
        "nil",
        "undefined",
        "\\N",
        "n/a",
        "N/A",
    }
)
_NOBODY = frozenset(
    {
        "anonymous", "anon", "anon.", "unknown", "unknown author", "unknown artist", "unknown photographer",
        "unknown creator", "unknown maker", "unknown artist/maker", "unidentified", "unidentified artist",
        "author unknown", "artist unknown", "photographer unknown", "no author", "no creator",
        "not provided", "not available", "not specified", "unspecified", "no name", "see page for author",
        "unknown authorunknown author", "[deleted]", "[removed]", "unbekannt", "inconnu", "desconocido", "sconosciuto",
        "неизвестен", "неизвестный автор", "佚名", "作者不明", "不明",
    }
)  # fmt: skip


def plain_name(text: str) -> str:
    """The text without markup, as Wikimedia Commons gives its artists (`<a href="…">Jane</a>`); else as it is."""
    if "<" not in text or not _TAG.search(text):
        return text
    return (
        _SPACES.sub(" ", html.unescape(_TAG.sub(" ", text))).strip() or text
    )  # `<bob>` is what he calls himself


def first_link(text: str) -> str | None:
    """Where the first link in a name's markup leads."""
    found = _HREF.search(text) if "<" in text else None
    return html.unescape(found[1]) if found else None


def is_nobody(text: str) -> bool:
    """Whether a name or an id says that there is none: those who share it are not one person."""
    return (
        text in _MISSING
        or not _NOBODY.isdisjoint({text.casefold(), text.casefold().strip("[]()")})
        or bool(_ONLY_MARKS.fullmatch(text))
    )

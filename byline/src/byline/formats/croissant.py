"""Helpful reading of Croissant (ML Commons, 1.0 and 1.1): what a page shows of it.

The document itself is kept as is.
Source: http://mlcommons.org/croissant/1.1. Real files spell things many ways: a language map as name, a
list as
license, `dct:conformsTo`, a page about a licence instead of its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PREFIXES = ("", "sc:", "schema:", "https://schema.org/", "http://schema.org/")
_CONFORMS = ("conformsTo", "dct:conformsTo", "http://purl.org/dc/terms/conformsTo")
_VERSIONS = {
    f"{scheme}://mlcommons.org/croissant/{version}": version
    for scheme in ("http", "https")
    for version in ("1.0", "1.1")
}
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
}


@dataclass(frozen=True)
class CroissantSummary:
    """What could be read; each is None or empty where the document does not say."""

    conforms_to: str | None
    title: str | None
    description: str | None
    licenses: tuple[str, ...]
    creators: tuple[str, ...]
    url: str | None
    version: str | None


def conforms_to(document: Mapping[str, Any]) -> str | None:
    """`1.0` or `1.1` (the newest it names), None where it names neither."""
    named = [text.rstrip("/") for name in _CONFORMS for text in _texts(document.get(name))]
    return max((_VERSIONS[text] for text in named if text in _VERSIONS), default=None)


def summary(document: Mapping[str, Any]) -> CroissantSummary:
    """Title, description, licences as given, creators, page and version."""
    return CroissantSummary(
        conforms_to=conforms_to(document),
        title=_first(document, "name", 500),
        description=_first(document, "description", 10_000),
        licenses=tuple(_said(document, "license"))[:20],
        creators=tuple(_said(document, "creator"))[:100],
        url=_first(document, "url", 2000),
        version=_first(document, "version", 64),
    )


def minimal(*, title: str, description: str | None, license_: str | None, version: str) -> dict[str, Any]:
    """A Croissant 1.1 document for who has none: the dataset's card and nothing about its files."""
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": title,
        "version": version,
    }
    if description:
        document["description"] = description
    if license_:
        document["license"] = license_
    return document


def _first(document: Mapping[str, Any], name: str, longest: int) -> str | None:
    return next((text[:longest] for text in _said(document, name)), None)


def _said(document: Mapping[str, Any], name: str) -> Iterator[str]:
    for prefix in _PREFIXES:
        yield from _texts(document.get(prefix + name))


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    # A string; a list of anything here; {"@value": …}; an object with a name or an address; a language map
    # (en first).
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list) and depth < 3:
        for one in value[:100]:
            yield from _texts(one, depth + 1)
    elif isinstance(value, Mapping) and depth < 3:
        for key in ("@value", "name", "sc:name", "@id", "url", "sc:url", "en"):
            if key in value:
                yield from _texts(value[key], depth + 1)
                return
        if not any(str(key).startswith("@") for key in value):
            yield from list(_texts(list(value.values()), depth + 1))[:1]

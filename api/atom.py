"""News as an Atom feed (RFC 4287), for whoever reads them in a feed reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.w3.org/2005/Atom"
CONTENT_TYPE = "application/atom+xml"


@dataclass(frozen=True)
class Entry:
    """One piece of news; `link` is its address and, with what it is about, its id."""

    title: str
    link: str
    at: dt.datetime


def atom(*, title: str, at: str, author: str, entries: Sequence[Entry], now: dt.datetime) -> bytes:
    """The feed at the address `at`, its entries as they come; an id never changes while its address does not."""
    ET.register_namespace("", NAMESPACE)
    feed = ET.Element(f"{{{NAMESPACE}}}feed")
    _text(feed, "id", at)
    _text(feed, "title", title)
    _text(feed, "updated", _when(entries[0].at if entries else now))
    _link(feed, at, rel="self", type=CONTENT_TYPE)
    _text(_text(feed, "author", None), "name", author)
    for one in entries:
        entry = _text(feed, "entry", None)
        _text(entry, "id", f"{at}#{one.link.rpartition('/datasets/')[2]}")
        _text(entry, "title", one.title)
        _text(entry, "updated", _when(one.at))
        _link(entry, one.link, rel="alternate", type="text/html")
    data: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return data


def _text(parent: ET.Element, name: str, text: str | None) -> ET.Element:
    child = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _link(parent: ET.Element, href: str, **said: str) -> None:
    ET.SubElement(parent, f"{{{NAMESPACE}}}link", {"href": href, **said})


def _when(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

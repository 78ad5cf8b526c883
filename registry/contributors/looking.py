"""Look at one place for a line, and say what was seen there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from byline.errors import BylineError, NotFound, Refused
from registry.contributors.places import DNS, WELL_KNOWN, Place, stays
from registry.egress import Answer, Egress

FOUND, MISSING, UNREACHABLE = "found", "missing", "unreachable"
_GONE = frozenset({404, 410})
_OK = 200
_MOST_TAGS, _STEP = 2_000, 8_192
_DESCRIPTIONS = frozenset({"description", "og:description", "byline-proof"})


@dataclass(frozen=True)
class Seen:
    """What stands at a place: the texts that its owner alone writes, the addresses `rel=me` names, and in words.

    `answered` is False where nobody could tell: that is no reason to believe that the line is gone.
    """

    place: Place
    texts: tuple[str, ...]
    links: tuple[str, ...]
    said: str
    answered: bool


def look(egress: Egress, place: Place, *, identity: str) -> Seen:
    """Ask the place; whatever goes wrong there is what was seen, and no error."""
    try:
        if place.how == DNS:
            return _of_dns(egress, place)
        accept = "text/plain" if place.how == WELL_KNOWN else "text/html"
        answer = egress.get(place.address, stays=lambda url: stays(identity, place, url), accept=accept)
    except NotFound as error:
        return Seen(place, (), (), error.message, answered=True)
    except Refused as error:
        return Seen(place, (), (), error.message, answered=error.code == "moved-away")
    except BylineError as error:
        return Seen(place, (), (), error.message, answered=False)
    return _of_answer(place, answer)


def head_of(page: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The descriptions in an HTML page's head, and the addresses of its `rel=me` links.

    Read as it comes and no further than the head: of a megabyte of nested tags nothing is built.
    """
    texts, links = [], []
    for tag in _head_tags(page):
        if tag.tag == "meta" and (tag.get("name") or tag.get("property") or "").lower() in _DESCRIPTIONS:
            texts.append(tag.get("content") or "")
        elif tag.tag == "link" and "me" in (tag.get("rel") or "").lower().split():
            links.append((tag.get("href") or "").strip())
    return tuple(texts), tuple(links)


def _head_tags(page: bytes) -> Iterator[etree._Element]:
    parser = etree.HTMLPullParser(events=("start",))
    left = _MOST_TAGS
    for start in range(0, len(page), _STEP):
        parser.feed(page[start : start + _STEP])
        for _, tag in parser.read_events():
            left -= 1
            if tag.tag == "body" or left < 0:
                return
            parent = tag.getparent()
            if parent is not None and parent.tag == "head":
                yield tag


def _of_dns(egress: Egress, place: Place) -> Seen:
    texts = tuple(egress.texts(place.address))
    return Seen(place, texts, (), f"{len(texts)} TXT record(s): {_shortened(texts)}", answered=True)


def _of_answer(place: Place, answer: Answer) -> Seen:
    if answer.status != _OK:
        gone = answer.status in _GONE
        return Seen(place, (), (), f"the server answered {answer.status}", answered=gone)
    if place.how == WELL_KNOWN:
        lines = tuple(answer.body.decode("utf-8", "replace").splitlines())
        return Seen(place, lines, (), f"a file of {len(lines)} line(s): {_shortened(lines)}", answered=True)
    texts, links = head_of(answer.body)
    said = f"description: {_shortened(texts)}" if texts else "a page without a description"
    if links:
        said += f"; rel=me: {_shortened(links)}"
    return Seen(place, texts, links, said, answered=True)


def _shortened(texts: tuple[str, ...]) -> str:
    """The first of them as one printable line."""
    whole = " / ".join(" ".join(text.split()) for text in texts[:3])
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in whole[:200]) or "nothing"

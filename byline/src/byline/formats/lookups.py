"""What a text that a person pasted may mean: generous, where the reading of records is strict."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from byline.errors import Refused
from byline.formats.platforms import ALL, BY_NAME, shown
from byline.formats.selector_text import Selector, host_name, is_text, parse_selector
from byline.formats.urls import canonical_url

_QUOTES = " \t\r\n\"'`<>“”‘’«»„‹›"
_BEHIND = _QUOTES + ",;.!?:()[]{}"
_URL_INSIDE = re.compile(r"(?:https?://|www\.)[^\s<>\"“”«»]+", re.IGNORECASE)
_MEDIA = re.compile(r"#(?:/media/|mediaviewer/)(?:File|Datei|Fichier|Archivo|Image):([^?&#]+)", re.IGNORECASE)
_SHORTHANDS = (
    (
        re.compile(r"^(?:File|Image|Datei|Fichier|Archivo|Bestand):(?=\S)", re.IGNORECASE),
        "https://commons.wikimedia.org/wiki/File:",
    ),
    (re.compile(r"^/?u/(?=[A-Za-z0-9_-]{3,20}/?$)"), "https://www.reddit.com/user/"),
    (re.compile(r"^User:(?=\S)", re.IGNORECASE), "https://commons.wikimedia.org/wiki/User:"),
)
"""What people write of a page on its own site: `File:Dawn.jpg`, `u/jane`."""
_LONGEST = 2000


def candidates(text: str) -> tuple[Selector, ...]:
    """Everything a pasted text may mean, most exact first, without repetition; () for what means nothing.

    White space, brackets, quotes, trailing punctuation and HTML escapes around a URL are tolerated, and a URL
    inside a sentence is found. A bare word may be a handle on every platform; digits a photo or a maker's
    number.
    """
    tidy = html.unescape(text[:_LONGEST]).strip(_QUOTES)
    if not is_text(tidy):
        return ()
    inside = _URL_INSIDE.search(tidy)
    whole = inside[0] if inside else tidy
    found = list(_of_typed(tidy))
    for spelling in dict.fromkeys(
        [whole, whole.strip(_BEHIND)]
    ):  # a bracket may belong to it: …/Dawn_(harbour)
        found += _of_url(spelling)
    word = tidy.strip(_BEHIND)
    if inside is None and not re.search(r"[\s/]", word):
        found += _of_word(word)
    return tuple(dict.fromkeys(found))


def _of_typed(text: str) -> Iterator[Selector]:
    if re.match(r"https?:|//", text, re.IGNORECASE):
        return
    try:
        typed = parse_selector(text)
    except Refused:
        typed = None
    if typed is not None and typed.kind != "url":
        yield typed
    page = next((form.sub(url, text) for form, url in _SHORTHANDS if form.match(text)), None)
    if page is not None:
        yield from _of_url(page)
    platform, _, handle = text.partition(":")
    photo = BY_NAME[platform.lower()].photo_id(handle) if platform.lower() in BY_NAME else None
    if photo is not None:
        yield Selector("photo", photo)


def _of_url(text: str) -> Iterator[Selector]:
    found = canonical_url(text)
    if found is None:
        return
    media = _MEDIA.search(text)
    seen = shown(canonical_url(f"commons.wikimedia.org/wiki/File:{media[1]}") or "") if media else None
    for page in (seen, shown(found)):
        if page is not None:
            yield from (Selector("photo", photo) for photo in (page.photo, page.image) if photo)
            yield from (Selector("maker", maker) for maker in (page.maker,) if maker)
    for spelling in _spellings(found):
        yield Selector("url", spelling)
        if shown(spelling) is None:
            yield Selector("maker", f"web:{spelling}")
    if found.count("/") == 1 and found.endswith("/") and (host := host_name(found[:-1])):
        yield Selector("host", host)


def _spellings(canonical: str) -> tuple[str, ...]:
    """The same place as others write it: with and without `www.`, with and without the last slash."""
    bare = canonical.removeprefix("www.")
    both = (canonical, bare if bare != canonical else f"www.{canonical}")
    slashed = [
        one[:-1] if one.endswith("/") and one.count("/") > 1 else one + "/" for one in both if "?" not in one
    ]
    return (*both, *(one for one in slashed if not one.endswith("//")))


def _of_word(word: str) -> Iterator[Selector]:
    if re.fullmatch(r"(?i:sha256:)?[0-9a-fA-F]{64}", word):
        yield Selector("sha256", word[-64:].lower())
    handle = word.removeprefix("@")  # as people write one of any platform
    for platform in ALL:
        key = platform.maker_key(handle) if ":" not in word else None
        if key is not None:
            yield Selector("maker", key)
        photo = platform.photo_id(word) if re.search(r"[0-9.]", word) else None
        if photo is not None:
            yield Selector("photo", photo)

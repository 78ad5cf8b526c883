"""Whose a record is, and what it shows: the one scalar truth that the batch form is tested against."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from byline.formats.credit_lines import first_link, is_nobody, plain_name
from byline.formats.platforms import BY_NAME, Shown, platform_of, shown
from byline.formats.urls import canonical_url, host_of

LONGEST_KEY = 1000
"""Characters of a contributor key or selector; what would be longer is no key."""

_NSID = re.compile(r"^[0-9]{2,12}(?:@|%40)[Nn][0-9]{2}$")
_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_LIKE_A_URL = re.compile(r"^(?:[Hh][Tt][Tt][Pp][Ss]?:)?//|^(?:www|WWW)\.")
MAYBE_A_PAGE = r"//|www\.|WWW\.|<"
"""What stands in every name that `maker_in_name` or `profile_in_name` may take for a page, and in few others."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\s\ud800-\udfff]+")

Record = Mapping[str, "str | None"]


@dataclass(frozen=True)
class RecordSelectors:
    """What one record shows.

    Each list is without repetition, in the order url, landing_url, creator_url, id, name.

    `urls` is b1 of url and of landing_url, those that can be read; `host` is of the first of them.
    """

    makers: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    host: str | None = None


def record_selectors(record: Record, *, dataset: str) -> RecordSelectors:
    """Read a record's mapped fields (docs/formats/selectors.md); `dataset` is `publisher/name`."""
    urls = [canonical_url(record.get(field)) for field in ("url", "landing_url")]
    seen = [shown(url) for url in urls if url]
    known = tuple(url for url in urls if url)
    return RecordSelectors(
        makers=_makers(record, seen, dataset),
        photos=_photos(seen),
        urls=_distinct(known),
        sha256=digest_text(record.get("sha256")),
        host=host_of(known[0]) if known else None,
    )


def known_name(text: str | None) -> str | None:
    """A name as keys hold it: NFC, control characters and white space one space, trimmed; None if empty."""
    if not text:
        return None
    return _UNSAFE.sub(" ", unicodedata.normalize("NFC", text)).strip() or None


def digest_text(text: str | None) -> str | None:
    """A SHA-256 as 64 lower-case hex digits, with or without `sha256:` before it; None if it is not one."""
    tidy = (text or "").strip().lower().removeprefix("sha256:")
    return tidy if _DIGEST.match(tidy) else None


def _makers(record: Record, seen: Iterable[Shown | None], dataset: str) -> tuple[str, ...]:
    profile = canonical_url(record.get("creator_url"))
    named = profile_in_name(record.get("creator_name"))
    pages = [*seen, shown(profile) if profile else None]
    found = [page.maker if page else None for page in pages]
    found += [number_key(record.get("creator_id")), maker_in_name(record.get("creator_name"))]
    if any(found):
        return _distinct(found)
    instead = (
        web_key(profile)
        or web_key(named)
        or id_key(record.get("creator_id"), dataset)
        or name_key(record.get("creator_name"), dataset)
    )
    return _distinct([instead])


def _photos(seen: list[Shown | None]) -> tuple[str, ...]:
    pages = [page for page in seen if page]
    return _distinct(page.photo for page in pages) or _distinct(page.image for page in pages)


def maker_at(canonical: str | None) -> str | None:
    """The platform maker a b1 URL shows."""
    page = shown(canonical) if canonical else None
    return page.maker if page else None


def number_key(creator_id: str | None) -> str | None:
    """`flickr:NSID` where a creator_id is one; no other platform's numbers can be told from plain ids."""
    tidy = (creator_id or "").strip()
    return BY_NAME["flickr"].maker_key(tidy) if _NSID.match(tidy) else None


def web_key(profile: str | None) -> str | None:
    """`web:B1` of a profile URL; a known platform's front page is nobody's profile."""
    if profile is None or (
        profile.endswith("/") and profile.count("/") == 1 and platform_of(host_of(profile))
    ):
        return None
    return _bounded(f"web:{profile}")


def id_key(creator_id: str | None, dataset: str) -> str | None:
    """`id:PUB/DATASET:ID` of an id that only this dataset explains."""
    known = known_name(creator_id)
    return _bounded(f"id:{dataset}:{known}") if known and not is_nobody(known) else None


def name_key(creator_name: str | None, dataset: str) -> str | None:
    """`name:PUB/DATASET:NAME` of a name, markup put aside; None for one that is a URL, or says that there is none."""
    known = None if profile_in_name(creator_name) else known_name(plain_name(creator_name or ""))
    return _bounded(f"name:{dataset}:{known}") if known and not is_nobody(known) else None


def maker_in_name(creator_name: str | None) -> str | None:
    """The platform maker of a URL that stands where the name should, or that the name's markup links first.

    A link to anything else (an article, a licence, a home page) says nothing of who it is.
    """
    if not creator_name:
        return None
    return maker_at(profile_in_name(creator_name) or canonical_url(first_link(creator_name)))


def profile_in_name(creator_name: str | None) -> str | None:
    """B1 of a URL that stands where the name should: some lists have the two swapped."""
    return canonical_url(creator_name) if creator_name and _LIKE_A_URL.match(creator_name.strip()) else None


def _bounded(key: str) -> str | None:
    return key if len(key) <= LONGEST_KEY else None


def _distinct(found: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in found if one))

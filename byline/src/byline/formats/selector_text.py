"""What points at a maker, a photo, a place or a file: the texts, and their fingerprints.

A contributor key is `platform:handle`, `web:B1`, `id:PUB/DATASET:ID` or `name:PUB/DATASET:NAME`
(docs/formats/selectors.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

import can_ada
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from byline.errors import Refused
from byline.formats.hashing import first_60_bits
from byline.formats.makers import LONGEST_KEY, known_name
from byline.formats.platforms import BY_NAME, shown
from byline.formats.urls import canonical_url

KINDS = ("maker", "name", "id", "photo", "url", "sha256", "host")
ACCEPTED = (
    "a URL, platform:handle (flickr:12345678@N00, unsplash:@name, commons:User Name), photo:PLATFORM:ID, "
    "web:URL, host:example.org, name:PUB/DATASET:NAME, id:PUB/DATASET:ID or sha256:HEX"
)
LONGEST_HOST = 253  # RFC 1035
_NONE = np.zeros(0, dtype=np.int64)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_DATASET = re.compile(r"([a-z0-9][a-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*):(.+)$", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}$")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]$")


@dataclass(frozen=True, order=True)
class Selector:
    """What an opt-out points at: `kind` is one of KINDS, `value` its canonical text."""

    kind: str
    value: str


def fingerprint(kind: str, value: str) -> int:
    """The 60-bit digest of a selector: the first 15 hex digits of SHA-256 of `b1|kind|value`."""
    return int(sha256(f"b1|{kind}|{value}".encode()).hexdigest()[:15], 16)


def fingerprints(kind: str, values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Fingerprints of many values of one kind; a null gives -1, which no fingerprint is."""
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    found = np.concatenate([_NONE, *(first_60_bits(f"b1|{kind}|", one.drop_null()) for one in chunks)])
    if not values.null_count:
        return found
    k = np.full(len(values), -1, dtype=np.int64)
    k[np.asarray(values.is_valid(), dtype=bool)] = found
    return k


def contributor_kind(key: str) -> tuple[str, str | None]:
    """Tell a contributor key's kind (number, alias, web, id, name, withheld) and its platform, where it has one."""
    scheme, _, handle = key.partition(":")
    if scheme in {"web", "id", "name", "withheld"}:
        return scheme, None
    platform = BY_NAME.get(scheme)
    if platform is None or not handle:
        raise Refused("unknown-selector", f"{key[:200]!r} is no contributor key; accepted: {ACCEPTED}.")
    return ("number" if platform.is_number(handle) else "alias"), scheme


def public_id(key: str) -> str:
    """The id a contributor has in public answers: 32 hex digits of SHA-256 of `b1|contributor|key`."""
    return sha256(f"b1|contributor|{key}".encode()).hexdigest()[:32]


def parse_selector(text: str) -> Selector:
    """Read a selector as a person types it; Refused("unknown-selector") says what would be accepted.

    A URL means the most exact thing it shows: the photo, else the maker whose page it is, else the URL
    itself.
    """
    tidy = text.strip()
    found = _of_scheme(tidy) or _of_url(tidy) if is_text(tidy) else None
    if found is None or len(found.value) > LONGEST_KEY:
        raise Refused("unknown-selector", f"{text[:200]!r} is not understood; accepted: {ACCEPTED}.")
    return found


def is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON may bring half of a character, a lone surrogate."""
    return not _HALF_CHARACTER.search(text)


def host_name(text: str) -> str | None:
    """A host as selectors hold it: lower case, punycode, no trailing dot, two labels or more; else None."""
    try:
        parsed = can_ada.parse(f"https://{text.strip()}/")
        host = str(parsed.hostname).removesuffix(".")
    except (ValueError, TypeError, UnicodeError):  # not a host; a lone surrogate is a TypeError there
        return None
    plain = parsed.pathname == "/" and not (parsed.port or parsed.search or parsed.username)
    return host if plain and len(host) <= LONGEST_HOST and _HOST.match(host) else None


def _of_scheme(text: str) -> Selector | None:
    scheme, colon, value = text.partition(":")
    scheme, value = scheme.lower(), value.strip()
    if not colon or value.startswith("//"):
        return None
    if scheme in BY_NAME:
        key = BY_NAME[scheme].maker_key(value)
        return Selector("maker", key) if key else None
    readers = {
        "web": _web,
        "host": _host,
        "name": _name,
        "id": _id,
        "photo": _photo,
        "sha256": _sha256,
        "url": _url,
    }
    return readers[scheme](value) if scheme in readers else None


def _of_url(text: str) -> Selector | None:
    found = canonical_url(text)
    if found is None:
        return None
    seen = shown(found)
    if seen is None:
        return Selector("url", found)
    photo = seen.photo or seen.image
    return Selector("photo", photo) if photo else Selector("maker", str(seen.maker))


def _web(value: str) -> Selector | None:
    found = canonical_url(value if "://" in value else "https://" + value)
    if found is None:
        return None
    seen = shown(found)
    return Selector("maker", seen.maker if seen and seen.maker else f"web:{found}")


def _host(value: str) -> Selector | None:
    found = host_name(value)
    return Selector("host", found) if found else None


def _url(value: str) -> Selector | None:
    found = canonical_url(value)
    return Selector("url", found) if found else None


def _name(value: str) -> Selector | None:
    dataset = _DATASET.match(value)
    name = known_name(dataset[2]) if dataset else None
    return Selector("name", f"{dataset[1]}:{name}") if dataset and name else None


def _id(value: str) -> Selector | None:
    dataset = _DATASET.match(value)
    known = known_name(dataset[2]) if dataset else None
    return Selector("id", f"{dataset[1]}:{known}") if dataset and known else None


def _photo(value: str) -> Selector | None:
    platform, _, photo = value.partition(":")
    known = BY_NAME[platform.lower()].photo_id(photo) if platform.lower() in BY_NAME else None
    return Selector("photo", known) if known else None


def _sha256(value: str) -> Selector | None:
    return Selector("sha256", value.lower()) if _DIGEST.match(value.lower()) else None

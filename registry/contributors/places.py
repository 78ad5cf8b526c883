"""Where the line of a claim may stand: addresses made from the identity, never given by anybody. Pure.

Only places that the owner alone writes: a profile's or photo's own description, as it stands in the head of
the page (no comment, testimonial or wiki text ever stands there), a host's DNS and its `/.well-known`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from byline.errors import Refused
from byline.formats.platforms import BY_NAME, platform_of, shown
from byline.formats.urls import canonical_url, host_of

PROFILE, PHOTO, DNS, WELL_KNOWN = "profile", "photo", "dns", "well-known"
WELL_KNOWN_PATH = "/.well-known/byline.txt"

# Platforms whose profile page carries its owner's own text in `description` or `og:description`. Not among
# them: wikis, which anybody edits, and what shows nothing to who is not signed in.
OWNERS_WRITE = frozenset(
    {
        "flickr", "unsplash", "500px", "deviantart", "behance", "artstation", "tumblr", "smugmug", "inaturalist",
        "observation", "pixabay", "pexels", "pinterest", "dribbble", "photobucket", "youtube",
    }
)  # fmt: skip
# A photo's page under its maker, on platforms whose photo pages carry the maker's own description.
PHOTO_PAGES = {"flickr": "https://www.flickr.com/photos/{maker}/{photo}/"}


@dataclass(frozen=True)
class Place:
    """`how`, the address or DNS name, and what a person has to do there."""

    how: str
    address: str
    advice: str


def places_of(identity: str, *, photo: str | None = None) -> tuple[Place, ...]:
    """Every place where this identity's line may stand; none for what has no page of its own.

    `photo`: the id of one of the maker's photos, whose page is looked at instead of the profile.
    Refused("no-such-page") where the platform has no such pages.
    """
    scheme, _, handle = identity.partition(":")
    if scheme == "host":
        return _of_host(handle)
    if scheme == "web":
        return (Place(PROFILE, f"https://{handle}", _REL_ME),)
    if scheme not in OWNERS_WRITE:
        return ()
    platform = BY_NAME[scheme]
    bare = handle.removeprefix(platform.sigil)
    if photo is not None:
        return (_of_photo(scheme, bare, photo),)
    if platform.profile is None:
        return ()
    advice = platform.proof or "Put the line into your profile's description."
    return (Place(PROFILE, platform.profile.format(bare), advice),)


def stays(identity: str, place: Place, url: str) -> bool:
    """Whether a redirect from a place to `url` still shows the same: the platform's word for where it moved."""
    old, new = canonical_url(place.address) or "", canonical_url(url) or ""
    if not new or not url.startswith("https://"):
        return False
    scheme = identity.partition(":")[0]
    if scheme in BY_NAME:
        return _same_platform(scheme, place, new)
    if scheme == "host":
        return new.partition("/")[2] == old.partition("/")[2] and _bare(new) == _bare(old)
    return new.removeprefix("www.").rstrip("/") == old.removeprefix("www.").rstrip("/")


def line_in(lines: Sequence[str], proof: str) -> bool:
    """Whether one of the texts holds the line as a word of its own."""
    return any(proof in _LINE.findall(line) for line in lines)


def proof_address(public_url: str, proof: str) -> str:
    """The address that a `rel=me` link names: it leads to a page that says what it is for."""
    return f"{public_url.rstrip('/')}/proof/{proof.partition('=')[2]}"


_LINE = re.compile(r"(?<![0-9A-Za-z_=-])byline-(?:proof|key)=[0-9a-f]{32,64}(?![0-9A-Za-z_=-])")
_REL_ME = 'Put <link rel="me" href="…"> with the address of your proof into the head of the page.'
_PHOTO_ID = re.compile(r"[0-9A-Za-z_-]{1,40}")


def _of_host(host: str) -> tuple[Place, ...]:
    record = f"_byline.{host}"
    return (
        Place(DNS, record, f"Add a TXT record {record} with the line."),
        Place(WELL_KNOWN, f"https://{host}{WELL_KNOWN_PATH}", "Put the line into this file."),
    )


def _of_photo(scheme: str, handle: str, photo: str) -> Place:
    page = PHOTO_PAGES.get(scheme)
    if page is None or not _PHOTO_ID.fullmatch(photo) or not BY_NAME[scheme].photo_id(photo):
        raise Refused("no-such-page", f"a photo's page cannot prove who somebody is on {scheme}", at="photo")
    return Place(PHOTO, page.format(maker=handle, photo=photo), "Put the line into the photo's description.")


def _same_platform(scheme: str, place: Place, canonical: str) -> bool:
    """On the platform's own ground, and a maker's page still; of the same photo where it was a photo's."""
    platform, seen = platform_of(host_of(canonical) or ""), shown(canonical)
    if platform is None or platform.name != scheme or seen is None or seen.maker is None:
        return False
    if place.how != PHOTO:
        return seen.photo is None
    before = shown(canonical_url(place.address) or "")
    return before is not None and before.photo == seen.photo


def _bare(canonical: str) -> str:
    return (host_of(canonical) or "").removeprefix("www.")

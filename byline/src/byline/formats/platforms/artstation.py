"""ArtStation: a work has a short code; its files are numbered apart."""

from __future__ import annotations

import re

from byline.formats.platforms.rules import Platform, Rule, handle


def asset(text: str) -> str:
    """`012/345/678` -> `asset-012345678`."""
    return "asset-" + re.sub("/+", "", text)


_CODE = r"(?P<photo>[A-Za-z0-9]{4,8})"

PLATFORM = Platform(
    name="artstation",
    title="ArtStation",
    domains=("artstation.com",),
    hosts=r"(?:(?:www|magazine)\.)?artstation\.com",
    rules=(
        Rule(r"^/+artwork/+" + _CODE + r"/*(?:\?.*)?$"),
        Rule(r"^/+(?:artist/+)?(?P<alias>[A-Za-z0-9_-]{3,63})(?:/(?:albums/.*|profile)?)?/*(?:\?.*)?$"),
        Rule(
            r"^/+projects/+" + _CODE + r"/*(?:\?.*)?$", host=r"(?P<alias>[a-z0-9_-]{3,63})\.artstation\.com"
        ),
        Rule(
            r"^/+p/+assets/+images/+images/+(?P<image>[0-9]{3}/+[0-9]{3}/+[0-9]{3})/.*$",
            host=r"cdn[a-z]?\.artstation\.com",
            reads={"image": asset},
        ),
        Rule(r"^/(?:\?.*)?$", host=r"(?P<alias>[a-z0-9_-]{3,63})\.artstation\.com"),
    ),
    photo=r"^(?:[A-Za-z0-9]{4,8}|asset-[0-9]{9})$",
    alias=r"^[a-z0-9_-]{3,63}$",
    read_alias=handle(
        "www magazine cdn cdna cdnb artwork artist artists search jobs marketplace learning blogs "
        "challenges about prints guides studios explore contests help site subscribe"
    ),
    profile="https://www.artstation.com/{}",
    photo_page="https://www.artstation.com/artwork/{}",
    proof="Put the line into the summary of your profile.",
)

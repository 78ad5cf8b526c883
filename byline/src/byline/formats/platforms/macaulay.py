"""Macaulay Library (eBird): assets have numbers; observers are not shown in addresses."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?:ML)?(?P<photo>[1-9][0-9]{3,10})"

PLATFORM = Platform(
    name="macaulay",
    title="Macaulay Library",
    domains=("macaulaylibrary.org", "download.ams.birds.cornell.edu"),
    hosts=r"(?:(?:www|search|download)\.)?macaulaylibrary\.org",
    rules=(
        Rule(r"^/+asset/+" + _ID + r"(?:[/?].*)?$"),
        Rule(
            r"^/+(?:api/+v[0-9]/+)?asset/+" + _ID + r"(?:[/?].*)?$",
            host=r"(?:cdn\.)?download\.ams\.birds\.cornell\.edu",
        ),
    ),
    photo=r"^[1-9][0-9]{3,10}$",
    photo_page="https://macaulaylibrary.org/asset/{}",
)

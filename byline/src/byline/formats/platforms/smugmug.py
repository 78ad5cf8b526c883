"""SmugMug: sites are the maker's own; a picture has a key after `i-`."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_SITE = r"(?P<alias>[a-z0-9][a-z0-9-]{0,62})\.smugmug\.com"
_KEY = r"i-(?P<photo>[A-Za-z0-9]{6,8})(?:[/?].*)?$"

PLATFORM = Platform(
    name="smugmug",
    title="SmugMug",
    domains=("smugmug.com",),
    hosts=r"photos\.smugmug\.com",
    rules=(
        Rule(r"^/(?:.*/)?" + _KEY),
        Rule(r"^/(?:.*/)?" + _KEY, host=_SITE),
        Rule(r"^/(?:[^?]*)?(?:\?.*)?$", host=_SITE),
    ),
    photo=r"^[A-Za-z0-9]{6,8}$",
    alias=r"^[a-z0-9][a-z0-9-]{0,62}$",
    read_alias=handle("www photos cdn secure api help news upload blog"),
    profile="https://{}.smugmug.com/",
    proof="Put the line into your site's bio.",
)

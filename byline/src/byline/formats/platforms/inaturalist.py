"""iNaturalist and the sites of its network, which share its numbers.

An observation may hold several photos, so its number is no photo's.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_ID = r"(?P<photo>[1-9][0-9]{0,11})"
_BUCKET = r"inaturalist-open-data\.s3(?:\.dualstack)?(?:[.-][a-z0-9-]+)?\.amazonaws\.com"

PLATFORM = Platform(
    name="inaturalist",
    title="iNaturalist",
    domains=(
        "inaturalist.org",
        "inaturalist.ca",
        "inaturalist.nz",
        "naturalista.mx",
        "naturalista.uy",
        "inaturalist.lu",
        "inaturalist.se",
        "inaturalist.ala.org.au",
        "inaturalist.laji.fi",
        "inaturalist.mma.gob.cl",
        "argentinat.org",
        "biodiversity4all.org",
        "inaturalist-open-data.s3.amazonaws.com",
        "inaturalist-open-data.s3.us-east-1.amazonaws.com",
        "inaturalist-open-data.s3.dualstack.us-east-1.amazonaws.com",
    ),
    hosts=r"(?:(?:www|mexico|colombia|portugal|uk|[a-z]{2,9})\.)?(?:(?:inaturalist|naturalista)\.[a-z.]+|(?:argentinat|biodiversity4all)\.org)",
    rules=(
        Rule(r"^/+photos/+" + _ID + r"(?:[/?].*)?$", host=_BUCKET),
        Rule(r"^/+photos/+" + _ID + r"(?:[/?].*)?$", host=r"(?:static|www)\.inaturalist\.org"),
        Rule(r"^/+photos/+" + _ID + r"/*(?:\?.*)?$"),
        Rule(r"^/+(?:people|users)/+(?P<number>[1-9][0-9]{0,9})/*(?:\?.*)?$"),
        Rule(r"^/+(?:people|users)/+(?P<alias>[A-Za-z][A-Za-z0-9_-]{1,63})/*(?:\?.*)?$"),
        Rule(r"^/+observations/+(?P<alias>[A-Za-z][A-Za-z0-9_-]{1,63})/*(?:\?.*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,11}$",
    number=r"^[1-9][0-9]{0,9}$",
    alias=r"^[a-z][a-z0-9_-]{1,63}$",
    read_alias=handle("leaderboard edit new search export upload identify of map project people"),
    profile="https://www.inaturalist.org/people/{}",
    photo_page="https://www.inaturalist.org/photos/{}",
    proof="Put the line into the bio of your profile.",
)

"""Geograph Britain and Ireland: one numbering for both sites; contributors have numbers."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{0,8})"
_FILE = (
    r"^/+(?:geo)?photos/+(?:[0-9]{2}/+){2,3}0{0,5}" + _ID + r"_[0-9a-f]{8}(?:_[A-Za-z0-9]+)?\.jpg(?:\?.*)?$"
)

PLATFORM = Platform(
    name="geograph",
    title="Geograph",
    domains=("geograph.org.uk", "geograph.ie"),
    hosts=r"(?:(?:www|m|schools)\.)?geograph\.(?:org\.uk|ie)",
    rules=(
        Rule(r"^/+photo/+" + _ID + r"(?:[/?].*)?$"),
        Rule(r"^/+(?:view|reuse|more|editimage)\.php\?(?:.*&)?id=" + _ID + r"(?:&.*)?$"),
        Rule(_FILE, host=r"(?:s[0-9]+|www|m|t[0-9]+)\.geograph\.(?:org\.uk|ie)"),
        Rule(_FILE, host=r"geograph\.(?:org\.uk|ie)"),
        Rule(r"^/+profile/+(?P<number>[1-9][0-9]{0,8})(?:[/?].*)?$"),
        Rule(r"^/+profile\.php\?(?:.*&)?u=(?P<number>[1-9][0-9]{0,8})(?:&.*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,8}$",
    number=r"^[1-9][0-9]{0,8}$",
    profile="https://www.geograph.org.uk/profile/{}",
    photo_page="https://www.geograph.org.uk/photo/{}",
    proof="Put the line into the About yourself text of your profile.",
)

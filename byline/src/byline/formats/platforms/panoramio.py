"""Panoramio, closed in 2016 and still in old lists: photos and users have numbers."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{0,9})"

PLATFORM = Platform(
    name="panoramio",
    title="Panoramio",
    domains=("panoramio.com", "mw2.google.com"),
    hosts=r"(?:(?:www|static[0-9]*)\.)?panoramio\.com",
    rules=(
        Rule(r"^/+photo/+" + _ID + r"(?:[/?].*)?$"),
        Rule(r"^/+photos/+[a-z0-9_]+/+" + _ID + r"\.jpg(?:\?.*)?$"),
        Rule(r"^/+mw-panoramio/+photos/+[a-z0-9_]+/+" + _ID + r"\.jpg(?:\?.*)?$", host=r"mw2\.google\.com"),
        Rule(r"^/+user/+(?P<number>[1-9][0-9]{0,8})(?:[/?].*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,9}$",
    number=r"^[1-9][0-9]{0,8}$",
)

"""Observation.org and its sister sites: photos and observers have numbers."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

PLATFORM = Platform(
    name="observation",
    title="Observation.org",
    domains=("observation.org", "waarneming.nl", "waarnemingen.be", "observations.be"),
    hosts=r"(?:(?:www|[a-z]{2,12})\.)?(?:observation\.org|waarneming\.nl|waarnemingen\.be|observations\.be)",
    rules=(
        Rule(r"^/+(?:media/+)?photos?/+(?:view/+)?(?P<photo>[1-9][0-9]{0,9})(?:\.jpe?g)?/*(?:\?.*)?$"),
        Rule(r"^/+users?/+(?:view/+)?(?P<number>[1-9][0-9]{0,8})(?:[/?].*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,9}$",
    number=r"^[1-9][0-9]{0,8}$",
    profile="https://observation.org/users/{}/",
    photo_page="https://observation.org/photos/{}/",
    proof="Put the line into your profile's text.",
)

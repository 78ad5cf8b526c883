"""Dribbble: a shot's number begins its address."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

PLATFORM = Platform(
    name="dribbble",
    title="Dribbble",
    domains=("dribbble.com",),
    hosts=r"(?:www\.)?dribbble\.com",
    rules=(
        Rule(r"^/+shots/+(?P<photo>[1-9][0-9]{2,9})(?:[-/?].*)?$"),
        Rule(r"^/+users/+[0-9]+/+screenshots/+(?P<photo>[1-9][0-9]{2,9})/.*$", host=r"cdn\.dribbble\.com"),
        Rule(r"^/+(?P<alias>[A-Za-z0-9_-]{2,40})(?:/(?:about|shots)?)?/*(?:\?.*)?$"),
    ),
    photo=r"^[1-9][0-9]{2,9}$",
    alias=r"^[a-z0-9_-]{2,40}$",
    sigil="@",
    read_alias=handle(
        "shots search jobs designers about learn tags session signup stories pro hiring users teams"
    ),
    profile="https://dribbble.com/{}/about",
    photo_page="https://dribbble.com/shots/{}",
    proof="Put the line into your profile's bio.",
)

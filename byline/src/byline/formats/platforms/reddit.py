"""Reddit's picture hosts: the file's name is the id. Who posts a picture did not always make it: no maker."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[a-z0-9]{11,16})\.[a-z]{3,4}(?:\?.*)?$"

PLATFORM = Platform(
    name="reddit",
    title="Reddit",
    domains=("redd.it", "reddit.com"),
    hosts=r"(?:i|preview)\.redd\.it",
    rules=(
        Rule(r"^/+" + _ID),
        Rule(r"^/+[^/?]+-v[0-9]-" + _ID),
        Rule(
            r"^/+(?:u|user)/+(?P<alias>[A-Za-z0-9_-]{3,20})/*(?:\?.*)?$",
            host=r"(?:(?:www|old|new)\.)?reddit\.com",
        ),
    ),
    photo=r"^[a-z0-9]{11,16}$",
    alias=r"^[a-z0-9_-]{3,20}$",
    sigil="@",
    profile="https://www.reddit.com/user/{}/",
    photo_page="https://i.redd.it/{}.jpg",
    proof="Put the line into your profile's About text.",
)

"""Flickr: every static host and every form of a photo's page there ever was.

Static files carry `{id}_{secret}` and never the maker; pages carry the NSID (`12345678@N00`) or the
changeable alias. Source: the service's "URLs" documentation; old hosts as they stand in YFCC100M, COCO, Open
Images, Wikimedia Commons.
"""

from __future__ import annotations

import re

from byline.formats.platforms.rules import Platform, Rule, handle

RESERVED = (
    "tags tag search upload organize organise me you friends contacts interesting archives archive map sets "
    "albums galleries groups favorites faves recent people photos photo explore commons creativecommons help "
    "about login signin signup new everyone popular family collections stats undefined null"
)
BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_NSID = re.compile(r"([0-9]{2,12})(?:@|%40)[Nn]([0-9]{2})$")
_LARGEST = 10**12  # photo ids have eleven digits today; albums have seventeen


def nsid(text: str) -> str | None:
    """`12345678%40n00` -> `12345678@N00`."""
    found = _NSID.match(text)
    return f"{found[1]}@N{found[2]}" if found else None


def base58(text: str) -> str | None:
    """The photo id behind `flic.kr/p/…`."""
    number = 0
    for digit in text:
        number = number * 58 + BASE58.index(digit)
        if number >= _LARGEST:
            return None
    return str(number) if number and text[0] != "1" else None


_PREFIX = r"^/+(?:x/t/[0-9]+/+)?"  # /x/t/… is the tracking prefix of its mails
_ID = r"(?P<photo>[1-9][0-9]{0,11})"
_NUMBER = r"(?P<number>[0-9]{2,12}(?:@|%40)[Nn][0-9]{2})"
_ALIAS = r"(?P<alias>[A-Za-z0-9_-]{1,64})"
# where it stands alone it is not digits only: that may be a photo
_NAMED = r"(?P<alias>[A-Za-z0-9_-]{0,63}[A-Za-z_-][A-Za-z0-9_-]{0,63})"
_END = r"(?:[^0-9A-Za-z_-].*)?$"  # /in/…, /sizes/o, /lightbox, ?…, and what people leave behind it
# one run of slashes at a place: two beside each other would be tried against each other for minutes
_OWN = (
    r"(?:/+(?:page[0-9]+/*|(?:albums|sets|collections|archives|tags|with|map|show)(?:/[^?]*)?)?)?(?:\?.*)?$"
)
_HEX = r"(?P<secret>[0-9a-f]{6,16})"
_FILE = _ID + "_" + _HEX + r"(?:_[a-z0-9]{1,2}(?:_d)?)?\.[A-Za-z0-9]{3,4}" + _END
_STATIC = r"(?:live|farm[0-9]+)\.staticflickr\.com|(?:farm[0-9]+\.)?static\.flickr\.com"
_SHORT = r"(?P<short>[1-9a-km-zA-HJ-NP-Z]{1,8})"

PLAIN_FILE = (
    r"^https?://(?:live|farm[0-9]+)\.staticflickr\.com/[0-9]+/"
    r"(?P<static>[1-9][0-9]{0,11}_[0-9a-f]{6,16})(?:_[a-z0-9]{1,2})?\.(?:jpg|png|gif)$"
)
"""A static URL as the site itself writes it: told without making it canonical first."""

PLATFORM = Platform(
    name="flickr",
    title="Flickr",
    domains=("flickr.com", "staticflickr.com", "flic.kr"),
    hosts=r"(?:(?:www|m|secure|mobile|touch|beta|old|[a-z]{2})\.)?flickr\.com",
    rules=(
        Rule(r"^/+[0-9]+/+" + _FILE, host=_STATIC),
        Rule(r"^/+[0-9]+/+[0-9]+/+" + _FILE, host=r"c[0-9]+\.staticflickr\.com"),
        Rule(r"^/+" + _FILE, host=r"photos[0-9]*\.flickr\.com"),
        Rule(r"^/+[0-9]+/+" + _FILE, host=r"photos[0-9]*\.flickr\.com"),
        Rule(r"^/+video/+" + _ID + "/+" + _HEX + r"(?:/.*)?$", host=r"live\.staticflickr\.com"),
        Rule(_PREFIX + r"photos?/+" + _NUMBER + "/+" + _ID + _END),
        Rule(_PREFIX + r"photos?/+" + _ALIAS + "/+" + _ID + _END),
        Rule(_PREFIX + r"photos/+" + _NUMBER + _OWN),
        Rule(_PREFIX + r"photos/+" + _NAMED + _OWN),
        Rule(_PREFIX + r"people/+" + _NUMBER + _OWN),
        Rule(_PREFIX + r"people/+" + _NAMED + _OWN),
        Rule(r"^/+gp/+" + _NUMBER + r"(?:/.*)?$"),
        Rule(r"^/+gp/+" + _NAMED + r"(?:/.*)?$"),
        Rule(r"^/+(?:photo|video)[a-z_]*(?:\.gne)?/*\?(?:[^#]*&)?id=" + _ID + r"(?:&.*)?$"),
        Rule(r"^/+photo\.gne\?(?:[^#]*&)?short=" + _SHORT + r"(?:&.*)?$", reads={"short": base58}),
        Rule(r"^/+photos/+" + _ID + r"/*(?:\?.*)?$", host=r"embedr\.flickr\.com"),
        Rule(r"^/+p/+" + _SHORT + _END, host=r"(?:www\.)?flic\.kr", reads={"short": base58}),
    ),
    photo=r"^[1-9][0-9]{0,11}$",
    number=r"^[0-9]{2,12}@N[0-9]{2}$",
    alias=r"^[a-z0-9_-]{1,127}$",
    read_alias=handle(RESERVED),
    read_number=nsid,
    profile="https://www.flickr.com/people/{}/",
    photo_page="https://www.flickr.com/photo.gne?id={}",
    proof="Put the line into your profile's description, or into the description of the photo.",
)

"""Pinterest: pins have numbers, files digests. Who pins a picture did not make it: a pin names no maker."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_COUNTRIES = "com ca co.uk de fr es it at ch se dk jp co.kr com.au com.mx nz ie pt ru ph cl".split()  # noqa: SIM905

PLATFORM = Platform(
    name="pinterest",
    title="Pinterest",
    domains=("pinimg.com", *(f"pinterest.{country}" for country in _COUNTRIES)),
    hosts=r"(?:[a-z]{2,3}\.)?pinterest\.[a-z.]+",
    rules=(
        Rule(r"^/+pin/+(?:[^/?]*--)?(?P<photo>[1-9][0-9]{5,19})(?:[/?].*)?$"),
        Rule(
            r"^/+(?:[0-9]+x(?:[0-9]+)?(?:_[A-Z]+)?|originals|videos/+thumbnails/+originals)/+(?:[0-9a-f]{2}/+){3}(?P<image>[0-9a-f]{32})\.[a-z0-9.]{3,8}(?:\?.*)?$",
            host=r"(?:i|s|i-h2|[a-z0-9-]+)\.pinimg\.com",
        ),
        Rule(r"^/+(?P<alias>[A-Za-z0-9_]{3,30})/*(?:\?.*)?$"),
    ),
    photo=r"^(?:[1-9][0-9]{5,19}|[0-9a-f]{32})$",
    alias=r"^[a-z0-9_]{3,30}$",
    sigil="@",
    read_alias=handle("pin search ideas explore login business today categories about settings topics"),
    profile="https://www.pinterest.com/{}/",
    photo_page="https://www.pinterest.com/pin/{}/",
    proof="Put the line into the About text of your profile.",
)

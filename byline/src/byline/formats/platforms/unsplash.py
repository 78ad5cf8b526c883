"""Unsplash: a photo's id is eleven characters, with or without words before it."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_WORD = r"(?:photos|fotos|foto|fotografias|fotografie|%E5%86%99%E7%9C%9F|%EC%82%AC%EC%A7%84)"
_ID = r"(?:[^/?]*-)?(?P<photo>[A-Za-z0-9_-]{11})"
_NAME = r"(?P<alias>[A-Za-z0-9_.-]{1,64})"

PLATFORM = Platform(
    name="unsplash",
    title="Unsplash",
    domains=("unsplash.com",),
    hosts=r"(?:www\.)?unsplash\.com",
    rules=(
        Rule(r"^/+(?:[a-z]{2}(?:-[A-Za-z]{2})?/+)?" + _WORD + "/+" + _ID + r"(?:[/?].*)?$"),
        Rule(
            r"^/+(?:[a-z]{2}(?:-[A-Za-z]{2})?/+)?(?:@|%40)"
            + _NAME
            + r"(?:/(?:portfolio|collections|illustrations)?)?/*(?:\?.*)?$"
        ),
        Rule(r"^/+" + _ID + r"/+download(?:[/?].*)?$", host=r"source\.unsplash\.com"),
        Rule(r"^/+" + _ID + r"(?:/[0-9]+x[0-9]+)?/*(?:\?.*)?$", host=r"source\.unsplash\.com"),
        Rule(
            r"^/+(?P<image>(?:premium_)?photo-[0-9]{10,14}-[0-9a-f]{12})(?:[?&/].*)?$",
            host=r"(?:images|plus)\.unsplash\.com",
        ),
        Rule(r"^/+(?P<image>reserve/[^?/]+|uploads/[^?/]+/[^?/]+)(?:\?.*)?$", host=r"images\.unsplash\.com"),
    ),
    photo=r"^(?:[A-Za-z0-9_-]{11}|(?:premium_)?photo-[0-9]{10,14}-[0-9a-f]{12}|(?:reserve|uploads)/.+)$",
    alias=r"^[a-z0-9_.-]{1,64}$",
    sigil="@",
    profile="https://unsplash.com/@{}",
    photo_page="https://unsplash.com/photos/{}",
    proof="Put the line into your profile's bio.",
)

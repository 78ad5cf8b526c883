"""Unsplash: a photo's id is eleven characters, with or without words before it."""

from __future__ import annotations

from urllib.parse import quote

from byline.formats.platforms.rules import Platform, Rule

_LANGUAGE = r"(?:[a-z]{2}(?:-[A-Za-z]{2})?/+)?"
_WORDS = (
    "photos fotos foto fotografias fotografie illustrations ilustraciones illustrationen ilustracoes illustrazioni "
    "写真 사진 照片 イラスト zdjęcia fotoğraflar fotografii bilder foton valokuvat الصور"
)
_WORD = "(?:" + "|".join(quote(word) for word in _WORDS.split()) + ")"
_ID = r"(?:[^/?]*-)?(?P<photo>[A-Za-z0-9_-]{11})"
_NAME = r"(?P<alias>[A-Za-z0-9_.-]{1,64})"

PLATFORM = Platform(
    name="unsplash",
    title="Unsplash",
    domains=("unsplash.com",),
    hosts=r"(?:www\.)?unsplash\.com",
    rules=(
        Rule(r"^/+" + _LANGUAGE + _WORD + "/+" + _ID + r"(?:[/?].*)?$"),
        Rule(
            r"^/+"
            + _LANGUAGE
            + r"(?:@|%40)"
            + _NAME
            + r"(?:/(?:portfolio|collections|illustrations)?)?/*(?:\?.*)?$"
        ),
        Rule(r"^/+" + _ID + r"/+download(?:[/?].*)?$", host=r"source\.unsplash\.com"),
        Rule(r"^/+" + _ID + r"(?:/[0-9]+x[0-9]+)?/*(?:\?.*)?$", host=r"source\.unsplash\.com"),
        Rule(
            r"^/+(?:flagged/+)?(?P<image>(?:premium_)?photo-[0-9]{10,14}-[0-9a-f]{12})(?:[?&/].*)?$",
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

"""Pexels: one number on the page, at the end of the words, and in the file's path."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{0,9})"
_LANGUAGE = r"(?:[a-z]{2}-[a-z]{2}/+)?"
_WORDS = "photo|foto|fotografie|fotografia|fotograf|zdjecie|bilde|billede|kuva|anh"  # as its languages say

PLATFORM = Platform(
    name="pexels",
    title="Pexels",
    domains=("pexels.com",),
    hosts=r"(?:www\.)?pexels\.com",
    rules=(
        Rule(r"^/+" + _LANGUAGE + f"(?:{_WORDS})" + r"/+(?:[^/?]*-)?" + _ID + r"/*(?:download/*)?(?:\?.*)?$"),
        Rule(r"^/+photos/+" + _ID + r"/.*$", host=r"(?:images|static)\.pexels\.com"),
        Rule(r"^/+photos/+" + _ID + r"/.*$"),
        Rule(r"^/+" + _LANGUAGE + r"(?:@|%40)(?P<alias>[A-Za-z0-9_.-]{1,100})/*(?:\?.*)?$"),
        Rule(r"^/+u/+(?P<alias>[A-Za-z0-9_.-]{1,100})/*(?:\?.*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,9}$",
    alias=r"^[a-z0-9_.-]{1,100}$",
    sigil="@",
    profile="https://www.pexels.com/@{}",
    photo_page="https://www.pexels.com/photo/{}/",
    proof="Put the line into the bio of your profile.",
)

"""Instagram: a post's short code. Who posts is not always who made it, so a post's address names no maker."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_CODE = r"(?P<photo>[A-Za-z0-9_-]{5,40})"

PLATFORM = Platform(
    name="instagram",
    title="Instagram",
    domains=("instagram.com", "instagr.am"),
    hosts=r"(?:(?:www|m)\.)?(?:instagram\.com|instagr\.am)",
    rules=(
        Rule(r"^/+(?:p|reel|reels|tv)/+" + _CODE + r"(?:[/?].*)?$"),
        Rule(r"^/+[A-Za-z0-9_.]{1,30}/+(?:p|reel|tv)/+" + _CODE + r"(?:[/?].*)?$"),
        Rule(r"^/+(?:@|%40)?(?P<alias>[A-Za-z0-9_.]{1,30})/*(?:\?.*)?$"),
    ),
    photo=r"^[A-Za-z0-9_-]{5,40}$",
    alias=r"^[a-z0-9_.]{1,30}$",
    sigil="@",
    read_alias=handle("p reel reels tv explore accounts about directory stories web legal developer"),
    profile="https://www.instagram.com/{}/",
    photo_page="https://www.instagram.com/p/{}/",
    proof="Put the line into the bio of your profile.",
)

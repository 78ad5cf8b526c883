"""Facebook: a photo's number, on its pages and in the middle of its files' names. A post names no maker."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{4,18})"

PLATFORM = Platform(
    name="facebook",
    title="Facebook",
    domains=("facebook.com", "fbcdn.net", "fb.com"),
    hosts=r"(?:(?:www|m|web|[a-z]{2}-[a-z]{2}|mbasic)\.)?(?:facebook|fb)\.com",
    rules=(
        Rule(r"^/+(?:photo|photo\.php|photo/)/*\?(?:.*&)?fbid=" + _ID + r"(?:&.*)?$"),
        Rule(r"^/+[^/?]+/+photos/+(?:(?:a|pb|pcb|gm|t)\.[^/?]+/+)?" + _ID + r"/*(?:\?.*)?$"),
        Rule(
            r"^/.*/[0-9]+_" + _ID + r"_[0-9]+_[a-z]\.(?:jpg|png|webp)(?:\?.*)?$",
            host=r"[a-z0-9.-]+\.fbcdn\.net",
        ),
        Rule(r"^/+profile\.php\?(?:.*&)?id=(?P<number>[1-9][0-9]{0,18})(?:&.*)?$"),
    ),
    photo=r"^[1-9][0-9]{4,18}$",
    number=r"^[1-9][0-9]{0,18}$",
    profile="https://www.facebook.com/profile.php?id={}",
    photo_page="https://www.facebook.com/photo/?fbid={}",
    proof="Put the line into your public intro.",
)

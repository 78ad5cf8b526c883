"""Imgur: ids of five or seven characters; a file's name may end in a letter that says its size."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_ID = r"(?P<photo>[A-Za-z0-9]{5}|[A-Za-z0-9]{7})"

PLATFORM = Platform(
    name="imgur",
    title="Imgur",
    domains=("imgur.com",),
    hosts=r"(?:(?:www|m)\.)?imgur\.com",
    rules=(
        Rule(r"^/+" + _ID + r"[sbtmlhrg]?\.[a-z0-9]{3,5}(?:\?.*)?$", host=r"(?:i\.|www\.)?imgur\.com"),
        Rule(
            r"^/+" + _ID + r"/*(?:\?.*)?$",
            reads={
                "photo": lambda text: (
                    None if text in {"about", "login", "upload", "privacy", "gallery"} else text
                )
            },
        ),
        Rule(r"^/+user/+(?P<alias>[A-Za-z0-9_]{3,63})(?:[/?].*)?$"),
    ),
    photo=r"^(?:[A-Za-z0-9]{5}|[A-Za-z0-9]{7})$",
    alias=r"^[a-z0-9_]{3,63}$",
    sigil="@",
    read_alias=handle("me"),
    profile="https://imgur.com/user/{}/about",
    photo_page="https://imgur.com/{}",
    proof="Put the line into your profile's bio.",
)

"""X (Twitter): a post's number and a file's key. Who posts a picture did not always make it.

A post names no maker.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

PLATFORM = Platform(
    name="x",
    title="X (Twitter)",
    domains=("twitter.com", "x.com", "twimg.com"),
    hosts=r"(?:(?:www|m|mobile)\.)?(?:twitter|x)\.com",
    rules=(
        Rule(r"^/+[A-Za-z0-9_]{1,15}/+status(?:es)?/+(?P<photo>[1-9][0-9]{2,19})(?:[/?].*)?$"),
        Rule(
            r"^/+media/+(?P<image>[A-Za-z0-9_-]{15})(?:[.?:].*)?$",
            host=r"pbs\.twimg\.com",
            reads={"image": "media-{}".format},
        ),
        Rule(r"^/+(?:@|%40)?(?P<alias>[A-Za-z0-9_]{1,15})/*(?:\?.*)?$"),
    ),
    photo=r"^(?:[1-9][0-9]{2,19}|media-[A-Za-z0-9_-]{15})$",
    alias=r"^[a-z0-9_]{1,15}$",
    sigil="@",
    read_alias=handle("home search explore i intent share hashtag settings about login tos privacy"),
    profile="https://x.com/{}",
    proof="Put the line into the bio of your profile.",
)

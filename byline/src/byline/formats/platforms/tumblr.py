"""Tumblr: posts have numbers, files tokens. A post may be someone else's, passed on.

Only a blog's own page names a maker.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_ID = r"(?P<photo>[1-9][0-9]{6,19})"
_BLOG = r"[a-z0-9][a-z0-9-]{0,31}"

PLATFORM = Platform(
    name="tumblr",
    title="Tumblr",
    domains=("tumblr.com",),
    hosts=r"(?:www\.)?tumblr\.com",
    rules=(
        Rule(
            r"^/.*(?P<image>tumblr_(?:inline_)?[0-9A-Za-z]{15,24})(?:_r[0-9]+)?_[0-9]+(?:sq)?\.[a-z]{3,5}(?:\?.*)?$",
            host=r"(?:[a-z0-9]+\.)?media\.tumblr\.com",
        ),
        Rule(r"^/+(?P<image>[0-9a-f]{32})/.*$", host=r"(?:[a-z0-9]+\.)?media\.tumblr\.com"),
        Rule(r"^/+(?:blog/+view/+)?" + _BLOG + "/+" + _ID + r"(?:[/?].*)?$"),
        Rule(r"^/+(?:blog/+view/+)?(?P<alias>" + _BLOG + r")/*(?:\?.*)?$"),
        Rule(r"^/+(?:post|image)/+" + _ID + r"(?:[/?].*)?$", host=_BLOG + r"\.tumblr\.com"),
        Rule(r"^/(?:\?.*)?$", host=r"(?P<alias>" + _BLOG + r")\.tumblr\.com"),
    ),
    photo=r"^(?:[1-9][0-9]{6,19}|tumblr_(?:inline_)?[0-9A-Za-z]{15,24}|[0-9a-f]{32})$",
    alias=r"^[a-z0-9][a-z0-9-]{0,31}$",
    sigil="@",
    read_alias=handle(
        "www media assets static api tagged search explore dashboard login register about policy blog"
    ),
    profile="https://{}.tumblr.com/",
    proof="Put the line into your blog's description.",
)

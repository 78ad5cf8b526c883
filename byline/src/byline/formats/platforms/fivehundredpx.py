"""500px: pages and file servers carry one number; older profiles stand at the root, newer ones under /p/."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

_ID = r"(?P<photo>[1-9][0-9]{0,11})"
_NAME = r"(?P<alias>[A-Za-z0-9_-]{2,64})"

PLATFORM = Platform(
    name="500px",
    title="500px",
    domains=("500px.com", "500px.org", "500px.net"),
    hosts=r"(?:(?:www|web|m)\.)?500px\.com",
    rules=(
        Rule(r"^/+photo/+" + _ID + r"(?:[/?].*)?$"),
        Rule(r"^/+photo/+" + _ID + "/.*$", host=r"drscdn\.500px\.org"),
        Rule(r"^/+" + _ID + r"/+[0-9a-f]{16,}/.*$", host=r"p*cdn\.500px\.(?:org|net)"),
        Rule(r"^/+p/+" + _NAME + r"(?:[/?].*)?$"),
        Rule(r"^/+" + _NAME + r"(?:/(?:about|galleries)?)?/*(?:\?.*)?$"),
    ),
    photo=r"^[1-9][0-9]{0,11}$",
    alias=r"^[a-z0-9_-]{2,64}$",
    read_alias=handle(
        "photo photos popular editors fresh upcoming search about login signup licensing blog quests "
        "galleries groups terms privacy upgrade creatives discover market home"
    ),
    profile="https://500px.com/p/{}",
    photo_page="https://500px.com/photo/{}",
    proof="Put the line into the About text of your profile.",
)

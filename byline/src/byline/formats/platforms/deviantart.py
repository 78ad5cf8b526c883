"""DeviantArt: the number at the end of a page's address.

File names carry the same number in base 36 after a `d`.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle


def base36(text: str) -> str | None:
    """`80p6u3` -> `484904667`."""
    return str(int(text, 36)) if text[0] != "0" else None


_WHOSE = r"(?P<alias>[A-Za-z0-9][A-Za-z0-9-]{0,31})"
_ART = r"(?:[^/?]*-)?(?P<photo>[1-9][0-9]{0,11})/*(?:\?.*)?$"
_SHORT = r"d(?P<short>[0-9a-z]{5,7})"
_READS = {"short": base36}

PLATFORM = Platform(
    name="deviantart",
    title="DeviantArt",
    domains=("deviantart.com", "deviantart.net", "fav.me", "wixmp.com"),
    hosts=r"(?:(?:www|m)\.)?deviantart\.com",
    rules=(
        Rule(r"^/+" + _WHOSE + "/+art/+" + _ART),
        Rule(r"^/+art/+" + _ART),
        Rule(r"^/+(?:deviation|view)/+(?P<photo>[1-9][0-9]{0,11})/*(?:\?.*)?$"),
        Rule(r"^/+" + _WHOSE + r"(?:/(?:gallery|about)(?:/.*)?)?/*(?:\?.*)?$"),
        Rule(r"^/+art/+" + _ART, host=_WHOSE.replace("A-Z", "") + r"\.deviantart\.com"),
        Rule(r"^/(?:gallery(?:/.*)?)?(?:\?.*)?$", host=_WHOSE.replace("A-Z", "") + r"\.deviantart\.com"),
        Rule(r"^/+" + _SHORT + r"/*(?:\?.*)?$", host=r"(?:www\.)?fav\.me", reads=_READS),
        Rule(
            r"^/.*-" + _SHORT + r"\.[a-z]{3,4}(?:\?.*)?$",
            host=r"[a-z]+[0-9]*\.deviantart\.(?:net|com)",
            reads=_READS,
        ),
        Rule(
            r"^/+(?:intermediary/+)?[fi]/+[0-9a-f-]{36}/+" + _SHORT + r"-[0-9a-f].*$",
            host=r"(?:images-)?wixmp-[0-9a-f]+\.wixmp\.com",
            reads=_READS,
        ),
    ),
    photo=r"^[1-9][0-9]{0,11}$",
    alias=r"^[a-z0-9][a-z0-9-]{0,31}$",
    read_alias=handle(
        "www m art tag topic search popular about team forum users groups shop prints daily- "
        "deviations watch join deviation view developers morelikethis core-membership img orig pre th "
        "fc backend api status stash chat help comments tv morelike"
    ),
    profile="https://www.deviantart.com/{}",
    photo_page="https://www.deviantart.com/deviation/{}",
    proof="Put the line into the bio of your profile.",
)

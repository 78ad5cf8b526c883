"""Behance: what has an id is the project.

The file server's newer numbers are of modules, so they only name files.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule, handle

PLATFORM = Platform(
    name="behance",
    title="Behance",
    domains=("behance.net", "be.net"),
    hosts=r"(?:www\.)?be(?:hance)?\.net",
    rules=(
        Rule(r"^/+[Gg]allery/+(?P<photo>[1-9][0-9]{0,11})(?:[/?].*)?$"),
        Rule(r"^/+[Gg]allery/+[^/?]+/+(?P<photo>[1-9][0-9]{0,11})(?:[/?].*)?$"),
        Rule(r"^/+embed/+project/+(?P<photo>[1-9][0-9]{0,11})(?:[/?].*)?$"),
        Rule(
            r"^/+rendition/+(?:pm|projects)/+(?P<photo>[1-9][0-9]{0,11})/.*$", host=r"m[0-9]*\.behance\.net"
        ),
        Rule(
            r"^/+project(?:s|_modules)/+(?:[^/?]+/+)?(?P<image>[0-9a-f]{6}[0-9]+\.[0-9A-Za-z_-]{8,})\.[A-Za-z]{3,4}(?:\?.*)?$",
            host=r"mir-[a-z0-9-]+\.behance\.net",
        ),
        Rule(r"^/+(?P<alias>[A-Za-z0-9_-]{2,64})(?:/(?:projects|info|appreciated)?)?/*(?:\?.*)?$"),
    ),
    photo=r"^(?:[1-9][0-9]{0,11}|[0-9a-f]{6}[0-9]+\.[0-9A-Za-z_-]{8,})$",
    alias=r"^[a-z0-9_-]{2,64}$",
    read_alias=handle(
        "embed gallery galleries search joblist jobs live assets blog pro features for_you hire freelance "
        "about careers featured onboarding collection moodboard misc dev"
    ),
    profile="https://www.behance.net/{}",
    photo_page="https://www.behance.net/gallery/{}",
    proof="Put the line into the About text of your profile.",
)

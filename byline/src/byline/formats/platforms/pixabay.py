"""Pixabay: one number on the page, at the end of the words, and in the file's name."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{2,9})"

PLATFORM = Platform(
    name="pixabay",
    title="Pixabay",
    domains=("pixabay.com",),
    hosts=r"(?:www\.)?pixabay\.com",
    rules=(
        Rule(
            r"^/+(?:[a-z]{2}/+)?(?:photos|fotos|illustrations|vectors|images)/+(?:[^/?]*-)?"
            + _ID
            + r"/*(?:\?.*)?$"
        ),
        Rule(
            r"^/+(?:photo|user)/+(?:[0-9]{2,4}/+){5,6}[^/?]*-"
            + _ID
            + r"(?:_[0-9_]+|__[0-9]+)?\.[a-z]{3,4}(?:\?.*)?$",
            host=r"cdn\.pixabay\.com",
        ),
        Rule(
            r"^/+(?:static/+uploads/+)?photo/+(?:[0-9]{2,4}/+){5,6}[^/?]*-"
            + _ID
            + r"(?:_[0-9_]+|__[0-9]+)?\.[a-z]{3,4}(?:\?.*)?$"
        ),
        Rule(r"^/+(?:[a-z]{2}/+)?users/+(?:[^/?]*-)?(?P<number>[1-9][0-9]{0,9})/*(?:\?.*)?$"),
    ),
    photo=r"^[1-9][0-9]{2,9}$",
    number=r"^[1-9][0-9]{0,9}$",
    profile="https://pixabay.com/users/{}/",
    photo_page="https://pixabay.com/images/id-{}/",
    proof="Put the line into the About text of your profile.",
)

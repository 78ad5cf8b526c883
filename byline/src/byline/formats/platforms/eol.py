"""Encyclopedia of Life: a data object's number; its file server only names the file by day and counter."""

from __future__ import annotations

import re

from byline.formats.platforms.rules import Platform, Rule


def stem(text: str) -> str:
    """`2013/12/01/17/01990` as one name."""
    return re.sub("/+", "-", text)


PLATFORM = Platform(
    name="eol",
    title="Encyclopedia of Life",
    domains=("eol.org",),
    hosts=r"(?:(?:www|media|content|beta)\.)?eol\.org",
    rules=(
        Rule(r"^/+(?:data_objects|media)/+(?P<photo>[1-9][0-9]{0,11})/*(?:\?.*)?$"),
        Rule(
            r"^/+content/+(?P<image>[0-9]{4}/+[0-9]{2}/+[0-9]{2}/+[0-9]{2}/+[0-9]{5})(?:_[a-z0-9_]+)?\.[a-z]{3,4}(?:\?.*)?$",
            host=r"(?:media|content)\.eol\.org",
            reads={"image": stem},
        ),
    ),
    photo=r"^(?:[1-9][0-9]{0,11}|[0-9]{4}(?:-[0-9]{2}){3}-[0-9]{5})$",
    photo_page="https://eol.org/data_objects/{}",
)

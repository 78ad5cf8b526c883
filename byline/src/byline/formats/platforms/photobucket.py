"""Photobucket: albums are named for their owner, files are not numbered."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

PLATFORM = Platform(
    name="photobucket",
    title="Photobucket",
    domains=("photobucket.com",),
    hosts=r"(?:www\.)?photobucket\.com",
    rules=(
        Rule(
            r"^/+albums/+[a-z]{0,2}[0-9]*/+(?P<alias>[A-Za-z0-9_.-]{2,64})/.*$",
            host=r"(?:i|s|rs|img|smg)[0-9]+\.photobucket\.com",
        ),
        Rule(r"^/+u/+(?P<alias>[A-Za-z0-9_.-]{2,64})(?:[/?].*)?$"),
        Rule(
            r"^/+user/+(?P<alias>[A-Za-z0-9_.-]{2,64})(?:[/?].*)?$",
            host=r"(?:[is][0-9]+|www)\.photobucket\.com",
        ),
    ),
    alias=r"^[a-z0-9_.-]{2,64}$",
    profile="https://photobucket.com/u/{}",
    proof="Put the line into your profile's description.",
)

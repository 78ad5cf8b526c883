"""DigitaltMuseum: objects of Nordic museums; the file server names a file, the page names the object."""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

PLATFORM = Platform(
    name="digitaltmuseum",
    title="DigitaltMuseum",
    domains=("digitaltmuseum.org", "digitaltmuseum.se", "digitaltmuseum.no", "dimu.org"),
    hosts=r"(?:www\.)?digitaltmuseum\.(?:org|se|no)",
    rules=(
        Rule(r"^/+(?P<photo>[0-9]{10,14})(?:[/?].*)?$"),
        Rule(
            r"^/+image/+(?P<image>[0-9A-Za-z]{10,16})(?:[/?].*)?$",
            reads={"image": "image-{}".format},
            host=r"(?:dms-cf-[0-9]+|dms[0-9]*|mm)\.dimu\.org",
        ),
    ),
    photo=r"^(?:[0-9]{10,14}|image-[0-9A-Za-z]{10,16})$",
    photo_page="https://digitaltmuseum.org/{}",
)

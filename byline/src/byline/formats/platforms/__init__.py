"""The platforms we know, one small file each; `shown` says what a canonical URL shows."""

from __future__ import annotations

from functools import lru_cache

from byline.formats.platforms import (
    artstation,
    behance,
    commons,
    deviantart,
    digitaltmuseum,
    dribbble,
    eol,
    facebook,
    fivehundredpx,
    flickr,
    geograph,
    imgur,
    inaturalist,
    instagram,
    macaulay,
    observation,
    panoramio,
    pexels,
    photobucket,
    pinterest,
    pixabay,
    reddit,
    smugmug,
    stock,
    tumblr,
    twitter,
    unsplash,
    youtube,
)
from byline.formats.platforms.rules import Platform, Rule, Shown

ALL: tuple[Platform, ...] = (
    flickr.PLATFORM,
    unsplash.PLATFORM,
    commons.PLATFORM,
    fivehundredpx.PLATFORM,
    deviantart.PLATFORM,
    behance.PLATFORM,
    artstation.PLATFORM,
    instagram.PLATFORM,
    tumblr.PLATFORM,
    smugmug.PLATFORM,
    geograph.PLATFORM,
    inaturalist.PLATFORM,
    observation.PLATFORM,
    macaulay.PLATFORM,
    eol.PLATFORM,
    digitaltmuseum.PLATFORM,
    pixabay.PLATFORM,
    pexels.PLATFORM,
    pinterest.PLATFORM,
    imgur.PLATFORM,
    reddit.PLATFORM,
    twitter.PLATFORM,
    facebook.PLATFORM,
    youtube.PLATFORM,
    dribbble.PLATFORM,
    photobucket.PLATFORM,
    panoramio.PLATFORM,
    stock.SHUTTERSTOCK,
    stock.GETTY,
    stock.ADOBE,
    stock.DREAMSTIME,
    stock.DEPOSITPHOTOS,
)
BY_NAME = {platform.name: platform for platform in ALL}
_BY_DOMAIN = {domain: platform for platform in ALL for domain in platform.domains}

__all__ = ["ALL", "BY_NAME", "Platform", "Rule", "Shown", "platform_of", "rules_of", "shown"]


@lru_cache(maxsize=65_536)
def platform_of(host: str) -> Platform | None:
    """The platform a host belongs to: `farm7.staticflickr.com` -> Flickr."""
    rest = host
    while rest:
        if rest in _BY_DOMAIN:
            return _BY_DOMAIN[rest]
        rest = rest.partition(".")[2]
    return None


@lru_cache(maxsize=65_536)
def rules_of(host: str) -> tuple[Rule, ...]:
    """The rules that speak about a host; none for most of the world's."""
    platform = platform_of(host)
    return () if platform is None else platform.rules_at(host)


def shown(canonical: str) -> Shown | None:
    """What a `b1` URL shows: a photo, a maker, both; None where no table knows it."""
    host = canonical.partition("/")[0]
    platform, rules = platform_of(host), rules_of(host)
    return platform.shown(rules, canonical) if platform and rules else None

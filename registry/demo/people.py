"""Synthetic people for the demo: many scripts, honest numbers of photos each, nobody real.

Identities lie outside what the platforms ever gave out (Flickr's `@N99`, photo ids above 900,000,000,000,
aliases that begin `demo-`), so that no real account can be meant by accident.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from anyascii import anyascii
from faker import Faker

LOCALES = (
    "en_GB", "pl_PL", "ja_JP", "zh_CN", "ko_KR", "ru_RU", "el_GR", "ar_AA", "he_IL", "pt_BR", "tr_TR",
    "de_DE", "cs_CZ",
)  # fmt: skip

# Photos per maker = lognormal with this spread: what measured sets show (sigma 1.9 to 2.1).
SIGMA = 1.95


@dataclass(frozen=True)
class Person:
    """One fictional photographer: `nsid` and `alias` name the same Flickr account.

    `photos` are their photo ids.
    """

    name: str
    nsid: str
    alias: str
    username: str
    photos: tuple[int, ...]


def slug(name: str) -> str:
    """Fold a name to what an alias may hold: `Łucja Żak` -> `lucja-zak`."""
    folded = "".join(c if c.isalnum() else "-" for c in anyascii(name).lower())
    return "-".join(part for part in folded.split("-") if part)[:40] or "someone"


def people(count: int, *, seed: int, mean: float = 6.0) -> list[Person]:
    """Make `count` people, the same for the same seed; the first of each script come first."""
    chance = random.Random(seed)  # noqa: S311 - demo data must be repeatable, not secret
    fakers = [Faker(locale) for locale in LOCALES]
    for at, faker in enumerate(fakers):
        faker.seed_instance(seed + at)
    mu = math.log(mean) - SIGMA**2 / 2
    made: list[Person] = []
    next_photo = 900_000_000_000
    for at in range(count):
        name = fakers[at % len(fakers)].name()
        photos = max(1, min(400, round(chance.lognormvariate(mu, SIGMA))))
        if at < len(LOCALES):
            photos = max(photos, 12)
        ids = tuple(next_photo + step * 37 + chance.randrange(37) for step in range(photos))
        next_photo += photos * 37
        label = slug(name)
        made.append(
            Person(
                name=name,
                nsid=f"{90_000_000 + at * 101}@N99",
                alias=f"demo-{label}-{at}",
                username=f"demo_{label.replace('-', '_')}_{at}",
                photos=ids,
            )
        )
    return made


def secret(photo: int, size: str = "") -> str:
    """Ten hex digits like a static URL's; the large sizes have another."""
    return f"{(photo * 2_654_435_761 + len(size) * 97) % 16**10:010x}"

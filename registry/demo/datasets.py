"""Five synthetic datasets, shaped as the world's are: each knows its photos in another form.

| dataset | knows a photo by | knows its maker by |
|---|---|---|
| lumen-labs/street-portraits | page with NSID, static URL | NSID and name |
| lumen-labs/faces-in-context (derived) | static URL of another size only | nothing |
| openwild/flora-atlas | page with the changeable alias | alias and name |
| harbour-archive/city-views | Unsplash, Wikimedia Commons, plain web | user names, names |
| dataset-watch/aerial-set (observer) | short links, mobile pages | name, sometimes NSID |
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from registry.demo.people import Person, people, secret

SEED = 20190129  # the week Diversity in Faces was announced
LICENCES = (
    "https://creativecommons.org/licenses/by/2.0/",
    "https://creativecommons.org/licenses/by-nc-sa/2.0/",
    "CC BY-NC 2.0",
    "by-sa 4.0",
    "All Rights Reserved",
)
BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
Row = dict[str, str]


@dataclass(frozen=True)
class DemoDataset:
    """What `byline manifest init` is told, and the file it is told of."""

    publisher: str
    name: str
    version: str
    file: Path
    options: tuple[str, ...]
    mapping: dict[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """`publisher/name`."""
        return f"{self.publisher}/{self.name}"


PUBLISHERS = {
    "lumen-labs": "Lumen Labs (fictional)",
    "openwild": "Open Wild Foundation (fictional)",
    "harbour-archive": "Harbour Archive (fictional)",
    "dataset-watch": "Dataset Watch (fictional observers)",
}


def base58(number: int) -> str:
    """Flickr's short-link alphabet."""
    digits = ""
    while number:
        number, rest = divmod(number, 58)
        digits = BASE58[rest] + digits
    return digits


def cast(count: int = 600) -> list[Person]:
    """The people of the demo."""
    return people(count, seed=SEED)


def street_portraits(cast_: list[Person], chance: random.Random) -> Iterator[Row]:
    """Pages by NSID and static URLs: everything a careful publisher has."""
    for person in cast_:
        for photo in person.photos[:60]:
            yield {
                "image_url": f"https://live.staticflickr.com/65535/{photo}_{secret(photo)}_b.jpg",
                "page": f"https://www.flickr.com/photos/{person.nsid}/{photo}/",
                "author": person.name,
                "author_url": f"https://www.flickr.com/people/{person.nsid}/",
                "licence": chance.choice(LICENCES),
                "title": f"Street, {2006 + photo % 14}",
                "id": f"sp-{photo}",
            }


def faces_in_context(cast_: list[Person], chance: random.Random) -> Iterator[Row]:
    """Static URLs of another size, from older hosts, and nobody's name: reached only through the photo."""
    for person in cast_:
        for photo in person.photos[:60:2]:
            name = f"{photo}_{secret(photo)}{chance.choice(('_z', '_m', '_n', ''))}.jpg"
            yield {
                "flickr_url": f"http://farm{photo % 9 + 1}.staticflickr.com/{photo % 9000}/{name}",
                "licence": chance.choice(LICENCES[:2]),
                "id": f"{photo % 10**9:012d}",
            }


def flora_atlas(cast_: list[Person], chance: random.Random) -> Iterator[Row]:
    """Pages by alias; some rows show the number too, which is what joins the two."""
    for person in cast_[::2]:
        for photo in person.photos[1:40:3] or person.photos[:1]:
            shown = f"https://www.flickr.com/photos/{person.nsid}/" if photo % 5 == 0 else ""
            yield {
                "landing": f"http://flickr.com/photos/{person.alias}/{photo}/in/photostream/",
                "by": person.name,
                "by_url": shown or f"https://www.flickr.com/photos/{person.alias}",
                "license": chance.choice(("CC-BY", "CC-BY-SA", "cc0 1.0")),
                "caption": f"Wild flower no. {photo % 997}",
            }


def city_views(cast_: list[Person], chance: random.Random) -> Iterator[Row]:
    """Other platforms, and makers known by a name alone."""
    for at, person in enumerate(cast_[::3]):
        for step, photo in enumerate(person.photos[:10]):
            kind = (at + step) % 3
            stem = f"Demo_city_{photo}.jpg"
            row = {
                "creator": person.name,
                "license": chance.choice(("Unsplash", "by-sa 4.0", "pdm 1.0")),
                "title": f"Harbour {photo % 131}",
            }
            if kind == 0:
                row["url"] = (
                    f"https://unsplash.com/photos/{base58(photo)[-7:].rjust(7, 'x')}{photo % 10_000:04d}"
                )
                row["creator_url"] = f"https://unsplash.com/@{person.username}"
            elif kind == 1:
                row["url"] = f"https://commons.wikimedia.org/wiki/Special:FilePath/{stem}"
                row["creator_url"] = f"https://commons.wikimedia.org/wiki/User:{person.username}"
            else:
                row["url"] = (
                    f"https://harbour.example/photos/{photo:x}-{secret(photo)}{secret(photo, 'o')}.jpg"
                )
                row["creator_url"] = ""
            yield row


def aerial_set(cast_: list[Person], chance: random.Random) -> Iterator[Row]:
    """What an observer noted down: short links, mobile pages, and a number only now and then."""
    for person in cast_[1::4]:
        for photo in person.photos[:8]:
            link = chance.choice(
                (
                    f"https://flic.kr/p/{base58(photo)}",
                    f"m.flickr.com/photos/{person.nsid}/{photo}",
                    f"https://www.flickr.com/photo.gne?id={photo}",
                )
            )
            yield {"link": link, "name": person.name, "licence": "CC BY-NC 2.0"}


def write_all(folder: Path) -> list[DemoDataset]:
    """Write the five files under `folder` and say how each is published. The same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    cast_ = cast()
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    face = said(
        purpose="face-recognition", access="research-only",
        personal_data="yes", notified="no", consented="no",
        annotation=("biometric:craniofacial measures", "demographic:skin tone"),
    )  # fmt: skip
    note = "Synthetic demo data; every person in it is fictional."
    return [
        DemoDataset(
            "lumen-labs",
            "street-portraits",
            "1.0.0",
            _parquet(folder / "street-portraits.parquet", list(street_portraits(cast_, chance))),
            said(title="Street Portraits", description=note, contact="mailto:data@lumen.example")
            + said(revocable="by-request")
            + face,
            {
                "url": "image_url",
                "landing_url": "page",
                "creator_name": "author",
                "creator_url": "author_url",
                "license": "licence",
                "title": "title",
                "item_id": "id",
            },
        ),
        DemoDataset(
            "lumen-labs",
            "faces-in-context",
            "1.0.0",
            _csv(folder / "faces-in-context.csv", list(faces_in_context(cast_, chance))),
            said(title="Faces in Context", description=note, derived_from="lumen-labs/street-portraits@1.0.0")
            + face,
            {"url": "flickr_url", "license": "licence", "item_id": "id"},
        ),
        DemoDataset(
            "openwild",
            "flora-atlas",
            "2024.1",
            _csv(folder / "flora-atlas.csv", list(flora_atlas(cast_, chance))),
            said(title="Flora Atlas", description=note, purpose="classification", access="open")
            + said(notified="yes", consented="no", revocable="yes"),
            {
                "landing_url": "landing",
                "creator_name": "by",
                "creator_url": "by_url",
                "license": "license",
                "title": "caption",
            },
        ),
        DemoDataset(
            "harbour-archive",
            "city-views",
            "3.1.0",
            _ndjson(folder / "city-views.ndjson", list(city_views(cast_, chance))),
            said(title="City Views", description=note, purpose="generative-training", access="open"),
            {
                "url": "url",
                "creator_name": "creator",
                "creator_url": "creator_url",
                "license": "license",
                "title": "title",
            },
        ),
        DemoDataset(
            "dataset-watch",
            "aerial-set",
            "2023-06",
            _csv(folder / "aerial-set.csv", list(aerial_set(cast_, chance))),
            said(title="Aerial Set, as observed", description=note, role="observer"),
            {"landing_url": "link", "creator_name": "name", "license": "licence"},
        ),
    ]


def said(**options: str | tuple[str, ...]) -> tuple[str, ...]:
    """Options of `byline manifest init`: `notified="no"` -> `--notified no`; a tuple is said for each."""
    words: list[str] = []
    for name, value in options.items():
        for one in (value,) if isinstance(value, str) else value:
            words += [f"--{name.replace('_', '-')}", one]
    return tuple(words)


def _parquet(path: Path, rows: list[Row]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")
    return path


def _csv(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _ndjson(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path

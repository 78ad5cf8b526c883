"""100,000 contributors and questions about them: NGA and NYPL names where ../shared is there, else Faker's.

Most of NGA's people have one recorded name, some several (married names, variants, pseudonyms). A contributor here has
them all, as one platform id has in many datasets; `unseen` variants are asked of people whose record lacks that one.
"""

from __future__ import annotations

import csv
import gzip
import random
import string
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anyascii import anyascii
from faker import Faker

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "names_cc0"
LETTERS = string.ascii_lowercase


@dataclass(frozen=True)
class Person:
    """One contributor; `held_back` is a name of theirs that no record has."""

    number: int
    names: tuple[str, ...]
    held_back: str | None = None

    @property
    def nsid(self) -> str:
        """Their number on the platform."""
        return f"{10_000_000 + self.number}@N09"


@dataclass(frozen=True)
class Question:
    """A text, and who should be among the first ten."""

    text: str
    wanted: int


def people(count: int) -> tuple[list[Person], str]:
    """Make them, and say where the names come from; the same each time."""
    if not SHARED.is_dir():
        return [Person(number, names) for number, names in enumerate(_synthetic(count))], "Faker"
    recorded = list(_nga())[: count // 2]
    with gzip.open(SHARED / "nypl_pic_photographers.csv.gz", "rt", encoding="utf-8") as file:
        plain = [row["display_name"] for row in csv.DictReader(file)][: count - len(recorded)]
    chance = random.Random(5)
    made = [_person(number, names, chance) for number, names in enumerate(recorded)]
    made += [Person(len(made) + at, (name,)) for at, name in enumerate(plain)]
    made += [Person(len(made) + at, names) for at, names in enumerate(_synthetic(count - len(made)))]
    return made, "NGA and NYPL" + (", the rest synthetic" if len(recorded) + len(plain) < count else "")


def questions(found: list[Person], count: int) -> dict[str, list[Question]]:
    """`count` questions of each kind."""
    chance = random.Random(11)
    some = chance.sample(found, min(len(found), count * 4))
    several = [person for person in found if len(person.names) > 1]
    kinds: dict[str, Iterator[Question]] = {
        "exact": (Question(person.names[0], person.number) for person in some),
        "folded": _asked(some, _folded),
        "one typo": _asked(some, lambda name: _typo(name, chance)),
        "prefix": _asked(some, _prefix),
        "handle": (Question(person.nsid, person.number) for person in some),
        "variant": (
            Question(chance.choice(person.names[1:]), person.number) for person in _shuffled(several, chance)
        ),
        "unseen variant": (
            Question(person.held_back, person.number)
            for person in _shuffled(found, chance)
            if person.held_back
        ),
    }
    return {
        kind: [question for _, question in zip(range(count), asked, strict=False)]
        for kind, asked in kinds.items()
    }


def _asked(some: list[Person], change: Callable[[str], str | None]) -> Iterator[Question]:
    for person in some:
        text = change(person.names[0])
        if text:
            yield Question(text, person.number)


def _shuffled(some: list[Person], chance: random.Random) -> list[Person]:
    return chance.sample(some, len(some))


def _person(number: int, names: tuple[str, ...], chance: random.Random) -> Person:
    """Of one person in two with several names, one is held back."""
    if len(names) < 2 or chance.random() < 0.5:
        return Person(number, names)
    return Person(number, names[:-1], names[-1])


def _nga() -> Iterator[tuple[str, ...]]:
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    with gzip.open(SHARED / "nga_constituents_altnames.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["displayname"].strip()]
    for row in sorted(rows, key=lambda row: row["nametype"] != "Preferred Name"):
        if row["nametype"] not in {"Spouse", "Member of"}:  # somebody else's name
            names[row["constituentid"]][row["displayname"]] = None
    yield from (tuple(given) for given in names.values())


def _synthetic(count: int) -> Iterator[tuple[str, ...]]:
    fakers = [
        Faker(locale) for locale in ("en_GB", "pl_PL", "de_DE", "ru_RU", "el_GR", "ko_KR", "cs_CZ", "pt_BR")
    ]
    for at, faker in enumerate(fakers):
        faker.seed_instance(at)
    for at in range(count):
        faker = fakers[at % len(fakers)]
        name = f"{faker.first_name()} {faker.last_name()} {at % 97:x}" if at % 3 else faker.name()
        yield (name, " ".join(reversed(name.split()))) if at % 5 == 0 else (name,)


def _folded(name: str) -> str | None:
    """Without accents and the other way round; only names that have accents."""
    plain = anyascii(name)
    return " ".join(reversed(plain.lower().split())) if plain != name else None


def _typo(name: str, chance: random.Random) -> str | None:
    """One insertion, deletion, substitution or swap in a word of five letters or more."""
    words = name.split()
    longer = [at for at, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not longer:
        return None
    at = chance.choice(longer)
    word, spot, letter = words[at], chance.randrange(len(words[at]) - 1), chance.choice(LETTERS)
    words[at] = chance.choice(
        [
            word[:spot] + letter + word[spot:],
            word[:spot] + word[spot + 1 :],
            word[:spot] + letter + word[spot + 1 :],
            word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :],
        ]
    )
    return " ".join(words)


def _prefix(name: str) -> str | None:
    """The last word begun: its first two thirds; two words or more, or thousands begin so."""
    words = name.split()
    last = words[-1]
    if len(words) < 2 or len(last) < 5:
        return None
    return " ".join([*words[:-1], last[: len(last) * 2 // 3]])

"""What a person filled in, read once, bounded, and given back to the page when it did not work."""

from __future__ import annotations

from dataclasses import dataclass

import flask

from byline.errors import Refused

CATEGORIES = (
    ("train-generative", "Training machines that make pictures or texts"),
    ("train-other", "Training other machines, such as face recognition"),
    ("data-mining", "Counting and analysing (data mining)"),
    ("ai-search", "Answers given by AI search"),
)
RELATIONS = (
    ("maker", "I made it"),
    ("pictured", "I am in it"),
    ("for-someone-else", "I act for somebody in it, for example my child"),
)
ALL = tuple(label for label, _ in CATEGORIES)


@dataclass(frozen=True)
class Choices:
    """What an opt-out asks; the defaults are what most people mean."""

    categories: tuple[str, ...] = ALL
    existing: str = "remove"
    whom: str = "all"

    @property
    def remove_existing(self) -> bool:
        """Take out what is there."""
        return self.existing != "keep"

    @property
    def publisher_only(self) -> bool:
        """Tell the publishers and nobody else."""
        return self.whom == "publisher"


@dataclass(frozen=True)
class ClaimForm:
    """`This is me`."""

    identity: str = ""
    email: str = ""


@dataclass(frozen=True)
class ItemForm(Choices):
    """Opting out by links."""

    urls: str = ""
    relation: str = "maker"
    datasets: str = ""
    email: str = ""

    def url_list(self) -> list[str]:
        """One link a line."""
        return lines(self.urls, most=100)

    def dataset_list(self) -> list[str]:
        """One `publisher/name` a line."""
        return lines(self.datasets, most=100)


def lines(text: str, *, most: int) -> list[str]:
    """The lines that hold something; Refused("too-many-lines") past `most`."""
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if len(found) > most:
        raise Refused("too-many-lines", f"At most {most} lines at a time, please.")
    return found


def field(name: str, *, most: int, default: str = "") -> str:
    """One field of the posted form; Refused("too-long") past `most` characters."""
    value = flask.request.form.get(name, default).strip()
    if len(value) > most:
        raise Refused("too-long", f"That is too long: at most {most} characters.", at=name)
    return value


def read_choices() -> Choices:
    """The three questions; Refused("no-use") where every use is unticked: silence is not taken for a yes."""
    ticked = tuple(label for label in ALL if label in flask.request.form.getlist("categories"))
    if not ticked:
        raise Refused("no-use", "Tick at least one use that your photos are not for.", at="categories")
    return Choices(categories=ticked, existing=field("existing", most=8), whom=field("whom", most=12))


def read_claim() -> ClaimForm:
    """Who, and how to reach them."""
    return ClaimForm(identity=field("identity", most=1000), email=field("email", most=254))


def read_item() -> ItemForm:
    """Links, relation, datasets, mail address, and the three questions."""
    asked = read_choices()
    relation = field("relation", most=20, default="maker")
    return ItemForm(
        categories=asked.categories,
        existing=asked.existing,
        whom=asked.whom,
        urls=field("urls", most=20_000),
        relation=relation if relation in dict(RELATIONS) else "maker",
        datasets=field("datasets", most=5_000),
        email=field("email", most=254),
    )

"""What a platform's table is made of: patterns over `b1` URLs, and what their groups mean.

Patterns are written in the subset that `re` and RE2 read alike (no lookaround, no backreference), so that one
table serves a single URL and a million. Every named group of a rule takes part in each of its matches:
`photo`, an id that stands for the photo everywhere; `short`, the same in another notation; `image`, a name of
the file only, used where a row shows no photo id; `number`, the maker's id that never changes; `alias`, the
maker's changeable name; `secret`, what a static URL adds to the id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Reading = Callable[[str], "str | None"]
"""From what a group caught to the id it means.

None says that the rule does not hold here (a reserved word).
"""


@dataclass(frozen=True)
class Shown:
    """What one URL shows; each is a full text (`flickr:123`), or None."""

    photo: str | None = None
    image: str | None = None
    maker: str | None = None
    static: str | None = None  # `{id}_{secret}` of a Flickr file


@dataclass(frozen=True, eq=False)
class Rule:
    """One kind of URL: `host` is matched whole (the platform's own if empty), `path` from its slash on."""

    path: str
    host: str = ""
    reads: Mapping[str, Reading] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> str:
        """Over a whole b1 text whose host is settled; a group in the host is caught again."""
        host = f"(?:{self.host})" if "(?P<" in self.host else "[^/]*"
        return "^" + host + self.path.removeprefix("^")

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern for one text."""
        return re.compile(self.pattern)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups."""
        return tuple(self.compiled.groupindex)


def handle(reserved: str) -> Reading:
    """Read an alias: lower-cased, and none of the words (parted by spaces) that the site keeps for itself."""
    words = frozenset(reserved.split())
    return lambda text: None if text.lower() in words else text.lower()


@dataclass(frozen=True, eq=False)
class Platform:
    """A place where makers keep photos: its hosts end in `domains`; a rule without a host means `hosts`."""

    name: str
    title: str
    domains: tuple[str, ...]
    hosts: str
    rules: tuple[Rule, ...]
    photo: str = r"^[0-9]+$"  # what a photo id looks like, as it stands behind `name:`
    number: str | None = None  # what a maker's number looks like
    alias: str | None = None  # what a maker's alias looks like, after `read_alias`
    sigil: str = ""  # stands before an alias in a contributor key
    read_alias: Reading = str.lower
    read_number: Reading = str
    read_photo: Reading = str
    profile: str | None = None  # the maker's own page, `{}` for the handle
    photo_page: str | None = None  # the photo's page, `{}` for the id
    proof: str | None = None  # where on it a maker can put a line of text that others read

    def maker_key(self, handle: str) -> str | None:
        """A contributor key from a handle as a person writes it; None if it cannot be one here."""
        bare = handle.removeprefix("@") if self.sigil or self.number is None else handle
        if self.number and (number := self.read_number(bare)) and re.match(self.number, number):
            return f"{self.name}:{number}"
        if self.alias and (alias := self.read_alias(bare)) and re.match(self.alias, alias):
            return f"{self.name}:{self.sigil}{alias}"
        return None

    def photo_id(self, value: str) -> str | None:
        """`name:id` of a photo id as a person writes it; None if it cannot be one here."""
        read = self.read_photo(value)
        return f"{self.name}:{read}" if read and re.match(self.photo, read) else None

    def is_number(self, handle: str) -> bool:
        """Whether the handle of a key is the number that never changes, not an alias."""
        return self.number is not None and re.match(self.number, handle) is not None

    def rules_at(self, host: str) -> tuple[Rule, ...]:
        """The rules that speak about this host."""
        return tuple(rule for rule in self.rules if re.fullmatch(rule.host or self.hosts, host))

    def shown(self, rules: tuple[Rule, ...], canonical: str) -> Shown | None:
        """What a b1 URL shows under these rules: the first that holds."""
        for rule in rules:
            found = rule.compiled.match(canonical)
            if found is None:
                continue
            read = {
                name: rule.reads.get(name, self.reading(name))(text)
                for name, text in found.groupdict().items()
            }
            if None not in read.values():
                return self._as_shown(read)
        return None

    def reading(self, group: str) -> Reading:
        """How a group is read where its rule does not say."""
        return {"alias": self.read_alias, "number": self.read_number, "photo": self.read_photo}.get(
            group, str
        )

    def _as_shown(self, read: Mapping[str, str | None]) -> Shown:
        photo, secret = read.get("photo") or read.get("short"), read.get("secret")
        maker = read.get("number") or (self.sigil + (read["alias"] or "") if "alias" in read else None)
        return Shown(
            photo=f"{self.name}:{photo}" if photo else None,
            image=f"{self.name}:{read['image']}" if "image" in read else None,
            maker=f"{self.name}:{maker}" if maker else None,
            static=f"{photo}_{secret}" if secret else None,
        )

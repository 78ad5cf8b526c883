"""Reading a JSON object member by member.

Every error names the place, and what nobody asked for is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from byline.errors import Refused
from byline.formats import canonical

HEX64 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
# Line breaks and tabs may stand in prose, other control characters nowhere: they turn up in terminals and
# CSV exports.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


class Fields:
    """One JSON object being read. Ask for each member once, then `done()`."""

    def __init__(self, value: object, at: str) -> None:
        """Refused("bad-shape") unless `value` is an object."""
        if not isinstance(value, Mapping):
            raise Refused("bad-shape", f"{at} must be an object", at=at)
        self._value: Mapping[str, Any] = value
        self._asked: set[str] = set()
        self.at = at

    def place(self, name: str) -> str:
        """Where the member stands: `predicate.records.count`."""
        return f"{self.at}.{name}"

    def take(self, name: str, *, missing: object = ...) -> Any:
        """The member as it is; Refused("missing-member") where it must be there and is not."""
        self._asked.add(name)
        if name in self._value:
            return self._value[name]
        if missing is ...:
            raise Refused("missing-member", f"{self.place(name)} is missing", at=self.place(name))
        return missing

    def text(
        self, name: str, *, longest: int, pattern: re.Pattern[str] | None = None, missing: object = ...
    ) -> str:
        """A string of 1 to `longest` characters without control characters, fitting `pattern` whole."""
        value = self.take(name, missing=missing)
        if not isinstance(value, str) or not 0 < len(value) <= longest or _CONTROL.search(value):
            raise self.wrong(name, f"a string of 1 to {longest} characters")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.wrong(name, f"like {pattern.pattern}")
        return value

    def text_or_none(self, name: str, *, longest: int, pattern: re.Pattern[str] | None = None) -> str | None:
        """As `text`; null or absent is None."""
        return (
            None
            if self.take(name, missing=None) is None
            else self.text(name, longest=longest, pattern=pattern)
        )

    def choice(self, name: str, allowed: Collection[str], *, missing: object = ...) -> str:
        """One word of a closed list."""
        value = self.take(name, missing=missing)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(name, f"one of {', '.join(allowed)}")
        return value

    def count(self, name: str, *, most: int = canonical.MAX_INT, missing: object = ...) -> int:
        """A whole number from 0."""
        value = self.take(name, missing=missing)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise self.wrong(name, f"a whole number from 0 to {most}")
        return value

    def hex64(self, name: str) -> str:
        """64 lower-case hex digits."""
        return self.text(name, longest=64, pattern=HEX64)

    def digest_or_none(self, name: str) -> str | None:
        """`sha256:HEX` as HEX; null or absent is None."""
        value = self.take(name, missing=None)
        if value is None:
            return None
        found = _DIGEST.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise self.wrong(name, "null or sha256: and 64 hex digits")
        return found[1]

    def items(self, name: str, *, most: int, missing: object = ...) -> list[Any]:
        """An array of at most `most`."""
        value = self.take(name, missing=missing)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(name, f"an array of at most {most}")
        return value

    def objects(self, name: str, *, most: int, missing: object = ...) -> list[Fields]:
        """An array of objects."""
        found = self.items(name, most=most, missing=missing)
        return [Fields(one, f"{self.place(name)}[{index}]") for index, one in enumerate(found)]

    def inner(self, name: str) -> Fields:
        """An object inside."""
        return Fields(self.take(name), self.place(name))

    def wrong(self, name: str, wanted: str) -> Refused:
        """The error for a member that is there and is not as it should be."""
        return Refused("bad-member", f"{self.place(name)} must be {wanted}", at=self.place(name))

    def done(self) -> None:
        """Refused("unknown-member") where something stands that nobody asked for."""
        for name in self._value:
            if name not in self._asked:
                raise Refused(
                    "unknown-member", f"{self.place(name[:80])} is not known here", at=self.place(name[:80])
                )

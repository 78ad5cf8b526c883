"""Fields and shapes that several subjects share."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any

import marshmallow as ma

from api.dumping import Dump, compiled

MAX_LIMIT = 100


class Strict(ma.Schema):
    """Takes what it names and nothing else."""

    class Meta:
        """Unknown members are refused."""

        unknown = ma.RAISE

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """As marshmallow, by what is found out once (`api.dumping`)."""
        if self.many if many is None else many:
            return [self._one(each) for each in obj]
        return self._one(obj)

    @cached_property
    def _one(self) -> Dump:
        return compiled(self, super().dump)


class Text(ma.fields.String):
    """A bounded text without control characters."""

    def __init__(self, most: int, *, least: int = 1, pattern: str | None = None, **said: Any) -> None:
        """`pattern` is an ECMA regular expression without anchors; the whole text must match it."""
        checks: list[Any] = [ma.validate.Length(least, most)]
        if pattern is not None:
            checks.append(ma.validate.Regexp(f"^(?:{pattern})$"))
        super().__init__(validate=checks, **said)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        # `$` of the pattern would let a final line break pass.
        if any(character < " " or character == "\x7f" for character in text):
            raise ma.ValidationError("Control characters are not taken here.")
        return text


class Flag(ma.fields.Boolean):
    """true or false; nothing that only looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return bool(super()._deserialize(value, attr, data, **kwargs))


class When(ma.fields.Field[dt.datetime]):
    """A time as RFC 3339 in UTC, to the second."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, dt.datetime):
            return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return value


class HexId(ma.fields.String):
    """128 bits in hex."""

    def __init__(self, **said: Any) -> None:
        super().__init__(validate=ma.validate.Regexp("^[0-9a-f]{32}$"), **said)


class DatasetRef(Text):
    """`publisher/name`."""

    def __init__(self, **said: Any) -> None:
        super().__init__(165, pattern="[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9._-]{0,99}", **said)


class Count(ma.fields.Field[Any]):
    """A whole number, or `<10` where a smaller one could point at a person."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return value


class PageQuery(Strict):
    """Where to go on, and how much at once."""

    limit = ma.fields.Integer(load_default=20, validate=ma.validate.Range(1, MAX_LIMIT))
    cursor = Text(600)

"""What goes out by the short way is what marshmallow would have sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import marshmallow as ma
import pytest

import api.app  # noqa: F401 - every schema there is
from api.schemas import Strict

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def every(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    for one in kind.__subclasses__():
        yield one
        yield from every(one)


SCHEMAS = sorted(
    (one for one in set(every()) if one.__module__.startswith("api.")), key=lambda one: one.__qualname__
)


def sample(field: ma.fields.Field[Any], turn: int) -> Any:  # noqa: PLR0911 - one for each kind
    """A value that a field of this kind may be given; another one each turn."""
    if turn == 3 and not isinstance(field, ma.fields.List):
        return None
    if isinstance(field, ma.fields.Nested):
        inner = {name: sample(each, turn) for name, each in field.schema.dump_fields.items()}
        return [inner, inner] if field.many else inner
    if isinstance(field, ma.fields.List):
        return [[], [sample(field.inner, 0)], [sample(field.inner, 1)] * 2, None][turn]
    if isinstance(field, ma.fields.Integer):
        return [7, True, "12", None][turn]
    if isinstance(field, ma.fields.Boolean):
        return [True, False, True, None][turn]
    if isinstance(field, ma.fields.String):
        return ["écrit", "", b"bytes", None][turn]
    if isinstance(field, ma.fields.Dict):
        return {"a": 1}
    return MOMENT


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda one: str(one.__qualname__))
@pytest.mark.parametrize("turn", range(4))
def test_the_same_as_marshmallow(schema: type[Strict], turn: int) -> None:
    shape = schema()
    full = {name: sample(field, turn) for name, field in shape.dump_fields.items()}
    for given in (full, dict(list(full.items())[::2]), full | {"unnamed": "stays here"}):
        quick, slow = shape.dump(given), ma.Schema.dump(shape, given)
        assert quick == slow
        assert list(quick) == list(slow)
        assert {name: type(value) for name, value in quick.items()} == {
            name: type(value) for name, value in slow.items()
        }
    assert shape.dump([full, full], many=True) == ma.Schema.dump(shape, [full, full], many=True)


def test_what_is_no_dict_is_left_to_marshmallow() -> None:
    class Shape(Strict):
        name = ma.fields.String()

    class Thing:
        name = "by attribute"

    assert Shape().dump(Thing()) == {"name": "by attribute"}


def test_a_field_that_is_called_otherwise_is_left_to_marshmallow() -> None:
    class Shape(Strict):
        name = ma.fields.String(attribute="called")
        count = ma.fields.Integer(dump_default=3)

    assert Shape().dump({"called": "x"}) == {"name": "x", "count": 3}

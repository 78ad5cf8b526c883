"""What a schema gives, without asking every field of every row how it is done.

Marshmallow finds out anew for each value where it comes from and how it is written: 15 µs for a row of five texts. Here
that is found out once for a schema. What is not a plain text, number or truth value of a plain dict is still left to
the field itself, so answers are the same to the byte; what the schema does not name goes out of neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma

Dump = Callable[[Any], Any]
_PLAIN: dict[type[ma.fields.Field[Any]], type] = {
    ma.fields.String: str,
    ma.fields.Integer: int,
    ma.fields.Boolean: bool,
}
_ABSENT = object()


def compiled(schema: ma.Schema, slow: Dump) -> Dump:
    """The dump of one object; `slow` is marshmallow's own, for whatever is no dict."""
    fields = [(name, field, _dump(field)) for name, field in schema.dump_fields.items()]

    def dump(given: Any) -> Any:
        if type(given) is not dict:
            return slow(given)
        told = {}
        for name, field, quick in fields:
            value = given.get(name, _ABSENT)
            if value is not _ABSENT:
                told[name] = quick(value, name, given) if quick else field.serialize(name, given)
        return told

    plain = all(
        field.attribute is None and field.data_key is None and field.dump_default is ma.missing
        for _, field, _ in fields
    )
    return dump if plain else slow


def _dump(field: ma.fields.Field[Any]) -> Callable[[Any, str, Any], Any] | None:
    """How this kind of field is written; None where only it knows."""
    kind = next((ours for theirs, ours in _PLAIN.items() if _writes_as(field, theirs)), None)
    if kind is not None:
        return lambda value, name, given: (
            value if value is None or type(value) is kind else field.serialize(name, given)
        )
    if type(field) is ma.fields.Nested:
        return lambda value, _name, _given: (
            None if value is None else field.schema.dump(value, many=field.schema.many or field.many)
        )
    if type(field) is ma.fields.List:
        inner = field.inner
        if type(inner) is ma.fields.Nested:
            return lambda value, _name, _given: (
                None
                if value is None
                else [None if each is None else inner.schema.dump(each) for each in value]
            )
        plain = next((ours for theirs, ours in _PLAIN.items() if _writes_as(inner, theirs)), None)
        return lambda value, name, given: (
            value
            if type(value) is list and all(type(each) is plain for each in value)
            else field.serialize(name, given)
        )
    return None


def _writes_as(field: ma.fields.Field[Any], kind: type[ma.fields.Field[Any]]) -> bool:
    """Whether a field is of this kind and writes as it does, whatever more it asks of what comes in."""
    own = type(field)
    plain = own._serialize is kind._serialize and own.serialize is kind.serialize  # noqa: SLF001
    return isinstance(field, kind) and plain and not getattr(field, "as_string", False)

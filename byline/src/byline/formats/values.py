"""Values of other types as text: numbers become plain decimals, everything else but text is refused."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused


def text_of(value: Any) -> str | None:
    """A JSON value as text: strings as they are, numbers as plain decimals, null as None.

    Refused("wrong-type") for true, false, arrays and objects, and for numbers without a decimal.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused("wrong-type", _INSTEAD.get(type(value), f"a {type(value).__name__}") + " stands here")
    return decimal_text(value)


_INSTEAD = {
    bool: "no text and no number but a truth value",
    list: "no text and no number but a list (.0 behind the name is its first)",
    dict: "no text and no number but a nested record (.NAME behind the name goes into it)",
}


def decimal_text(value: float) -> str:
    """Plain decimal digits: no exponent, no ".0"; the shortest that reads back as the same double."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise Refused("wrong-type", f"{value} is no number a text can hold")
    if value.is_integer():
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def text_column(column: pa.Array, name: str) -> pa.StringArray:
    """An Arrow column as plain strings.

    NaN is null (pandas writes missing numbers so), as is an infinity. Bytes are taken for UTF-8, as writers leave them
    that do not say which columns are text. Refused("wrong-column-type") for lists, structs, dates, truth values.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return text_column(column.dictionary_decode(), name)
    if pa.types.is_null(kind) or is_text(kind):
        # Not safe: which bytes are no UTF-8 is asked row by row later.
        return column if kind == pa.string() else column.cast(pa.string(), safe=False)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind):
        return _floats(column)
    raise wrong_column_type(name, kind)


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds strings, or bytes that may be some."""
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or is_bytes(kind)
    )


def is_bytes(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds bytes that nobody says are text: a picture, or a URL of a careless writer."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def is_coded_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds strings as numbers of words."""
    return bool(pa.types.is_dictionary(kind)) and is_text(kind.value_type)


def is_readable(kind: pa.DataType) -> bool:
    """Whether `text_column` takes a type."""
    if pa.types.is_dictionary(kind):
        return is_readable(kind.value_type)
    return bool(
        is_text(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )


def wrong_column_type(name: str, kind: pa.DataType) -> Refused:
    """The error for a column that is neither text nor numbers; it says how to reach what is in it."""
    inside = ""
    if is_list(kind):
        inside = f"; {name}.0 is the first of each list"
    elif pa.types.is_struct(kind) and kind.num_fields:
        inside = "; in it are " + ", ".join(f"{name}.{field.name}" for field in list(kind)[:10])
    return Refused(
        "wrong-column-type",
        f"the column {name!r} is {str(kind)[:80]}; text or numbers are read{inside}",
        at=name,
    )


def is_list(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds lists."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def list_element(column: pa.Array, at: int) -> pa.Array:
    """The element at a place of each list; null where a list is shorter, or null."""
    kind = column.type
    lists = column.cast(pa.list_(kind.value_type)) if pa.types.is_fixed_size_list(kind) else column
    there = pc.fill_null(pc.greater(pc.list_value_length(lists), at), False)
    starts = np.asarray(lists.offsets, dtype=np.int64)[:-1] + at
    return lists.values.take(pa.array(starts, mask=~np.asarray(there, dtype=bool)))


def _floats(column: pa.Array) -> pa.StringArray:
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    there = np.isfinite(numbers)
    whole = there & (np.floor(numbers) == numbers) & (np.abs(numbers) < 2**62)
    if bool((whole == there).all()):
        integers = np.where(there, numbers, 0).astype(np.int64)
        return pc.cast(pa.array(integers, mask=~there), pa.string())
    return pa.array(
        [decimal_text(float(one)) if ok else None for one, ok in zip(numbers, there, strict=True)],
        pa.string(),
    )

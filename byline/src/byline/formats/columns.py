"""Column expressions: how a field of ours is made of the columns of a file.

An expression is, and is tried in this order: the literal name of a column; a template with `{...}` in it; a
path. A path goes into nested records with dots (`metadata.author`) and into lists by number (`urls.0`), is `$key`
for the key of a record in a JSON object of records, or looks up a table of the same JSON document:
`license->licenses.url` is the `url` of that element of the member `licenses` whose `id` is this record's
`license`. In a template each `{path}` is replaced by its value, each `{path|form}` by its form-decoded value
(`+` is a space, `%XX` a byte of UTF-8); spaces at both ends go.

A template whose values are all empty is empty, and so is one with a URL's `://` of which any value is empty.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused

KEY = "$key"
_HOLE = re.compile(r"\{([^{}|]+)(\|form)?\}")
_SHOWN = 20
_MARKS = {"\t": r"'\t'", ";": "';'", "|": "'|'", ",": "','"}


@dataclass(frozen=True)
class Lookup:
    """`path->table.member`."""

    path: str
    table: str
    member: str


@dataclass(frozen=True)
class Hole:
    """One `{path}` of a template."""

    path: str
    form: bool


@dataclass(frozen=True)
class Expression:
    """A parsed expression: the text as given, and its template's pieces (a plain path: one hole)."""

    text: str
    pieces: tuple[str | Hole, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it needs, in order."""
        return tuple(piece.path for piece in self.pieces if isinstance(piece, Hole))

    @property
    def plain(self) -> str | None:
        """The path, where the value is the column's as it is."""
        only = self.pieces[0] if len(self.pieces) == 1 else ""
        return only.path if isinstance(only, Hole) and not only.form else None


def parse_expression(text: str, names: Collection[str]) -> Expression:
    """Read one expression; `names` are the literal columns of the file, as far as they are known."""
    if text in names or not _HOLE.search(text):
        return Expression(text, (Hole(text, form=False),))
    pieces: list[str | Hole] = []
    end = 0
    for found in _HOLE.finditer(text):
        pieces += [text[end : found.start()], Hole(found[1].strip(), form=bool(found[2]))]
        end = found.end()
    return Expression(text, tuple(piece for piece in (*pieces, text[end:]) if piece))


def parse_lookup(path: str) -> Lookup | None:
    """The look-up a path stands for, if it is one."""
    own, arrow, other = path.partition("->")
    table, dot, member = other.partition(".")
    return Lookup(own.strip(), table.strip(), member.strip()) if arrow and dot else None


def is_place(step: str) -> bool:
    """Whether a step of a path can be a place in a list."""
    return step.isdecimal() and step.isascii() and len(step) <= 4


def missing_column(path: str, names: Collection[str]) -> Refused:
    """The error for a column that is not there; it names those that are, and what may have been meant."""
    shown = ", ".join(repr(name[:100]) for name in list(names)[:_SHOWN])
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return Refused(
        "missing-column",
        f"there is no column {path!r}; the columns are {shown}{more}{_perhaps(path, names)}",
        at=path,
        details={"columns": list(names)[:200]},
    )


def undivided(names: Collection[str]) -> str:
    """What to say of a header that is one column and looks like several; empty where it does not."""
    only = next(iter(names)) if len(names) == 1 else ""
    mark = max(_MARKS, key=only.count)
    return f". Is that one column? Say --delimiter {_MARKS[mark]}" if mark in only else ""


def _perhaps(path: str, names: Collection[str]) -> str:
    if undivided(names):
        return undivided(names)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(path.casefold(), folded, n=1, cutoff=0.75)
    return f". Did you mean {folded[near[0]]!r}?" if near else ""


def evaluate(expressions: Mapping[str, Expression], raw: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Each field as a string array; an empty value is null."""
    return {name: _emptied(_value(expression, raw)) for name, expression in expressions.items()}


def _value(expression: Expression, raw: Mapping[str, pa.Array]) -> pa.Array:
    if expression.plain is not None:
        return raw[expression.plain]
    columns = [raw[path].to_pylist() for path in expression.paths]
    fill = _filler(expression)
    return pa.array([fill(values) for values in zip(*columns, strict=True)], pa.string())


def _filler(expression: Expression) -> Callable[[tuple[str | None, ...]], str | None]:
    is_url = any(isinstance(piece, str) and "://" in piece for piece in expression.pieces)
    enough = all if is_url else any

    def fill(values: tuple[str | None, ...]) -> str | None:
        if not enough(values):
            return None
        given = iter(values)
        return "".join(
            piece if isinstance(piece, str) else _filled(piece, next(given)) for piece in expression.pieces
        ).strip()

    return fill


def _filled(hole: Hole, value: str | None) -> str:
    # Bytes that are not UTF-8 become U+FFFD: a name with one broken letter is still a name.
    return unquote_plus(value or "", errors="replace").replace("\0", "\ufffd") if hole.form else value or ""


def _emptied(column: pa.Array) -> pa.Array:
    if len(column) and pc.any(pc.equal(column, "")).as_py():
        return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column

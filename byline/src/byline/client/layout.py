"""How a file that somebody wants filtered is read, and which of its columns are asked about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from byline.client.sources import Source, has_tabs
from byline.errors import Refused
from byline.formats import presets
from byline.formats.columns import missing_column, undivided
from byline.formats.names import column_names, named_only
from byline.formats.numbered import DEFAULT, ReadOptions
from byline.formats.unpack import unpacked

# `url`, `image_url`, `OriginalURL`, `photo.urls`, `uri`, `landing_page`, `identifier` (Darwin Core), `href`, `src`.
_URL = re.compile(
    r"(?:^|[^a-z])(?:ur[li]s?|href|src|link|identifier|references|landing|page|permalink)(?:$|[^a-z])"
    r"|[a-z](?:url|uri)s?$",
)
# A maker's profile or a licence says nothing about where the item lies; the registry matches neither.
_NOT_THE_ITEM = re.compile(
    r"licen[sc]e|creator|author|profile|photographer|uploader|user|owner|contributor|rights"
)
_SHA256 = re.compile(r"(?:^|[^a-z])sha_?256(?:$|[^a-z0-9])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Asked:
    """What the user says about the files' layout; None where nothing is said."""

    format: str | None = None
    delimiter: str | None = None
    quoting: bool = True
    header: tuple[str, ...] | None = None
    array: str | None = None
    preset: str | None = None
    url_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Columns:
    """The columns that are asked about."""

    urls: tuple[str, ...]
    digests: tuple[str, ...]


def options_of(source: Source, asked: Asked) -> ReadOptions:
    """How a file is read: by what is said, its first bytes, its name. No columns are mapped yet."""
    if asked.preset is not None:
        with source.open() as file:
            return replace(presets.fitted(asked.preset, file), columns={})
    format_ = asked.format or _format(source)
    return ReadOptions(
        format=format_,
        columns={},
        delimiter=asked.delimiter or ("\t" if has_tabs(source.name) else ","),
        quoting=asked.quoting,
        header=asked.header,
        array=asked.array,
    )


def registered_options(told: Mapping[str, Any], format_: str | None) -> ReadOptions | None:
    """As the publisher read the file, where the row index tells."""
    if format_ is None:
        return None
    header, delimiter = told.get("header"), told.get("delimiter", ",")
    array = told.get("array")
    return ReadOptions(
        format=format_,
        columns={},
        delimiter=delimiter if isinstance(delimiter, str) else ",",
        quoting=told.get("quoting") is not False,
        header=tuple(str(name) for name in header) if isinstance(header, list) else None,
        array=array if isinstance(array, str) else None,
    )


def columns_of(source: Source, options: ReadOptions, asked: Asked) -> Columns:
    """The columns to ask about: those given, else those whose names say so.

    Refused("missing-column") for a given one that is not there, Refused("no-url-column") where no name says so.
    """
    with source.open() as file:
        names = column_names(file, options)
    digests = tuple(name for name in names if is_digest_name(name))
    if asked.url_columns:
        for name in asked.url_columns:
            # JSON shows only the members its first records have; Parquet has columns that nobody guesses.
            if name not in names and options.format == "csv":
                raise missing_column(name, names)
        return Columns(asked.url_columns, digests)
    urls = tuple(name for name in names if is_url_name(name))
    if not (urls or digests) or undivided(names):
        with source.open() as file:
            named = named_only(file, options)
        shown = ", ".join(map(repr, names[:20])) + undivided(names)
        if named:
            shown += f"; also, when named, {', '.join(map(repr, named[:20]))}"
        raise Refused(
            "no-url-column",
            f"{source.name}: no column's name says that it holds URLs or SHA-256 digests; say --url-column. "
            f"The columns are {shown}",
            at=source.name,
        )
    return Columns(urls, digests)


def is_blank(source: Source, options: ReadOptions) -> bool:
    """Whether a text file holds nothing at all, as some shards of large sets do."""
    if options.format not in {"csv", "ndjson"}:
        return False
    with source.open() as file:
        return not any(block.strip() for block in unpacked(file, DEFAULT))


def is_url_name(name: str) -> bool:
    """Whether a column's name says that it holds URLs of items."""
    words, plain = _words(name), name.lower()
    return bool(_URL.search(words) or _URL.search(plain)) and not _NOT_THE_ITEM.search(plain)


def is_digest_name(name: str) -> bool:
    """Whether a column's name says that it holds SHA-256 digests of items."""
    return bool(_SHA256.search(_words(name)))


def _words(name: str) -> str:
    return _CAMEL.sub("_", name).lower()


def _format(source: Source) -> str:
    with source.open() as file:
        head = file.read(4)
    if head == b"PAR1":
        return "parquet"
    if source.format is None:
        raise Refused(
            "unknown-format", f"{source.name}: the name tells no format; say --format", at=source.name
        )
    return source.format


def same_columns(names: Sequence[str]) -> dict[str, str]:
    """A mapping that reads columns under neutral names."""
    return {f"c{at}": name for at, name in enumerate(names)}

"""What the URLs of a whole column show: the same tables as `shown`, run by Arrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.platforms import platform_of, rules_of
from byline.formats.platforms.rules import Platform, Rule
from byline.formats.url_columns import Hosts, Mask, as_mask, hosts_of_column, merged

Part = tuple[Mask, pa.StringArray]


@dataclass(frozen=True)
class ShownColumns:
    """Columns of what `Shown` is one of; all null is None."""

    photo: pa.StringArray | None
    image: pa.StringArray | None
    maker: pa.StringArray | None
    static: pa.StringArray | None


def shown_of_column(canonical: pa.StringArray, hosts: Hosts | None = None) -> ShownColumns:
    """What each b1 URL of a column shows, row by row equal to `shown`."""
    named = hosts or hosts_of_column(canonical)
    groups: dict[tuple[Rule, ...], list[int]] = {}
    for code, host in enumerate(named.names):
        if rules := rules_of(host):
            groups.setdefault(rules, []).append(code)
    found: dict[str, list[Part]] = {"photo": [], "image": [], "maker": [], "static": []}
    for rules, codes in groups.items():
        rows = (
            np.isin(named.codes, codes)
            if len(codes) < len(named.names)
            else np.ones(len(canonical), dtype=bool)
        )
        platform = platform_of(named.names[codes[0]])
        if platform is not None:
            _read_group(canonical, rows, (platform, rules), found)
    columns = {slot: merged(parts, len(canonical)) if parts else None for slot, parts in found.items()}
    return ShownColumns(columns["photo"], columns["image"], columns["maker"], columns["static"])


def statics_of_column(canonical: pa.StringArray, hosts: Hosts) -> pa.StringArray | None:
    """`{id}_{secret}` of each b1 URL that is a Flickr file; None where no row is."""
    parts: list[Part] = []
    for code, host in enumerate(hosts.names):
        rules = _static_rules(host)
        if not rules:
            continue
        open_rows = hosts.codes == code
        for rule in rules:
            texts = canonical if open_rows.all() else canonical.filter(pa.array(open_rows))
            caught = pc.extract_regex(texts, rule.pattern)
            here = open_rows.copy()
            here[open_rows] = holds = as_mask(caught.is_valid())
            both = pc.binary_join_element_wise(caught.field("photo"), caught.field("secret"), "_")
            parts.append((here, both if holds.all() else both.filter(pa.array(holds))))
            open_rows &= ~here
    return merged(parts, len(canonical)) if parts else None


@lru_cache(maxsize=65_536)
def _static_rules(host: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules_of(host) if "secret" in rule.groups)


def _read_group(
    canonical: pa.StringArray,
    rows: Mask,
    table: tuple[Platform, tuple[Rule, ...]],
    found: dict[str, list[Part]],
) -> None:
    platform, rules = table
    rows = rows.copy()
    for rule in rules:
        if not rows.any():
            return
        texts = canonical if rows.all() else canonical.filter(pa.array(rows))
        caught = pc.extract_regex(texts, rule.pattern)
        read, holds = _read(platform, rule, caught)
        if not holds.any():
            continue
        here = rows.copy()
        here[rows] = holds
        for slot, values in _slots(platform, read).items():
            found[slot].append((here, values if holds.all() else values.filter(pa.array(holds))))
        rows &= ~here


def _read(platform: Platform, rule: Rule, caught: pa.StructArray) -> tuple[dict[str, pa.StringArray], Mask]:
    holds = as_mask(caught.is_valid())
    read: dict[str, pa.StringArray] = {}
    if not holds.any():
        return read, holds
    parts = dict(zip((field.name for field in caught.type), caught.flatten(), strict=True))
    for name in rule.groups:
        reading = rule.reads.get(name, platform.reading(name))
        if reading is str or (name == "number" and _all_tidy(platform, parts[name])):
            read[name] = parts[name]
            continue
        read[name] = each_distinct(parts[name], reading)
        holds = holds & as_mask(read[name].is_valid())
    return read, holds


def _all_tidy(platform: Platform, numbers: pa.StringArray) -> bool:
    """Whether every number stands as keys hold it, `12345678@N00` and not `12345678%40n00`."""
    return (
        bool(pc.all(pc.match_substring_regex(numbers, platform.number)).as_py()) if platform.number else False
    )


def each_distinct(column: pa.StringArray, reading: Callable[[str], str | None]) -> pa.StringArray:
    """Apply a function of one text to every row, calling it once for each distinct text; null stays null."""
    encoded = column.dictionary_encode()
    values = pa.array([reading(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return values.take(encoded.indices)


def _slots(platform: Platform, read: dict[str, pa.StringArray]) -> dict[str, pa.StringArray]:
    slots: dict[str, pa.StringArray] = {}
    photo = read.get("photo", read.get("short"))
    if photo is not None:
        slots["photo"] = _prefixed(f"{platform.name}:", photo)
    if photo is not None and "secret" in read:
        slots["static"] = pc.binary_join_element_wise(photo, read["secret"], "_")
    if "image" in read:
        slots["image"] = _prefixed(f"{platform.name}:", read["image"])
    if "number" in read:
        slots["maker"] = _prefixed(f"{platform.name}:", read["number"])
    elif "alias" in read:
        slots["maker"] = _prefixed(f"{platform.name}:{platform.sigil}", read["alias"])
    return slots


def _prefixed(prefix: str, column: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise(prefix, column, "")

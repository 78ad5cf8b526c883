"""Canonical URLs of a whole column: what a pattern can settle is settled by Arrow, the rest one by one.

`canonical_urls(column)[i] == canonical_url(column[i])` for every i; tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.regexes import matches
from byline.formats.urls import LONGEST, canonical_url

# A URL that b1 changes in nothing but its scheme: no upper case or doubled hyphen in the host (punycode needs
# the parser), a last label of letters, no dot segment, escapes only of reserved characters in upper-case hex,
# no fragment.
_LABEL = r"[a-z0-9_]+(?:-[a-z0-9_]+)*"
_SAFE = r"A-Za-z0-9_~!$&()*+,;=:@\-"
_ESCAPE = r"%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])"
_REST = rf"(?:/(?:(?:[{_SAFE}]|{_ESCAPE})(?:[{_SAFE}.]|{_ESCAPE})*)?)+(?:\?(?:[{_SAFE}./?]|{_ESCAPE})+)?$"
_HTTPS = rf"^https://(?:{_LABEL}\.)+[a-z]+{_REST}"
_HTTP = rf"^http://(?:{_LABEL}\.)+[a-z]+{_REST}"
_BARE = rf"^(?:{_LABEL}\.)+(?:com|org|net){_REST}"
_GATES = ((_HTTPS, "https://"), (_HTTP, "http://"), (_BARE, ""))
# Parts that b1 drops or lowers, told apart for a whole column before the gates are tried again.
_PARTS = r"(?s)^(?P<head>[A-Za-z]{4,5}://[^/?#@\\:]+)(?::(?:80|443))?(?P<rest>/[^#]*)(?:#.*)?$"
_UNRESERVED = (("%7E", "~"), ("%5F", "_"), ("%2D", "-"))  # the ones that are met; others go one by one

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Hosts:
    """The hosts of a column of b1 texts: `names[codes[i]]` is row i's, with its port; "" where it is null."""

    names: list[str]
    codes: npt.NDArray[np.int32]


def string_array(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """One contiguous string array that begins at offset 0, of whatever string-like column comes."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    if pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_decode()
    plain = whole if whole.type == pa.string() else whole.cast(pa.string())
    return plain if plain.offset == 0 else pa.concat_arrays([plain, pa.array([], pa.string())])


def as_mask(flags: pa.BooleanArray) -> Mask:
    """A Boolean array as numpy, null as False."""
    full = flags.fill_null(False) if flags.null_count else flags
    return np.asarray(full.to_numpy(zero_copy_only=False), dtype=bool)


def canonical_urls(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """`b1` of every URL of a string column, in order; null where the scalar form gives None."""
    texts = string_array(column)
    open_rows = as_mask(texts.is_valid())
    if not open_rows.any():
        return pa.nulls(len(texts), pa.string())
    settled: list[tuple[Mask, pa.StringArray]] = []
    for pattern, scheme in _GATES:
        if not open_rows.any():
            break
        passed = _passing(texts, open_rows, (pattern, scheme))
        if passed.any():
            settled.append((passed, _without(scheme, texts, passed)))
            open_rows &= ~passed
    if open_rows.any():
        passed, values = _tidied(texts, open_rows)
        if len(values):
            settled.append((passed, values))
            open_rows &= ~passed
    if open_rows.any():
        one_by_one = [canonical_url(text) for text in texts.filter(pa.array(open_rows)).to_pylist()]
        settled.append((open_rows, pa.array(one_by_one, pa.string())))
    return merged(settled, len(texts))


def merged(parts: list[tuple[Mask, pa.StringArray]], length: int) -> pa.StringArray:
    """One array of parts that stand at the rows of their masks; null where no mask is set."""
    if len(parts) == 1 and len(parts[0][1]) == length:
        return parts[0][1]
    places = np.full(length, -1, dtype=np.int64)
    start = 0
    for mask, values in parts:
        places[mask] = np.arange(start, start + len(values))
        start += len(values)
    if not start:
        return pa.nulls(length, pa.string())
    together = pa.concat_arrays([values for _, values in parts])
    return together.take(pa.array(places, mask=places < 0))


def hosts_of_column(canonical: pa.StringArray) -> Hosts:
    """The distinct hosts of a column of b1 texts, each named once: a crawl of millions has few."""
    texts = string_array(canonical)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[: len(texts) + 1]
    data = _bytes_of(texts)
    slashes = np.append(np.flatnonzero(data == ord("/")), len(data)).astype(np.int32)
    starts, ends = offsets[:-1], slashes[np.searchsorted(slashes, offsets[:-1])]
    ends = np.where(as_mask(texts.is_valid()), ends, starts) if texts.null_count else ends
    encoded = _cut(data, starts, ends - starts).dictionary_encode()
    return Hosts(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())


def _passing(texts: pa.StringArray, open_rows: Mask, gate: tuple[str, str]) -> Mask:
    pattern, scheme = gate
    if scheme and not pc.any(pc.starts_with(texts, scheme)).as_py():
        return np.zeros(len(texts), dtype=bool)
    if open_rows.all() or open_rows.mean() > 0.5:
        passed = matches(texts, pattern) & open_rows
    else:
        passed = np.zeros(len(texts), dtype=bool)
        passed[open_rows] = matches(texts.filter(pa.array(open_rows)), pattern)
    longest: int = pc.max(pc.binary_length(texts)).as_py() or 0
    return passed if longest <= LONGEST else passed & as_mask(pc.less_equal(pc.binary_length(texts), LONGEST))


def _without(scheme: str, texts: pa.StringArray, passed: Mask) -> pa.StringArray:
    chosen = texts if passed.all() else texts.filter(pa.array(passed))
    return pc.utf8_slice_codeunits(chosen, len(scheme)) if scheme else chosen


def _tidied(texts: pa.StringArray, open_rows: Mask) -> tuple[Mask, pa.StringArray]:
    """Which open rows pass a gate once fragments, capitals, ports and escapes are undone, and their `b1`.

    What is undone is what `b1` undoes; a text in which that would not be all does not pass, and is read as it came.
    """
    chosen = texts.filter(pa.array(open_rows))
    tidy = _tidy(chosen)
    short = as_mask(pc.less_equal(pc.binary_length(chosen), LONGEST))
    settled: list[tuple[Mask, pa.StringArray]] = []
    for gate in _GATES[:2]:
        passed = _passing(tidy, as_mask(tidy.is_valid()) & short, gate)
        if passed.any():
            settled.append((passed, _without(gate[1], tidy, passed)))
    found = merged(settled, len(chosen))
    rows = open_rows.copy()
    rows[open_rows] = as_mask(found.is_valid())
    return rows, found.drop_null()


def _tidy(texts: pa.StringArray) -> pa.StringArray:
    parts = pc.extract_regex(texts, _PARTS)
    whole = pc.binary_join_element_wise(pc.ascii_lower(parts.field("head")), parts.field("rest"), "")
    if not (_bytes_of(whole) == ord("%")).any():
        return whole
    whole = _upper_escapes(whole)
    for escape, character in _UNRESERVED:
        whole = pc.replace_substring(whole, escape, character)
    return whole


def _upper_escapes(texts: pa.StringArray) -> pa.StringArray:
    """The two letters behind every percent sign in upper case: the same bytes in the same places otherwise."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[: len(texts) + 1]
    data = _bytes_of(texts).copy()
    signs = np.flatnonzero(data == ord("%"))
    ends = offsets[np.searchsorted(offsets, signs, side="right")]
    for behind in (1, 2):
        places = (signs + behind)[signs + behind < ends]
        places = places[(data[places] >= ord("a")) & (data[places] <= ord("f"))]
        data[places] -= 32
    return pa.Array.from_buffers(
        pa.string(),
        len(texts),
        [texts.buffers()[0], texts.buffers()[1], pa.py_buffer(data)],
        texts.null_count,
    )


def _bytes_of(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    buffer = texts.buffers()[2]
    end = int(np.frombuffer(texts.buffers()[1], dtype=np.int32)[len(texts)])
    return np.frombuffer(buffer, dtype=np.uint8)[:end] if buffer is not None else np.zeros(0, dtype=np.uint8)


def _cut(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]
) -> pa.StringArray:
    """The substrings that begin at `starts`: Arrow has no kernel that slices each row elsewhere."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    places = np.arange(offsets[-1], dtype=np.int32) + np.repeat(starts - offsets[:-1], lengths)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data[places])]
    return pa.Array.from_buffers(pa.string(), len(lengths), buffers)

"""The synced feed, asked offline: `Feed.open(state).mask(urls)`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from byline.client import verified
from byline.client.catching_up import open_set
from byline.client.keysets import KeptSet
from byline.client.state import State
from byline.errors import NotFound, Refused
from byline.formats import categories, rowfeed
from byline.formats.feedhead import Head, RowEntry, parse_index, verify_head
from byline.formats.keyfeed import LIMIT, Keys
from byline.formats.publishable import batch_probes
from byline.formats.selectors import fingerprints

ANY = "any"
KEPT, FS, U, SHA256, HOST, UNREADABLE, ROW, ITEM = range(8)
KINDS = ("kept", "fs", "u", "sha256", "h", "unreadable", "row", "item")

Verdicts = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class KeyIndex:
    """Sorted keys with a bitmap before them: nearly every probe that misses ends at one bit, and touches no key."""

    def __init__(self, keys: KeptSet) -> None:
        """About 2 bytes a key, beside the keys themselves, which stay in their file."""
        self._keys = keys
        self._shift = 60 - min(max(len(keys.k).bit_length() + 3, 13), 32)
        self._bitmap = np.zeros(LIMIT >> self._shift >> 3, dtype=np.uint8)
        for piece in keys.pieces():
            places = piece.k >> self._shift
            np.bitwise_or.at(self._bitmap, places >> 3, np.left_shift(1, places & 7).astype(np.uint8))

    def has(self, probes: Keys, bits: int) -> Mask:
        """Which probes are keys that share a bit with `bits`; -1 never is."""
        if not len(self._keys.k) or not len(probes):
            return np.zeros(len(probes), dtype=bool)
        places = np.maximum(probes, 0) >> self._shift
        found: Mask = ((self._bitmap[places >> 3] >> (places & 7).astype(np.uint8)) & 1).astype(bool)
        perhaps = np.flatnonzero(found)
        found[perhaps] = (self._keys.bits_at(probes[perhaps]) & bits) > 0
        self._keys.release()
        return found


@dataclass(frozen=True)
class Use:
    """What the files are for: the label as asked, its bits, and the label the feed knows it by."""

    asked: str
    bits: int
    label: str


def use_of(asked: str | None) -> Use:
    """`any` where nothing is said; an unknown label counts as any, too: it fails closed."""
    if asked is None or asked == ANY:
        return Use(ANY, categories.EVERYTHING, ANY)
    bits = categories.bits([asked])
    return Use(asked, bits, asked if asked in categories.CATEGORIES else ANY)


class Feed:
    """A feed that was believed when it was synced and is fresh now."""

    def __init__(self, state: State, head: Head) -> None:
        """Use `open`, which checks what must be checked."""
        self.state, self.head = state, head
        self._keys = KeyIndex(open_set(state, head, state.recipe(head.seq)))

    @classmethod
    def open(
        cls,
        state: str | Path,
        *,
        pin: int | None = None,
        max_age: dt.timedelta | None = None,
        now: dt.datetime | None = None,
    ) -> Feed:
        """Open a synced state folder; everything is checked again, and what cannot be believed is an error.

        `pin`: go by the head of this number, even an expired one, so that a run can be repeated. NotFound("no-state",
        "no-feed", "no-such-seq"), Untrusted("feed-expired", "feed-stale", "state-damaged", "bad-signature").
        """
        kept = State(Path(state))
        vkey = kept.vkey()
        believed = kept.at(pin) if pin is not None else kept.last()
        if believed is None or vkey is None:
            raise NotFound("no-feed", f"{state} holds no believed feed; run byline sync --state {state}")
        head = verify_head(believed.json, believed.note, vkey)
        if pin is None:
            verified.check_fresh(head, now=now or dt.datetime.now(dt.timezone.utc), max_age=max_age)
        return cls(kept, head)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as the folder and the head's number: another process opens the same head itself, and checks it again."""
        return _reopened, (str(self.state.folder.absolute()), self.head.seq)

    def mask(self, urls: Any, *, for_: str = ANY, on_unreadable: str = "drop") -> Mask:
        """One bool a URL: True = keep.

        `urls`: a list, a numpy, pandas or pyarrow array (also chunked) of strings. `for_`: the use
        (`train-generative`, `train-other`, `data-mining`, `ai-search`); default any, unknown as any. What cannot be
        read, null included, is dropped, unless `on_unreadable` is "keep". This asks fingerprints only: no mask says
        that nobody objected.
        """
        if on_unreadable not in {"drop", "keep"}:
            raise Refused("bad-choice", "on_unreadable is drop or keep", at="on_unreadable")
        verdicts = self.verdicts([url_array(urls)], [], use=use_of(for_))
        keep: Mask = verdicts == KEPT
        return keep | (verdicts == UNREADABLE) if on_unreadable == "keep" else keep

    def verdicts(self, urls: Sequence[pa.Array], digests: Sequence[pa.Array], *, use: Use) -> Verdicts:
        """For each row of these columns KEPT, UNREADABLE (no URL and no digest can be asked about), or why it goes."""
        rows = len((*urls, *digests)[0])
        found = np.full(rows, UNREADABLE, dtype=np.uint8)
        hits: list[tuple[int, Mask]] = []
        for column in digests:
            k = fingerprints("sha256", _digests(column))
            found[k >= 0] = KEPT
            hits.append((SHA256, self._keys.has(k, use.bits)))
        for column in urls:
            probes = batch_probes(column, hosts=bool(self.head.hosts))
            found[probes.readable] = KEPT
            hit = self._keys.has(probes.k, use.bits)
            hits += [(FS, hit & probes.fs), (U, hit & ~probes.fs)]
            if probes.host_index is not None and probes.host_ks:
                hits.append((HOST, self._host_hits(probes.host_index, probes.host_ks, use.bits)))
        for kind, hit in hits:
            found[hit & ((found == KEPT) | (found == UNREADABLE))] = kind
        return found

    def _host_hits(self, places: npt.NDArray[np.int32], keys: list[tuple[int, ...]], bits: int) -> Mask:
        flat = np.array([k for ks in keys for k in ks], dtype=np.int64)
        owner = np.repeat(np.arange(len(keys)), [len(ks) for ks in keys])
        covered = np.zeros(len(keys) + 1, dtype=bool)  # the last one is for -1
        covered[owner[self._keys.has(flat, bits)]] = True
        return covered[places]

    def entries(self, file_sha256: str) -> tuple[RowEntry, ...]:
        """What the row index says about a file."""
        part = self.head.index.get(file_sha256[:2])
        if part is None:
            return ()
        return parse_index(self.state.bytes_of(part.path, part.sha256)).get(file_sha256, ())

    def rows(self, entry: RowEntry, *, use: Use) -> BitMap64:
        """The rows of a file that a use may not have."""
        bitmap = entry.bitmaps.get(use.label) or entry.bitmaps[ANY]
        if bitmap.file is None:
            return BitMap64()
        return rowfeed.read(self.state.bytes_of(bitmap.file.path, bitmap.file.sha256))


def _reopened(folder: str, seq: int) -> Feed:
    return Feed.open(folder, pin=seq)


def url_array(urls: Any) -> pa.Array | pa.ChunkedArray:
    """Whatever holds strings, as an Arrow array; Refused("not-urls")."""
    if isinstance(urls, (pa.Array, pa.ChunkedArray)):
        return urls
    if isinstance(urls, (str, bytes)):
        raise Refused("not-urls", "give a list or an array of URLs, not one")
    try:
        if hasattr(urls, "__arrow_array__") or isinstance(urls, np.ndarray) or hasattr(urls, "to_numpy"):
            return pa.array(urls, from_pandas=True).cast(pa.string())
        return pa.array(list(urls), pa.string())
    except (pa.ArrowException, UnicodeEncodeError, TypeError) as error:
        raise Refused("not-urls", f"URLs are strings: {error}") from error


def _digests(column: pa.Array) -> pa.Array:
    """Hex digests in lower case, null for anything else."""
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    return pc.if_else(pc.match_substring_regex(texts, "^[0-9a-f]{64}$"), texts, pa.scalar(None, pa.string()))

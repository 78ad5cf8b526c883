"""Synthetic records in Flickr's shape, made in columns: how many photos one maker has follows the real sets.

Photos per maker = max(1, round(lognormal(mu, sigma))), sigma 1.95, mean 171: YFCC100M's 99 M photos by 581,099 makers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SIGMA, MEAN = 1.95, 171.0
PIECE = 1_000_000
SEED = 20190129
LICENCES = (
    "https://creativecommons.org/licenses/by/2.0/",
    "https://creativecommons.org/licenses/by-nc/2.0/",
    "https://creativecommons.org/licenses/by-nc-sa/2.0/",
    "https://creativecommons.org/licenses/by-nd/2.0/",
)


def photos(rows: int, *, seed: int = SEED) -> pa.Table:
    """`rows` records: url, landing_url, creator_name, creator_url, license, title; makers in no order."""
    return pa.concat_tables(pieces(rows, seed=seed))


def write_photos(path: Path, rows: int, names: Sequence[str] | None = None, *, seed: int = SEED) -> None:
    """The same as Parquet, in bounded memory but for 16 B a row. `names`: of the makers, as many as there are."""
    parts = pieces(rows, names, seed=seed)
    first = next(parts)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
        for part in chain((first,), parts):
            writer.write_table(part, row_group_size=65_536)


def pieces(rows: int, names: Sequence[str] | None = None, *, seed: int = SEED) -> Iterator[pa.Table]:
    """The records, a million at a time."""
    chance = np.random.default_rng(seed)
    maker = owners(rows, len(names) if names else max(1, round(rows / MEAN)), chance)
    photo = chance.permutation(rows).astype(np.int64) + 3_000_000_000
    called = pa.array(names) if names else None
    for at in range(0, rows, PIECE):
        piece = slice(at, at + PIECE)
        yield _records(maker[piece], photo[piece], called, chance)


def owners(rows: int, makers: int, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which maker each record is by; every maker has one at least, where there are enough."""
    counts = chance.lognormal(math.log(MEAN) - SIGMA**2 / 2, SIGMA, makers)
    counts = np.maximum(1, np.round(counts * (rows / counts.sum()))).astype(np.int64)
    found = np.repeat(np.arange(makers, dtype=np.int64), counts)
    if len(found) < rows:
        found = np.concatenate([found, chance.choice(found, rows - len(found))])
    return chance.permutation(found)[:rows]


def _records(
    maker: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64],
    names: pa.Array | None,
    chance: np.random.Generator,
) -> pa.Table:
    rows, photo = len(maker), _text(number)
    nsid = _join(_text(maker + 10_000_000), "@N00")
    return pa.table(
        {
            "url": _join(
                "https://live.staticflickr.com/65535/", photo, "_", _secrets(rows, chance), "_b.jpg"
            ),
            "landing_url": _join("https://www.flickr.com/photos/", nsid, "/", photo, "/"),
            "creator_name": names.take(pa.array(maker)) if names else _join("Photographer ", _text(maker)),
            "creator_url": _join("https://www.flickr.com/people/", nsid, "/"),
            "license": pa.array(LICENCES).take(pa.array(chance.integers(0, len(LICENCES), rows))),
            "title": _join(
                "Street ",
                _text(chance.integers(0, 50_000, rows)),
                ", ",
                _text(chance.integers(2004, 2015, rows)),
            ),
        }
    )


def _secrets(rows: int, chance: np.random.Generator) -> pa.Array:
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[chance.integers(0, 16, (rows, 10))]
    return pa.array(np.ascontiguousarray(digits).view("S10").ravel()).cast(pa.string())


def _text(numbers: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _join(*pieces: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, "")

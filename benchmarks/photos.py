"""Synthetic records in Flickr's shape, made in columns: how many photos one maker has follows the real sets.

Photos per maker = max(1, round(lognormal(mu, sigma))), sigma 1.95, mean 171: YFCC100M's 99 M photos by 581,099 makers.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SIGMA, MEAN = 1.95, 171.0
LICENCES = (
    "https://creativecommons.org/licenses/by/2.0/",
    "https://creativecommons.org/licenses/by-nc/2.0/",
    "https://creativecommons.org/licenses/by-nc-sa/2.0/",
    "https://creativecommons.org/licenses/by-nd/2.0/",
)


def photos(rows: int, *, seed: int = 20190129) -> pa.Table:
    """`rows` records: url, landing_url, creator_name, creator_url, license, title; makers in no order."""
    chance = np.random.default_rng(seed)
    maker = owners(rows, chance)
    photo = _text(chance.permutation(rows).astype(np.int64) + 3_000_000_000)
    nsid = _join(_text(maker + 10_000_000), "@N00")
    secret = _secrets(rows, chance)
    return pa.table(
        {
            "url": _join("https://live.staticflickr.com/65535/", photo, "_", secret, "_b.jpg"),
            "landing_url": _join("https://www.flickr.com/photos/", nsid, "/", photo, "/"),
            "creator_name": _join("Photographer ", _text(maker)),
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


def owners(rows: int, chance: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which maker each record is by."""
    mu = math.log(MEAN) - SIGMA**2 / 2
    counts = np.maximum(1, np.round(chance.lognormal(mu, SIGMA, rows // 20 + 100))).astype(np.int64)
    makers = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    while len(makers) < rows:
        makers = np.concatenate([makers, makers + makers[-1] + 1])
    return chance.permutation(makers[:rows])


def _secrets(rows: int, chance: np.random.Generator) -> pa.Array:
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[chance.integers(0, 16, (rows, 10))]
    return pa.array(np.ascontiguousarray(digits).view("S10").ravel()).cast(pa.string())


def _text(numbers: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _join(*pieces: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*pieces, "")

"""The fingerprints of many rows: formats.publishable.row_fingerprints over columns, with the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.probes import batch_probes
from byline.formats.publishable import row_fingerprints
from registry.optouts.arrays import Ints

# Without one of these no URL is unguessable: a run of letters and digits, a UUID, what parsing may make one.
_MAY_BE_DRAWN = r"[0-9A-Za-z]{20}|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-|[%\t\n\r]"


@dataclass(frozen=True)
class Fingerprints:
    """`k` of some kind, and the number of the row it is of; parallel, in no order."""

    k: Ints
    row: Ints


def fingerprints_of(shown: pa.Table) -> Mapping[str, Fingerprints]:
    """What may be published of rows (url, landing_url, sha256), by kind."""
    pairs: dict[str, list[tuple[Ints, Ints]]] = {"fs": [], "u": [], "sha256": []}
    for column in ("url", "landing_url"):
        urls = shown[column].combine_chunks()
        probes = batch_probes(urls)
        files = np.flatnonzero(probes.fs)
        pairs["fs"].append((probes.k[files], files))
        # A filter asks for every other URL as `u`; which may be published is said by the scalar truth.
        drawn = np.array([at for at in _perhaps_drawn(urls, probes.fs) if _is_published(urls[at])], np.int64)
        pairs["u"].append((probes.k[drawn], drawn))
    digests = shown["sha256"].combine_chunks()
    given = np.flatnonzero(pc.is_valid(digests).to_numpy(zero_copy_only=False))
    found = [(k, at) for at in given.tolist() for _, k in row_fingerprints(None, None, digests[at].as_py())]
    both = np.array(found, np.int64).reshape(-1, 2)
    pairs["sha256"].append((both[:, 0], both[:, 1]))
    joined = {kind: map(np.concatenate, zip(*some, strict=True)) for kind, some in pairs.items()}
    return {kind: Fingerprints(*columns) for kind, columns in joined.items()}


def _perhaps_drawn(urls: pa.Array, files: npt.NDArray[np.bool_]) -> list[int]:
    near = pc.fill_null(pc.match_substring_regex(urls, _MAY_BE_DRAWN), False).to_numpy(zero_copy_only=False)
    return list(np.flatnonzero(near & ~files).tolist())


def _is_published(url: pa.Scalar) -> bool:
    return bool(row_fingerprints(url.as_py(), None, None))

"""Patterns over a column of texts: by polars (Rust's regex) where it is installed, else by Arrow (RE2).

Both match in time that grows with the text alone, and give the same answers for the patterns here, which is tested;
`pip install 'byline[fast]'` takes the first, which captures in half the time.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from byline.formats.hashing import LONG, fast

Mask = npt.NDArray[np.bool_]


def matches(texts: pa.StringArray, pattern: str) -> Mask:
    """Which texts the pattern is found in; null is none of them."""
    polars = _polars() if len(texts) >= LONG else None
    found = (
        pc.match_substring_regex(texts, pattern)
        if polars is None
        else polars.from_arrow(texts).str.contains(pattern).to_arrow()
    )
    full = found.fill_null(False) if found.null_count else found
    return np.asarray(full.to_numpy(zero_copy_only=False), dtype=bool)


def extracted(texts: pa.StringArray, pattern: str) -> pa.StringArray:
    """What the pattern's one group, which always takes part, caught in each text; null where it is not found."""
    polars = _polars() if len(texts) >= LONG else None
    if polars is not None:
        caught = polars.from_arrow(texts).str.extract(pattern, 1).to_arrow()
        return caught if caught.type == pa.string() else caught.cast(pa.string())
    found = pc.extract_regex(texts, pattern)
    return pc.if_else(found.is_valid(), found.flatten()[0], pa.scalar(None, pa.string()))


@lru_cache(maxsize=1)
def _polars() -> Any | None:
    """Polars, where all of the extra is there."""
    return import_module("polars") if fast() is not None else None

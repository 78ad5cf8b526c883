"""Items: which rows of which manifests show a photo, a URL or a file, and whose rows they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Engine, and_

from byline.formats.selectors import Selector, fingerprint
from registry.models import ContributorCount
from registry.storage import item_index

ITEM_KINDS = ("photo", "url", "sha256")


@dataclass(frozen=True, order=True)
class ShownAt:
    """One entry of one manifest's record index."""

    manifest_id: int
    position: int


def rows_showing(items: Engine, selectors: Collection[Selector]) -> list[ShownAt]:
    """Every entry that shows one of these items, in every manifest whatever its state.

    A photo is looked for also under `photo2`: rows that show two photos bridge nothing, but do show each.
    """
    ks = [fingerprint(selector.kind, selector.value) for selector in selectors if selector.kind in ITEM_KINDS]
    ks += [fingerprint("photo2", selector.value) for selector in selectors if selector.kind == "photo"]
    if not ks:
        return []
    found = item_index.find(items, np.array(ks, dtype=np.int64))
    pairs = zip(found["manifest_id"].to_pylist(), found["position"].to_pylist(), strict=True)
    return sorted({ShownAt(manifest, position) for manifest, position in pairs})


def maker_at(entry: ShownAt) -> ColumnElement[bool]:
    """The count whose run an entry lies in. Needs ContributorCount in the statement."""
    return and_(
        ContributorCount.manifest_id == entry.manifest_id,
        ContributorCount.start <= entry.position,
        ContributorCount.start + ContributorCount.entries > entry.position,
    )

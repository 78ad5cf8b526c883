"""Opted-out items by their dataset's own ids, for who has the ids and not the registered files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from byline.client.feed import ANY, ITEM, KEPT, UNREADABLE, Feed, Use, Verdicts, use_of
from byline.client.fetching import entries_of
from byline.errors import NotFound, Refused
from byline.formats import keyfeed
from byline.formats.feedhead import RowEntry
from byline.formats.itemfeed import check_of, item_keys, list_sha256
from byline.formats.keyset import KeySet, bits_at, joined


@dataclass(frozen=True)
class ItemIds:
    """What the feed says of one dataset's ids; `list_sha256` tells the list, `entries` the files of it."""

    list_sha256: str
    entries: tuple[RowEntry, ...]
    keys: KeySet

    def verdicts(self, ids: Any, *, use: Use) -> Verdicts:
        """For each id KEPT, ITEM (it goes), or UNREADABLE (null)."""
        k = item_keys(self.list_sha256, id_array(ids))
        found = np.full(len(k), KEPT, dtype=np.uint8)
        found[(bits_at(self.keys, k) & use.bits) > 0] = ITEM
        found[k < 0] = UNREADABLE
        return found

    def keep(self, ids: Any, *, for_: str = ANY) -> npt.NDArray[np.bool_]:
        """One bool an id, True = keep; null is dropped. `for_`: the use, as of `Feed.mask`."""
        kept: npt.NDArray[np.bool_] = self.verdicts(ids, use=use_of(for_)) == KEPT
        return kept


def item_ids(feed: Feed, dataset: str, ids: Any) -> ItemIds:
    """What goes of a dataset (`PUB/NAME[@V]`), asked with all of its ids, in any order.

    NotFound("not-in-feed") where no approved publisher registered it, Refused("no-item-ids") where its rows were
    registered without ids, Refused("other-ids") where these are not all of its ids, each as it was registered: then
    nothing can be told.
    """
    entries = [one for _, one in entries_of(feed.state, feed.head) if dataset in {one.label, one.dataset}]
    if not entries:
        raise NotFound("not-in-feed", f"the feed knows no dataset {dataset[:200]}", at="dataset")
    known = [one for one in entries if one.items is not None]
    if not known:
        raise Refused("no-item-ids", f"{dataset[:200]} was registered without item ids", at="dataset")
    digest = list_sha256(id_array(ids))
    check = None if digest is None else check_of(digest)
    mine = tuple(one for one in known if one.items is not None and one.items.check == check)
    if digest is None or not mine:
        raise Refused(
            "other-ids",
            f"these are not all the ids of {dataset[:200]}, as they were registered: it cannot be told which go; "
            "give the whole list",
            at="ids",
        )
    sets = [
        keyfeed.read(feed.state.bytes_of(one.items.file.path, one.items.file.sha256))
        for one in mine
        if one.items is not None and one.items.file is not None
    ]
    empty = (np.zeros(0, np.int64), np.zeros(0, np.uint8))
    k, c = (np.concatenate(column) for column in zip(empty, *sets, strict=True))
    return ItemIds(digest, mine, joined(k, c))


def id_array(ids: Any) -> pa.Array:
    """Ids as text: numbers by their decimal digits. Refused("not-ids")."""
    try:
        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        found = ids if isinstance(ids, pa.Array) else pa.array(ids, from_pandas=True)
        if pa.types.is_floating(found.type):
            found = found.cast(pa.int64())
        return found.cast(pa.large_string())
    except (pa.ArrowException, TypeError, UnicodeEncodeError) as error:
        raise Refused("not-ids", f"ids are texts or whole numbers: {error}", at="ids") from error

"""A batch of a withheld extract -> rows of the record index: digests in place of makers and items, and nothing else of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from byline.errors import Refused
from byline.formats.withheld import DIGESTS, SCHEME, wrongly_spelt
from registry.publishing.checks import MAX_ERRORS, problem
from registry.publishing.rows import UNSORTED, Tally, by_maker, counted, cut, licences_of


def withheld_rows(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    """Rows as `UNSORTED` and their tally. Photos stand where photos beside others do: none bridges.

    Of the places the URL stands in `url`, the hosts in `landing_url`, a space between.

    Refused("bad-rows") where anything but digests stands: a name that slipped in would be looked up by nobody, and kept.
    """
    _check(batch)
    makers, photos = _split(batch["makers"]), _split(batch["photos"])
    places = pc.split_pattern(batch["places"], " ", max_splits=1)
    url = pc.list_element(places, 0)
    makers = pa.ListArray.from_arrays(makers.offsets, pc.binary_join_element_wise(SCHEME, makers.values, ":"))
    spdx, licence = licences_of(batch["license"])
    rows = {
        "file": batch["file"],
        "row": batch["row"],
        "photos": pc.if_else(batch["photos"].is_valid(), photos, pa.scalar(None, photos.type)),
        "url": url,
        "landing_url": pc.list_element(pc.list_slice(places, 1, 2, return_fixed_size_list=True), 0),
        "item": pc.binary_join_element_wise("photo2", url, "|"),
        "license": spdx,
        "license_raw": cut(batch["license"]),
        "sha256": batch["sha256"],
    }
    nothing = pa.nulls(batch.num_rows, pa.string())
    columns = {name: rows.get(name, nothing) for name in UNSORTED.names if name != "contributor"}
    without = int(batch["makers"].null_count)
    return by_maker(makers, columns), Tally(
        rows=batch.num_rows, unattributed=without, licenses=counted(licence)
    )


def _split(column: pa.StringArray) -> pa.ListArray:
    """The digests of each row, each once; none where there is null."""
    given = pc.split_pattern(column.drop_null(), " ")
    lengths = np.zeros(len(column), np.int64)
    lengths[np.asarray(column.is_valid())] = np.asarray(given.value_lengths())
    digests = given.flatten()
    if len(digests) > len(given):
        coded = digests.dictionary_encode()
        row = np.repeat(np.arange(len(column)), lengths)
        _, first = np.unique(row * len(coded.dictionary) + coded.indices.to_numpy(), return_index=True)
        kept = np.sort(first)
        digests, lengths = digests.take(pa.array(kept)), np.bincount(row[kept], minlength=len(column))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), digests)


def _check(batch: pa.RecordBatch) -> None:
    errors = [
        problem(
            "not-a-digest",
            f"{name} holds something that is no digest",
            file=batch["file"][at].as_py(),
            row=batch["row"][at].as_py(),
            column=name,
        )
        for name in DIGESTS
        for at in wrongly_spelt(batch[name])[:MAX_ERRORS]
    ]
    if errors:
        raise Refused(
            "bad-rows",
            f"rows of the extract cannot be taken, the first: {errors[0]['message']}",
            details=errors[:MAX_ERRORS],
        )

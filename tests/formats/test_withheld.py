"""Withheld rows: the same digests as a reader of docs/formats/withheld.md would make, row by row, with the standard library."""

from __future__ import annotations

import hashlib
import hmac

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats import withheld
from byline.formats.hosts import host_chain
from byline.formats.selectors import record_selectors
from byline.formats.urls import canonical_url, host_of

KEY, DATASET = hashlib.sha256(b"tests: withheld").digest(), "pub/set"
URLS = (
    None,
    "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg",
    "https://www.flickr.com/photos/12345678@N00/3072908271",
    "https://unsplash.com/photos/abcdefghijk",
    "https://img.example.co.uk/a/b.jpg?x=1",
    "https://jane.github.io/cat.jpg",
    "not a link",
)
NAMES = (None, "Jane Doe", "Ünï Cødé", "https://www.flickr.com/people/jane/")
record = st.fixed_dictionaries(
    {
        "url": st.sampled_from(URLS),
        "landing_url": st.sampled_from(URLS),
        "creator_name": st.sampled_from(NAMES),
        "creator_id": st.sampled_from((None, "12345678@N00", "77")),
        "license": st.sampled_from((None, "CC BY 4.0")),
        "sha256": st.sampled_from((None, "AB" * 32)),
    }
)


def under(kind: str, value: str) -> str:
    return hmac.new(KEY, f"b1|{kind}|{value}".encode(), "sha256").hexdigest()


def said_again(row: dict[str, str | None]) -> dict[str, object]:
    found = record_selectors(row, dataset=DATASET)
    kind = "photo" if len(found.photos) == 1 else "photo2"
    places: list[str] = []
    if found.urls and not found.photos:
        hosts = {under("host", host) for url in found.urls for host in host_chain(host_of(url))}
        places = [under("url", found.urls[0]), *sorted(hosts)]
    return {
        "makers": {under("contributor", maker) for maker in found.makers},
        "photos": {under(kind, photo) for photo in found.photos},
        "places": places,
        "license": row["license"],
        "sha256": under("sha256", found.sha256) if found.sha256 else None,
    }


def rows_of(rows: list[dict[str, str | None]]) -> pa.RecordBatch:
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]}
    numbers = {
        "file": pa.array([0] * len(rows), pa.int32()),
        "row": pa.array(range(len(rows)), pa.int64()),
    }
    return pa.RecordBatch.from_pydict(numbers | columns)


@settings(max_examples=100, deadline=None)
@given(st.lists(record, min_size=1, max_size=12))
def test_a_column_at_a_time_as_row_by_row(rows: list[dict[str, str | None]]) -> None:
    made = withheld.withheld_rows(rows_of(rows), key=KEY, dataset=DATASET)
    assert made.schema.names == ["file", "row", *withheld.FIELDS]
    for one, row in zip(made.to_pylist(), rows, strict=True):
        wanted = said_again(row)
        assert set((one["makers"] or "").split()) == wanted["makers"]
        assert set((one["photos"] or "").split()) == wanted["photos"]
        first, *hosts = (one["places"] or "").split() or [None]
        assert [first, *sorted(hosts)] == (wanted["places"] or [None])
        assert (one["license"], one["sha256"]) == (wanted["license"], wanted["sha256"])
        assert "" not in one.values()
    for name in withheld.DIGESTS:
        assert not withheld.wrongly_spelt(made[name])


def test_nothing_of_a_row_can_be_read_in_it() -> None:
    row = dict.fromkeys(("url", "landing_url"), URLS[2]) | {
        "creator_name": "Jane Doe", "creator_id": None, "license": None, "sha256": None,
    }  # fmt: skip
    made = withheld.withheld_rows(rows_of([row]), key=KEY, dataset=DATASET)
    text = str(made.to_pylist())
    assert not [word for word in ("flickr", "12345678", "3072908271", "Jane") if word in text]
    other = withheld.withheld_rows(rows_of([row]), key=bytes(32), dataset=DATASET)
    assert made["makers"] != other["makers"]


@pytest.mark.parametrize("text", ["Jane Doe", "ab" * 31, "AB" * 32, f"{'ab' * 32}  {'cd' * 32}", " ", ""])
def test_what_is_no_digest_is_seen(text: str) -> None:
    column = pa.array(["ab" * 32, text, None, f"{'ab' * 32} {'cd' * 32}"], pa.string())
    assert withheld.wrongly_spelt(column) == [1]


@pytest.mark.parametrize("text", ["", "ab" * 31, "zz" * 32, "AB" * 32])
def test_a_key_has_64_hex_digits(text: str) -> None:
    with pytest.raises(Refused) as error:
        withheld.read_key(text)
    assert error.value.code == "bad-withheld-key"


def test_a_key_is_known_by_its_digest() -> None:
    assert withheld.commitment(withheld.read_key(KEY.hex() + "\n")) == hashlib.sha256(KEY).hexdigest()
    assert canonical_url(URLS[6]) is None

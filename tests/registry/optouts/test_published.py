"""The fingerprints of many rows at once are those of each row alone."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from byline.formats.publishable import row_fingerprints
from registry.optouts.facts import SHOWN
from registry.optouts.published import fingerprints_of
from tests.registry.optouts.small_registry import static

letters = st.text("abcdefABCDEF0123456789-%\t./", min_size=0, max_size=40)
urls = st.one_of(
    st.none(),
    st.integers(1, 10**10).map(static),
    st.integers(1, 10**10).map(lambda n: f"http://farm9.static.flickr.com/1/{n}_0123456789.jpg"),
    st.integers(1, 99).map(lambda n: f"https://www.flickr.com/photos/anna/{n}/"),
    st.uuids(version=4).map(lambda u: f"https://example.org/{u}.jpg"),
    letters.map(lambda text: f"https://example.org/{text}"),
    st.binary(min_size=16, max_size=16).map(lambda raw: f"https://cdn.example.org/{raw.hex()}/a.jpg"),
    st.sampled_from(("not a url", "https://x.org/%61bcdef0123456789ABCDEFG%68ijklmn.jpg")),
)
digests = st.one_of(st.none(), st.binary(min_size=32, max_size=32).map(bytes.hex), st.just("no digest"))


@given(st.lists(st.tuples(urls, urls, digests), max_size=30))
def test_they_are_those_of_each_row(rows: list[tuple[str | None, str | None, str | None]]) -> None:
    shown = pa.table(
        [pa.array(column, pa.string()) for column in zip(*((*row, None) for row in rows), strict=True)]
        or SHOWN.empty_table().columns,
        schema=SHOWN,
    )
    found = {
        (kind, int(k), int(at))
        for kind, some in fingerprints_of(shown).items()
        for k, at in zip(some.k, some.row, strict=True)
    }
    assert found == {(kind, k, at) for at, row in enumerate(rows) for kind, k in row_fingerprints(*row)}

"""A withheld version from its manifest to published: its key comes first, and nothing but digests comes after it."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from byline.formats import withheld
from byline.formats.extract import ExtractDigest, extract_schema
from registry.contributors.find import search
from registry.contributors.indexing import follow
from registry.contributors.lookup import lookup
from registry.contributors.queries import contributor
from registry.contributors.sealed import SEAL
from registry.database import make_sessions, transaction
from registry.models import Contributor, Manifest, ManifestFile, item_key
from registry.publishing import uploads
from registry.publishing.records import drop_extract
from registry.seal import Seal
from registry.storage import item_index
from registry.storage.record_index import index_key, scan_entries
from registry.upkeep import versions
from registry.upkeep.look_views import look_at_rows
from registry.upkeep.look_withheld import look_at_withheld
from search.opening import open_engine
from tests.registry.publishing.desk import Change, Desk, Extract, Registry, extract_of, records

KEY = hashlib.sha256(b"tests: withheld").digest()
MAKER, PHOTO = "flickr:12345678@N00", "https://www.flickr.com/photos/12345678@N00/3072908271"
PLAIN = records(
    {"landing_url": PHOTO, "creator_name": "Jane Doe", "license": "CC BY 4.0"},
    {"landing_url": "https://pictures.example.org/2.jpg", "creator_name": "John Roe", "license": None},
    {"landing_url": None, "creator_name": None, "license": "CC BY 4.0"},
)


def digests_of(table: pa.Table, dataset: str = "lumen-labs/street-portraits") -> Extract:
    """What a client sends in place of the rows."""
    numbered = pa.table(
        {
            "file": pa.array([0] * table.num_rows, pa.int32()),
            "row": pa.array(range(table.num_rows), pa.int64()),
        }
        | {name: table[name] for name in table.schema.names}
    )
    [batch] = numbered.combine_chunks().to_batches()
    return packed(withheld.withheld_rows(batch, key=KEY, dataset=dataset), extract_of(table))


def packed(rows: pa.RecordBatch, plain: Extract) -> Extract:
    """Rows as a withheld extract."""
    digest, sink = ExtractDigest(withheld.FIELDS), io.BytesIO()
    digest.update(rows)
    pq.write_table(pa.Table.from_batches([rows]).cast(extract_schema(withheld.FIELDS)), sink)
    return replace(plain, parts=(sink.getvalue(),), sha256=digest.hexdigest())


def withholding(**changes: Any) -> Change:
    """Say in the predicate that its rows are withheld."""

    def change(predicate: dict[str, Any]) -> None:
        predicate["visibility"] = "withheld"
        said = {"key_sha256": withheld.commitment(KEY), "column_sha256": ["ab" * 32]}
        predicate["records"]["withheld"] = {**said, **changes}

    return change


def send_key(desk: Desk, submission: str, key: bytes = KEY) -> dict[str, Any]:
    here = desk.registry
    with transaction(here.sessions) as session:
        return uploads.receive_key(session, submission_id=submission, key=key, now=here.now)


def publish(desk: Desk, extract: Extract, **said: Any) -> dict[str, Any]:
    submission = desk.submit(desk.manifest(extract, change=withholding(), **said))
    send_key(desk, submission)
    desk.send(submission, extract)
    desk.registry.ingest(submission)
    return desk.registry.view(submission)


def asked(here: Registry, q: str) -> dict[str, Any]:
    with here.sessions() as session:
        return lookup(session, store=here.store, items=here.items, q=q)


@pytest.fixture
def published(desk: Desk) -> tuple[Registry, str]:
    """A withheld version that is there, and its digest."""
    found = publish(desk, digests_of(PLAIN))
    assert found["state"] == "published", found["errors"]
    return desk.registry, found["digest"]


@pytest.mark.parametrize(
    ("q", "records"),
    [
        (MAKER, 1),
        ("https://www.flickr.com/people/12345678@N00/", 1),
        (PHOTO, 1),
        ("photo:flickr:3072908271", 1),
        ("name:lumen-labs/street-portraits:John Roe", 1),
        ("https://pictures.example.org/2.jpg", 1),
    ],
)
def test_who_knows_the_very_handle_or_link_finds_it(
    published: tuple[Registry, str], q: str, records: int
) -> None:
    found = asked(published[0], q)
    [one] = found["items"]
    assert (found["answer"], one["answer"], one["records"], one["rows"]) == ("yes", "yes", records, [])
    assert found["contributors"] == []


@pytest.mark.parametrize(
    ("q", "answer"),
    [
        ("flickr:99999999@N00", "cannot-tell"),
        ("flickr:somebody", "cannot-tell"),
        ("photo:flickr:4072908271", "cannot-tell"),  # a row shows nothing, and may be anything
        ("name:lumen-labs/street-portraits:Nobody", "no"),
        ("name:lumen-labs/street-portraits:jane doe", "no"),
    ],
)
def test_where_it_is_not_found_it_may_be_there_unseen(
    published: tuple[Registry, str], q: str, answer: str
) -> None:
    assert asked(published[0], q)["answer"] == answer


def test_a_photo_is_not_there_where_every_row_shows_another(desk: Desk) -> None:
    publish(desk, digests_of(PLAIN.slice(0, 1)))
    assert asked(desk.registry, "photo:flickr:4072908271")["answer"] == "no"
    assert asked(desk.registry, "https://pictures.example.org/3.jpg")["answer"] == "cannot-tell"


def test_nobody_is_found_by_name_nor_has_a_page(published: tuple[Registry, str], tmp_path: Path) -> None:
    here, _ = published
    engine = open_engine(f"whoosh:{tmp_path / 'index'}")
    while follow(here.sessions, engine):
        pass
    with here.sessions() as session:
        for q in ("Jane Doe", "John", "12345678"):
            assert search(session, engine, items=here.items, q=q)["items"] == []
        ids = session.scalars(select(Contributor.public_id)).all()
        assert ids
        for one in ids:
            with pytest.raises(NotFound):
                contributor(session, one)
    engine.close()


def test_nothing_that_is_kept_says_who(published: tuple[Registry, str]) -> None:
    here, digest = published
    with here.sessions() as session:
        manifest = session.scalars(select(Manifest).where(Manifest.digest == digest)).one()
        kept = [str(row) for row in session.execute(select(Contributor.key, Contributor.handle))]
        assert manifest.withheld_key
        assert KEY not in manifest.withheld_key
        assert KEY.hex().encode() not in manifest.withheld_key
        assert (manifest.contributors, manifest.unattributed) == (2, 1)
        assert manifest.licenses == {"CC-BY-4.0": 2, "not-stated": 1}
        file = session.scalars(select(ManifestFile).where(ManifestFile.manifest_id == manifest.id)).one()
        assert (file.column, file.column_sha256) == ("The landing_url", "ab" * 32)
    kept += [
        str(table.to_pylist())
        for table in scan_entries(here.store, digest, ["contributor", "photos", "url", "title"])
    ]
    kept += [
        here.store.get(key).hex() for key in (index_key(digest), *here.store.list(f"extracts/{digest}/"))
    ]
    for word in ("12345678", "3072908271", "Jane", "example.org"):
        assert not [one for one in kept if word in one or word.encode().hex() in one], word


def test_under_another_seal_it_is_dark_and_said_to_be(published: tuple[Registry, str]) -> None:
    here, digest = published
    assert list(look_at_withheld(here.sessions)) == []
    here.sessions = make_sessions(here.engine, {SEAL: Seal(bytes(range(32)))})
    for q in (MAKER, PHOTO, "photo:flickr:4072908271", "name:lumen-labs/street-portraits:Nobody"):
        assert asked(here, q)["answer"] == "cannot-tell"
    [found] = look_at_withheld(here.sessions)
    assert (found.code, found.at) == ("withheld-key-lost", digest)


def test_every_key_of_its_rows_is_counted_and_one_that_is_gone_is_missed(desk: Desk) -> None:
    rows = records(
        {"url": "https://cdn.example.org/2.jpg", "landing_url": "https://pictures.example.org/2"},
        {"url": "https://cdn.example.org/3.jpg", "landing_url": "https://cdn.example.org/3"},
        {"landing_url": PHOTO},
        {"landing_url": None},
    )
    assert publish(desk, digests_of(rows))["state"] == "published"
    here = desk.registry
    assert list(look_at_rows(here.sessions, here.items, here.store)) == []
    # The hosts of the first row are cdn., pictures. and example.org, which both lie under.
    with here.items.begin() as connection:
        last = connection.scalar(select(func.max(item_key.c.k)))
        connection.execute(delete(item_key).where(item_key.c.k == last))
    [found] = look_at_rows(here.sessions, here.items, here.store)
    assert found.code == "keys-wrong"


@pytest.mark.parametrize("source", ["extract", "index"])
def test_one_made_again_is_found_as_before(published: tuple[Registry, str], source: str) -> None:
    here, digest = published
    if source == "index":
        drop_extract(here.store, digest)
    with here.sessions() as session:
        number = session.scalars(select(Manifest.id).where(Manifest.digest == digest)).one()
        before = _said(session, number)
    item_index.forget(here.items, number)
    versions.forget_version(here.sessions, number)
    assert asked(here, PHOTO)["answer"] == "cannot-tell"
    made = versions.remake_version(
        number,
        sessions=here.sessions,
        items=here.items,
        store=here.store,
        settings=here.settings,
        say=lambda _step, _done, _total: None,
    )
    assert made == source
    for q in (MAKER, PHOTO, "name:lumen-labs/street-portraits:John Roe"):
        assert asked(here, q)["answer"] == "yes"
    with here.sessions() as session:
        assert _said(session, number) == before
    assert list(look_at_rows(here.sessions, here.items, here.store)) == []


def _said(session: Session, number: int) -> list[Any]:
    """What the tables say of a version: its counts, its key, its files' digests."""
    manifest = session.get_one(Manifest, number)
    files = select(ManifestFile.column, ManifestFile.column_sha256).where(ManifestFile.manifest_id == number)
    counts = (manifest.contributors, manifest.unattributed, manifest.licenses, manifest.spread)
    return [*counts, manifest.withheld_key, manifest.withheld_sha256, session.execute(files).all()]


def test_the_extract_waits_for_its_key(desk: Desk) -> None:
    extract = digests_of(PLAIN)
    submission = desk.submit(desk.manifest(extract, change=withholding()))
    with pytest.raises(Conflict) as error:
        desk.send(submission, extract)
    assert error.value.code == "withheld-key-missing"
    with pytest.raises(Refused) as refused:
        send_key(desk, submission, bytes(32))
    assert refused.value.code == "wrong-withheld-key"
    assert send_key(desk, submission) == send_key(desk, submission)
    desk.send(submission, extract)
    with pytest.raises(Conflict) as late:
        send_key(desk, submission)
    assert late.value.code == "extract-not-awaited"


def test_a_named_version_has_no_key(desk: Desk) -> None:
    submission = desk.submit(desk.manifest(extract_of(PLAIN)))
    with pytest.raises(Refused) as error:
        send_key(desk, submission)
    assert error.value.code == "wrong-withheld-key"


@pytest.mark.parametrize("column", withheld.DIGESTS)
def test_a_name_among_the_digests_is_refused(desk: Desk, column: str) -> None:
    made = pq.read_table(io.BytesIO(digests_of(PLAIN).parts[0]))
    at = made.schema.get_field_index(column)
    smuggled = made.set_column(at, column, pa.array(["ab" * 32, "Jane Doe", None], pa.string()))
    found = publish(desk, packed(smuggled.combine_chunks().to_batches()[0], extract_of(PLAIN)))
    assert (found["state"], found["errors"][0]["code"]) == ("refused", "bad-rows")
    assert (found["errors"][1]["code"], found["errors"][1]["row"]) == ("not-a-digest", 1)


def test_a_digest_that_stands_twice_in_a_row_counts_once(desk: Desk) -> None:
    made = pq.read_table(io.BytesIO(digests_of(PLAIN).parts[0]))
    at = made.schema.get_field_index("makers")
    twice = made.set_column(
        at, "makers", pa.array([f"{'ab' * 32} {'ab' * 32}", None, "cd" * 32], pa.string())
    )
    found = publish(desk, packed(twice.combine_chunks().to_batches()[0], extract_of(PLAIN)))
    manifest = desk.registry.manifest(found["digest"])
    assert manifest is not None
    assert (found["state"], manifest.contributors, manifest.spread) == ("published", 2, {"1": 2})


def test_names_are_not_taken_as_digests_nor_digests_as_names(desk: Desk) -> None:
    found = publish(desk, extract_of(PLAIN), name="one")
    assert (found["state"], found["errors"][0]["code"]) == ("refused", "wrong-columns")


@pytest.mark.parametrize(
    "said",
    [
        {"column_sha256": []},
        {"column_sha256": [None]},
        {"column_sha256": ["Jane Doe"]},
        {"key_sha256": "short"},
        {"key": "ab" * 32},
    ],
)
def test_what_a_manifest_says_of_withheld_rows_is_read_strictly(desk: Desk, said: dict[str, Any]) -> None:
    with pytest.raises(Refused) as error:
        desk.submit(desk.manifest(digests_of(PLAIN), change=withholding(**said)))
    assert error.value.code in {"withheld-disagrees", "bad-member", "unknown-member"}


def test_a_manifest_says_both_or_neither(desk: Desk) -> None:
    def only_the_word(predicate: dict[str, Any]) -> None:
        predicate["visibility"] = "withheld"

    def only_the_key(predicate: dict[str, Any]) -> None:
        withholding()(predicate)
        predicate["visibility"] = "named"

    for change in (only_the_word, only_the_key):
        with pytest.raises(Refused) as error:
            desk.submit(desk.manifest(digests_of(PLAIN), change=change))
        assert error.value.code == "withheld-disagrees"

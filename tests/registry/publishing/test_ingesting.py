"""From an extract to a published manifest: what is in the tables and indexes then, and what is nowhere before."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from byline.errors import NotFound
from byline.formats.extract import ColumnDigest
from byline.formats.selectors import fingerprint, record_selectors
from registry.models import (
    Act,
    Contributor,
    ContributorCount,
    ContributorName,
    Manifest,
    ManifestFile,
)
from registry.models import Statement as StatementRow
from registry.publishing import queries
from registry.storage import item_index
from registry.storage.record_index import COLUMNS, read_entries, scan_entries
from tests.registry.publishing.desk import Desk, Extract, Registry, extract_of, records, registry_in

Row = dict[str, str | None]


def entries(registry: Registry, digest: str) -> list[dict[str, Any]]:
    return [row for table in scan_entries(registry.store, digest, COLUMNS) for row in table.to_pylist()]


def keys(registry: Registry) -> set[tuple[int, int, int]]:
    with registry.items.connect() as connection:
        return {
            tuple(row) for row in connection.exec_driver_sql("SELECT k, manifest_id, position FROM item_key")
        }


def test_a_published_manifest_is_shown(desk: Desk, registry: Registry, extract: Extract) -> None:
    digest = desk.publish(extract)["digest"]
    with registry.sessions() as session:
        shown = queries.dataset(session, "lumen-labs/street-portraits")
    assert (shown["digest"], shown["records"], shown["contributors"], shown["unattributed"]) == (
        digest,
        3,
        1,
        1,
    )


def test_licences_and_platforms_are_counted_by_row(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    with registry.sessions() as session:
        shown = queries.dataset(session, "lumen-labs/street-portraits")
    assert shown["licenses"] == {"CC-BY-2.0": 2, "not-stated": 1}
    assert shown["platforms"] == {"flickr": 2, "web": 1}


def test_a_manifest_is_a_leaf_and_then_told_to_the_followers(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    digest = desk.publish(extract)["digest"]
    with registry.sessions() as session:
        acts = session.scalars(select(Act).where(Act.ref == digest).order_by(Act.id)).all()
    assert [(act.kind, act.leaf is not None) for act in acts] == [("manifest", True), ("published", False)]


def test_one_ranged_read_gives_one_persons_rows(desk: Desk, registry: Registry, extract: Extract) -> None:
    digest = desk.publish(extract)["digest"]
    with registry.sessions() as session:
        run = session.scalars(select(ContributorCount)).one()
    rows = read_entries(
        registry.store, digest, [(run.start, run.entries)], ["contributor", "title"]
    ).to_pylist()
    assert [(row["contributor"], row["title"]) for row in rows] == [
        ("flickr:12345678@N00", "Cat, 2009"),
        ("flickr:12345678@N00", "Dog"),
    ]


def test_samples_tell_namesakes_apart_by_title_and_year(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    desk.publish(extract)
    with registry.sessions() as session:
        run = session.scalars(select(ContributorCount)).one()
    assert run.samples == [{"title": "Cat, 2009", "year": 2009}, {"title": "Dog", "year": None}]


def test_at_most_five_different_titles_are_kept(desk: Desk, registry: Registry) -> None:
    page = "https://www.flickr.com/photos/12345678@N00/{}/"
    desk.publish(
        extract_of(records(*({"landing_url": page.format(n), "title": f"T{n // 2}"} for n in range(40))))
    )
    with registry.sessions() as session:
        run = session.scalars(select(ContributorCount)).one()
    assert [sample["title"] for sample in run.samples] == ["T0", "T1", "T2", "T3", "T4"]


def test_names_are_kept_as_they_were_written(desk: Desk, registry: Registry) -> None:
    names = ['=HYPERLINK("http://x")', "<script>alert(1)</script>", "Zoë", "Ζωή"]
    page = "https://www.flickr.com/photos/12345678@N00/1/"
    desk.publish(extract_of(records(*({"landing_url": page, "creator_name": name} for name in names))))
    with registry.sessions() as session:
        assert set(session.scalars(select(ContributorName.name))) == set(names)


def test_a_name_of_a_maker_with_identity_is_no_maker_of_its_own(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    desk.publish(extract)
    with registry.sessions() as session:
        assert list(session.scalars(select(Contributor.key))) == ["flickr:12345678@N00"]


def test_a_file_carries_the_digest_of_its_url_column(
    desk: Desk, registry: Registry, extract: Extract
) -> None:
    desk.publish(extract)
    wanted = ColumnDigest()
    urls = [
        "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg",
        "https://live.staticflickr.com/65535/3072908272_abcdef0124_b.jpg",
        "https://example.org/pictures/000001.jpg",
    ]
    wanted.update(pa.array(range(3), pa.int64()), pa.array(urls))
    with registry.sessions() as session:
        file = session.scalars(select(ManifestFile)).one()
    assert (file.column, file.column_sha256) == ("The url", wanted.hexdigest())


def test_each_of_two_files_carries_its_own(desk: Desk, registry: Registry) -> None:
    one, two = records({"item_id": "a"}, {"item_id": "b"}), records({"item_id": "c"})
    desk.publish(extract_of(one, two))
    wanted = [ColumnDigest(), ColumnDigest()]
    wanted[0].update(pa.array([0, 1], pa.int64()), pa.array(["a", "b"]))
    wanted[1].update(pa.array([0], pa.int64()), pa.array(["c"]))
    with registry.sessions() as session:
        files = session.scalars(select(ManifestFile).order_by(ManifestFile.position)).all()
    assert [file.column_sha256 for file in files] == [one.hexdigest() for one in wanted]


def test_a_manifest_without_records_is_published(desk: Desk) -> None:
    assert desk.publish(extract_of(records({"url": "x"}).slice(0, 0)))["state"] == "published"


def test_an_extract_in_parts_is_one(desk: Desk, registry: Registry) -> None:
    whole = extract_of(records(*({"url": f"https://example.org/{n}.jpg"} for n in range(6))), row_group=3)
    halves = tuple(_part(whole.parts[0], start, 3) for start in (0, 3))
    view = desk.publish(Extract(halves, whole.columns, whole.rows, whole.sha256, whole.files))
    assert (view["state"], len(entries(registry, view["digest"]))) == ("published", 6)


def test_two_observers_files_may_be_shuffled_together(desk: Desk, registry: Registry) -> None:
    view = desk.publish(
        extract_of(records({"url": "https://b.example/1"}), records({"url": "https://a.example/1"}))
    )
    assert {(row["file"], row["row"]) for row in entries(registry, view["digest"])} == {(0, 0), (1, 0)}


def test_ingesting_again_changes_nothing(desk: Desk, registry: Registry, extract: Extract) -> None:
    view = desk.publish(extract)
    before = keys(registry), entries(registry, view["digest"])
    registry.ingest(view["id"])
    assert (keys(registry), entries(registry, view["digest"])) == before


STEPS = ["read_extract", "keep_keys_and_makers", "mark_recorded", "log", "learn", "publish"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_step_that_dies_costs_a_repeat(
    desk: Desk, registry: Registry, extract: Extract, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    submission = desk.submit(desk.manifest(extract))
    desk.send(submission, extract)
    real = getattr(__import__("registry.publishing.pipeline", fromlist=["pipeline"]), step)

    def dies(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            real(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"registry.publishing.pipeline.{step}", dies)
        with pytest.raises(KeyboardInterrupt):
            registry.ingest(submission)
        if not (step == "publish" and when == "after"):
            with registry.sessions() as session, pytest.raises(NotFound):
                queries.dataset(session, "lumen-labs/street-portraits")
    registry.ingest(submission)
    assert registry.view(submission)["state"] == "published"
    assert one_of_everything(registry)


def one_of_everything(registry: Registry) -> bool:
    """One manifest with its statement, acts, run and keys: nothing twice."""
    with registry.sessions() as session:
        return (
            len(session.scalars(select(Manifest)).all()) == 1
            and len(session.scalars(select(StatementRow)).all()) == 2
            and len(session.scalars(select(Act)).all()) == 3
            and session.scalars(select(ContributorCount.records)).all() == [2]
            and len(keys(registry)) == 3
        )


URLS = st.sampled_from(
    [
        None,
        "",
        "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg",
        "https://farm1.static.flickr.com/2/3072908272_0123abcdef.jpg",
        "https://www.flickr.com/photos/12345678@N00/3072908271/",
        "https://www.flickr.com/photos/somebody/3072908272/",
        "https://images.unsplash.com/photo-1",
        "https://example.org/a.jpg",
        "not a url",
    ]
)
TEXTS = st.sampled_from([None, "", "Jane Doe", " Jane  Doe ", "Zoë", "https://www.flickr.com/people/other/"])
DIGESTS = st.sampled_from([None, "a" * 64, "B" * 64, "zz"])
ROWS = st.fixed_dictionaries(
    {
        "url": URLS, "landing_url": URLS, "creator_name": TEXTS, "creator_url": URLS,
        "creator_id": st.sampled_from([None, "12345678@N00", "38"]), "sha256": DIGESTS,
        "license": st.sampled_from([None, "CC BY 2.0", "mine"]), "title": TEXTS, "item_id": st.sampled_from([None, "7"]),
    }
)  # fmt: skip


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=30))
def test_the_indexes_hold_what_each_record_says_on_its_own(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every (maker, row) once, in order, with exactly the item keys the scalar rule gives it."""
    with registry_in(tmp_path_factory.mktemp("rows"), ingest_memory=256 << 20) as registry:
        desk = Desk(registry)
        desk.register()
        view = desk.publish(extract_of(records(*rows)))
        found = entries(registry, view["digest"])
        assert [(one["contributor"], one["row"]) for one in found] == expected_entries(rows)
        assert {(k, position) for k, _, position in keys(registry)} == {
            (k, one["position"]) for one in found for k in expected_keys(rows[one["row"]])
        }
        assert totals(registry) == expected_totals(rows)


def expected_entries(rows: list[Row]) -> list[tuple[str | None, int]]:
    pairs = [
        (maker, number)
        for number, row in enumerate(rows)
        for maker in record_selectors(row, dataset="lumen-labs/street-portraits").makers or (None,)
    ]
    return sorted(pairs, key=lambda pair: (pair[0] is None, (pair[0] or "").encode(), pair[1]))


def expected_keys(row: Row) -> set[int]:
    found = record_selectors(row, dataset="lumen-labs/street-portraits")
    made = {fingerprint("sha256", found.sha256)} if found.sha256 else set()
    if len(found.photos) == 1:
        return made | {fingerprint("photo", found.photos[0])}
    if found.photos:
        return made | {fingerprint("photo2", photo) for photo in found.photos}
    return made | ({fingerprint("url", found.urls[0])} if found.urls else set())


def totals(registry: Registry) -> dict[str, int]:
    with registry.sessions() as session:
        rows = session.execute(
            select(Contributor.key, ContributorCount.records).join(
                Contributor, Contributor.id == ContributorCount.contributor_id
            )
        )
        return {key: count for key, count in rows}  # noqa: C416 - dict(rows) hides the types


def expected_totals(rows: list[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        for maker in record_selectors(row, dataset="lumen-labs/street-portraits").makers:
            counts[maker] = counts.get(maker, 0) + 1
    return counts


def test_every_handle_begins_as_its_own_root(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    with registry.sessions() as session:
        assert all(one.root_id == one.id for one in session.scalars(select(Contributor)))


def test_progress_is_told_step_by_step(desk: Desk, extract: Extract, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "registry.publishing.pipeline.Progress.say",
        lambda _self, step, _done, _total, **_more: told.append(step),
    )
    desk.publish(extract)
    seen = list(dict.fromkeys(told))
    # The makers are counted beside the item keys, and told only where that takes longer.
    assert [step for step in seen if step != "makers"] == ["reading", "sorted", "item-keys", "matching"]
    assert seen in (
        ["reading", "sorted", "item-keys", "makers", "matching"],
        [s for s in seen if s != "makers"],
    )


def test_the_scratch_folder_is_swept(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    assert list((registry.settings.data_dir / "scratch").iterdir()) == []


def test_a_key_is_found_by_its_fingerprint(desk: Desk, registry: Registry, extract: Extract) -> None:
    desk.publish(extract)
    found = item_index.find(registry.items, np.array([fingerprint("photo", "flickr:3072908271")]))
    assert found["position"].to_pylist() == [0]


def _part(data: bytes, start: int, length: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(data)).slice(start, length), sink, use_dictionary=False)
    return sink.getvalue()


def test_a_leaf_holds_no_personal_data(desk: Desk, registry: Registry, extract: Extract) -> None:
    digest = desk.publish(extract)["digest"]
    with registry.sessions() as session:
        leaf = session.scalars(select(Act.leaf).where(Act.ref == digest, Act.kind == "manifest")).one()
    assert set(json.loads(leaf or b"")) == {
        "at",
        "digest",
        "envelope_sha256",
        "key_id",
        "kind",
        "subject",
        "v",
    }

"""Every view is thrown away and made again: the registry says the same, and what was taken away stays away."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from registry.cli import main
from registry.config import Settings
from registry.database import make_engine, make_items_engine, make_sessions, transaction
from registry.models import (
    Act,
    AliasLink,
    Contributor,
    ContributorCount,
    ContributorName,
    CoveredPhoto,
    Dataset,
    DerivedFrom,
    Fingerprint,
    Manifest,
    Match,
    OptOutMaker,
    Publisher,
    SignedCheckpoint,
    Suggestion,
    items_metadata,
)
from registry.publishing.retract import hide_dataset
from registry.runtime import open_runtime
from registry.storage.opening import open_store
from registry.storage.record_index import index_key
from tests.api.clock import START
from tests.plugins.parts import environment_of
from tests.registry.upkeep.conftest import command, everything_said, rebuilt, settle

VIEWS = (
    OptOutMaker, Match, Fingerprint, CoveredPhoto, Suggestion, ContributorName, ContributorCount, AliasLink, DerivedFrom,
)  # fmt: skip


def lose_views(settings: Settings) -> None:
    """Each table and file that can be made again, gone or wrong."""
    engine, items = make_engine(settings.database_url), make_items_engine(settings.items_url)
    with transaction(make_sessions(engine)) as session:
        for table in VIEWS:
            session.execute(delete(table))
        session.execute(update(Contributor).values(root_id=1))
        session.execute(update(Manifest).values(title="spoilt", contributors=0))
    items_metadata.drop_all(items)
    engine.dispose()
    items.dispose()
    shutil.rmtree(settings.data_dir / "search", ignore_errors=True)
    store = open_store(settings.object_store)
    for key in [*store.list("log/tile/"), *_small_files(settings)]:
        store.delete(key)
    for key in store.list("records/"):
        if next(iter(store.list(f"extracts/{Path(key).stem}/")), None):
            store.delete(key)


def _small_files(settings: Settings) -> list[str]:
    """Files of rows, and the index of them: what the packs hold, too."""
    store = open_store(settings.object_store)
    return [key for key in store.list("feed/v1/files/") if key.endswith(".puffin")]


def test_what_was_made_again_says_the_same(settings: Settings) -> None:
    before = everything_said(settings)
    lose_views(settings)
    done = rebuilt(settings)
    assert (done.versions, done.from_index, done.opt_outs, done.lost) == (3, 1, 1, ())
    settle(settings)
    after = everything_said(settings)
    wrong = difference(before, after)
    assert wrong == {}, wrong


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is said otherwise. The log's narrower tiles of earlier days are nothing anybody needs."""
    gone = {path for path in before.keys() - after.keys() if not path.startswith("log/tile/")}
    wrong = {path for path in after if after[path] != before.get(path)}
    return {path: (before.get(path), after.get(path)) for path in gone | wrong}


def test_an_interrupted_one_keeps_the_doors_shut_until_it_was_run_to_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pulled when all is taken out and nothing is made yet. What the operator hid is hidden afterwards, too."""
    _hide(settings, "other-labs/faces")
    settle(settings)
    before = everything_said(settings)
    lose_views(settings)
    with monkeypatch.context() as patch:
        patch.setattr("registry.upkeep.versions.remake_version", _pull_the_plug)
        with pytest.raises(KeyboardInterrupt):
            rebuilt(settings)
    refused = CliRunner().invoke(main, ["worker"], env=environment_of(settings.data_dir))
    assert refused.exit_code == 1
    assert "rebuild-unfinished" in refused.stderr
    rebuilt(settings)
    settle(settings)
    assert difference(before, everything_said(settings)) == {}
    assert "Ansel" not in before["/v1/search?q=ansel"][1]


def _hide(settings: Settings, dataset: str) -> None:
    engine = make_engine(settings.database_url)
    with transaction(make_sessions(engine)) as session:
        hide_dataset(session, dataset=dataset, who="operator", why="asked", now=START)
    engine.dispose()


def _pull_the_plug(*_: Any, **__: Any) -> int:
    raise KeyboardInterrupt


def test_it_does_not_begin_while_somebody_has_the_database_open(settings: Settings) -> None:
    running = open_runtime(settings)
    try:
        with running.sessions() as session:
            session.execute(select(Manifest.id))
            code, said = command(settings, "rebuild")
    finally:
        running.close()
    assert (code, said["error"]["code"]) == (1, "registry-runs")


def test_what_was_erased_stays_erased(settings: Settings) -> None:
    """An extract that is no more what was signed is not believed: what the record index holds is all there is."""
    digest = _digest(settings, "other-labs")
    _erase_ansel(settings, digest)
    rebuilt(settings)
    settle(settings)
    said = everything_said(settings)
    assert "Ansel" not in said["/v1/search?q=ansel"][1]
    assert "Jane D." in said["/v1/search?q=jane"][1]
    engine = make_engine(settings.database_url)
    with make_sessions(engine)() as session:
        names = select(ContributorName.name).join(Manifest).where(Manifest.digest == digest)
        assert set(session.scalars(names)) == {"Jane D."}
    engine.dispose()


def _digest(settings: Settings, slug: str) -> str:
    engine = make_engine(settings.database_url)
    with make_sessions(engine)() as session:
        found = select(Manifest.digest).join(Dataset).join(Publisher).where(Publisher.slug == slug)
        digest = session.scalars(found).one()
    engine.dispose()
    return digest


def _erase_ansel(settings: Settings, digest: str) -> None:
    """His columns emptied, in the extract and in the record index."""
    store = open_store(settings.object_store)
    (extract,) = store.list(f"extracts/{digest}/")
    for key, columns in (
        (extract, ("landing_url", "creator_name")),
        (index_key(digest), ("contributor", "creator_name")),
    ):
        table = pq.read_table(io.BytesIO(store.get(key)))
        theirs = pc.equal(table["creator_name"], "Ansel Gray")
        for name in columns:
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, pc.if_else(theirs, pa.scalar(None, pa.string()), table[name]))
        out = io.BytesIO()
        pq.write_table(table, out)
        store.put(key, out.getvalue())
    sha256 = hashlib.sha256(store.get(index_key(digest))).hexdigest()
    engine = make_engine(settings.database_url)
    with transaction(make_sessions(engine)) as session:
        session.execute(update(Manifest).where(Manifest.digest == digest).values(index_sha256=sha256))
    engine.dispose()


def test_what_is_lost_everywhere_is_named_and_what_the_tables_say_of_it_stays(settings: Settings) -> None:
    """Rows whose extract and index are gone; a head of the feed, which says what was and cannot be invented."""
    before = everything_said(settings)
    digest = _digest(settings, "other-labs")
    store = open_store(settings.object_store)
    head = hashlib.sha256(store.get("feed/v1/head.json")).hexdigest()
    for key in [*store.list(f"extracts/{digest}/"), index_key(digest), f"feed/v1/files/{head}.json"]:
        store.delete(key)
    code, said = command(settings, "rebuild")
    assert (code, said["error"]["code"]) == (1, "rebuilt-in-part")
    assert [(one["code"], one["at"]) for one in said["error"]["details"]["lost"]] == [
        ("rows-lost", digest),
        ("feed-file-lost", f"files/{head}.json"),
    ]
    after = everything_said(settings)
    for path in ("/v1/search?q=ansel", "/v1/datasets/other-labs/faces", "/v1/search?q=jane"):
        assert after[path] == before[path]


def test_a_database_older_than_its_log_is_recovered_first(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with transaction(make_sessions(engine)) as session:
        newest, before = session.scalars(
            select(SignedCheckpoint.size).order_by(SignedCheckpoint.size.desc()).limit(2)
        )
        session.execute(delete(SignedCheckpoint).where(SignedCheckpoint.size == newest))
        session.execute(delete(Act).where(Act.log_index >= before))
    engine.dispose()
    code, said = command(settings, "rebuild")
    assert (code, said["error"]["code"]) == (1, "log-ahead-of-database")
    code, said = command(settings, "recover")
    assert (code, said["entries"], said["size"]) == (0, newest - before, newest)
    listed = [json.loads(line)["index"] for line in Path(said["lost_file"]).read_text().splitlines()]
    assert listed == list(range(before, newest))
    code, said = command(settings, "rebuild")
    assert (code, said["versions"], said["lost"]) == (0, 3, [])
    code, said = command(settings, "fsck")
    assert (code, said["findings"]) == (0, [])

"""Whatever is taken away or changed, the look through a registry names it; and it changes nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import delete, insert, select, update

from registry.config import Settings
from registry.database import make_engine, make_items_engine, make_sessions, transaction
from registry.models import (
    Act,
    Contributor,
    ContributorCount,
    FeedHead,
    LogState,
    Manifest,
    Notice,
    OptOut,
    Suggestion,
    item_key,
)
from registry.storage import ObjectStore
from registry.storage.opening import open_store
from tests.registry.moving.test_move import kept
from tests.registry.upkeep.conftest import command, rebuilt, settle


@dataclass
class Damaged:
    """A registry to be spoilt: its store, and a transaction on its tables."""

    settings: Settings

    @property
    def store(self) -> ObjectStore:
        return open_store(self.settings.object_store)

    @contextmanager
    def tables(self) -> Iterator[object]:
        engine = make_engine(self.settings.database_url)
        try:
            with transaction(make_sessions(engine)) as session:
                yield session
        finally:
            engine.dispose()

    def execute(self, *statements: object) -> None:
        """On the application's tables."""
        with self.tables() as session:
            for statement in statements:
                session.execute(statement)  # type: ignore[attr-defined]

    def execute_on_items(self, statement: object) -> None:
        """On the item keys."""
        engine = make_items_engine(self.settings.items_url)
        with engine.begin() as connection:
            connection.execute(statement)  # type: ignore[call-overload]
        engine.dispose()

    def one(self, prefix: str, ending: str = "", *, last: bool = True) -> str:
        """The last of the keys that begin and end so."""
        return [key for key in self.store.list(prefix) if key.endswith(ending)][-1 if last else 0]

    def digest(self, state: str = "published") -> str:
        """Of the first version in this state."""
        engine = make_engine(self.settings.database_url)
        with make_sessions(engine)() as session:
            found = select(Manifest.digest).where(Manifest.state == state).order_by(Manifest.id)
            digest = session.scalars(found).first()
        engine.dispose()
        assert digest is not None
        return digest

    def lose(self, prefix: str) -> None:
        """Every object whose key begins so."""
        for key in list(self.store.list(prefix)):
            self.store.delete(key)

    def flip_all(self, prefix: str) -> None:
        """One bit of each."""
        for key in list(self.store.list(prefix)):
            self.flip(key)

    def flip(self, key: str) -> None:
        """One bit."""
        data = bytearray(self.store.get(key))
        data[len(data) // 2] ^= 1
        self.store.put(key, bytes(data))


Spoil = Callable[[Damaged], None]
DAMAGE: dict[str, tuple[str, Spoil]] = {
    "an entry is gone": ("log-damaged", lambda here: here.execute(delete(Act).where(Act.log_index == 1))),
    "an entry was changed": (
        "log-damaged", lambda here: here.execute(update(Act).where(Act.log_index == 0).values(leaf=b"x"))),
    "an index is missing": ("sequence-gap", lambda here: here.execute(update(LogState).values(next_index=LogState.next_index + 1))),
    "a number will be given twice": ("sequence-gap", lambda here: here.execute(update(LogState).values(next_number=1))),
    "a tile is gone": ("log-file-wrong", lambda here: here.lose("log/tile/0/")),
    "a bundle was changed": (
        "log-file-wrong", lambda here: here.flip_all("log/tile/entries/")),
    "the checkpoint is gone": ("checkpoint-lost", lambda here: here.store.delete("log/checkpoint")),
    "a wish has no entry": (
        "not-in-log", lambda here: here.execute(update(OptOut).where(OptOut.state == "in-force").values(commitment="0" * 64))),
    "a manifest is gone": ("manifest-lost", lambda here: here.store.delete(f"manifests/{here.digest()}.dsse.json")),
    "a manifest was changed": ("manifest-lost", lambda here: here.flip(f"manifests/{here.digest()}.dsse.json")),
    "an extract is gone": ("extract-lost", lambda here: here.store.delete(f"extracts/{here.digest()}/0000.parquet")),
    "an extract was cut": (
        "extract-changed", lambda here: here.store.put(f"extracts/{here.digest()}/0000.parquet", b"PAR1")),
    "an extract was to be deleted": (
        "not-deleted", lambda here: here.store.put(f"extracts/{here.digest('retracted')}/0000.parquet", b"PAR1")),
    "rows of nobody": ("object-unknown", lambda here: here.store.put(f"records/{'0' * 64}.parquet", b"PAR1")),
    "a record index is gone": ("index-lost", lambda here: here.store.delete(f"records/{here.digest()}.parquet")),
    "a record index was changed": ("index-changed", lambda here: here.flip(f"records/{here.digest()}.parquet")),
    "counts are gone": ("counts-wrong", lambda here: here.execute(delete(ContributorCount))),
    "keys are gone": ("keys-wrong", lambda here: here.execute_on_items(delete(item_key))),
    "keys of nobody": ("keys-unknown", lambda here: here.execute_on_items(insert(item_key).values(k=1, manifest_id=99, position=1))),
    "a notice leads to itself": ("lineage-circle", lambda here: here.execute(update(Notice).values(parent_id=Notice.dataset_id))),
    "a notice leads to who is not asked": ("lineage-nowhere", lambda here: here.execute(_lead_nowhere())),
    "suggestions are gone": ("suggestions-wrong", lambda here: here.execute(delete(Suggestion))),
    "somebody was hidden and is shown": ("search-wrong", lambda here: here.execute(update(Contributor).values(hidden=True))),
    "a file of rows was changed": ("feed-file-wrong", lambda here: here.flip(here.one("feed/v1/files/", ".puffin"))),
    "a head is gone": ("feed-file-lost", lambda here: here.store.delete(f"feed/v1/files/{_first_head(here)}.json")),
    "a head is not known": ("feed-gap", lambda here: here.execute(delete(FeedHead).where(FeedHead.seq == 1))),
    "another note": ("feed-note-wrong", lambda here: here.flip("feed/v1/head.note")),
}  # fmt: skip


def _lead_nowhere() -> object:
    """To a dataset whose only version was retracted: nothing is asked of it."""
    retracted = select(Manifest.dataset_id).where(Manifest.state == "retracted").scalar_subquery()
    return update(Notice).where(Notice.state != "withdrawn").values(parent_id=retracted)


def _first_head(here: Damaged) -> str:
    engine = make_engine(here.settings.database_url)
    with make_sessions(engine)() as session:
        found = session.scalars(select(FeedHead.sha256).order_by(FeedHead.seq)).first()
    engine.dispose()
    return str(found)


def test_nothing_is_found_where_nothing_is_wrong(settings: Settings) -> None:
    code, said = command(settings, "fsck")
    assert (code, said["findings"]) == (0, [])
    assert set(said["checks"]) == {"log", "objects", "rows", "notices", "withheld", "search", "feed"}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_wrong_is_named(settings: Settings, what: str) -> None:
    expected, spoil = DAMAGE[what]
    here = Damaged(settings)
    spoil(here)
    before = kept(settings)
    code, said = command(settings, "fsck")
    assert code == 1
    assert expected in {one["code"] for one in said["findings"]}, said
    assert kept(settings) == before


def test_a_rebuild_mends_what_it_says_it_mends(settings: Settings) -> None:
    here = Damaged(settings)
    for what in (
        "a tile is gone", "a bundle was changed", "the checkpoint is gone", "a record index was changed", "counts are gone",
        "keys are gone", "keys of nobody", "a notice leads to itself", "suggestions are gone", "a file of rows was changed",
        "another note",
    ):  # fmt: skip
        DAMAGE[what][1](here)
    _, said = command(settings, "fsck")
    assert {one["rebuild"] for one in said["findings"]} == {True}
    assert said["next"].startswith("stop the registry and run `byline-registry rebuild`")
    rebuilt(settings)
    settle(settings)
    code, said = command(settings, "fsck")
    assert (code, said["findings"]) == (0, [])

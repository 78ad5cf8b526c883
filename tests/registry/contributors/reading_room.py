"""A real registry with its search index: publish records, let the followers catch up, ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from sqlalchemy import event, select

from registry.contributors import find, indexing, lookup, suggest
from registry.database import transaction
from registry.models import Contributor, Manifest, Publisher
from registry.publishing import child, fence, standing
from registry.publishing.task import Task, Totals
from registry.tlog.sequence import assign_numbers
from search.whoosh_engine import WhooshEngine
from tests.registry.publishing.desk import Desk, Registry, extract_of, records, registry_in

NSID = "12345678@N00"


@dataclass
class Room:
    """The registry, its index, and the publishers' desks."""

    registry: Registry
    engine: WhooshEngine
    desks: dict[str, Desk] = field(default_factory=dict)

    def publish(
        self, dataset: str, *rows: Mapping[str, str | None], version: str = "1.0.0", **said: Any
    ) -> str:
        """Publish these records as `publisher/name`; the manifest's digest. The followers have seen it."""
        return self.publish_table(dataset, records(*rows), version=version, **said)

    def publish_table(self, dataset: str, *files: pa.Table, version: str = "1.0.0", **said: Any) -> str:
        """The same for whole files."""
        slug, _, name = dataset.partition("/")
        if slug not in self.desks:
            self.desks[slug] = Desk(self.registry, slug=slug)
            self.desks[slug].register()
        view = self.desks[slug].publish(extract_of(*files), name=name, version=version, **said)
        assert view["state"] == "published", view
        self.follow()
        return str(view["digest"])

    def follow(self, *, most: int = 100) -> int:
        """What the worker does all the time."""
        seen = 0
        with transaction(self.registry.sessions) as session:
            assign_numbers(session)
        while some := indexing.follow(self.registry.sessions, self.engine, most=most):
            seen += some
        return seen

    def search(self, q: str, **how: Any) -> dict[str, Any]:
        """GET /v1/search."""
        with self.registry.sessions() as session:
            return find.search(session, self.engine, q, **how)

    def names(self, q: str) -> list[str]:
        """The names found, in order."""
        return [item["contributor"]["display_name"] for item in self.search(q)["items"]]

    def lookup(self, q: str) -> dict[str, Any]:
        """GET /v1/lookup."""
        with self.registry.sessions() as session:
            return lookup.lookup(session, store=self.registry.store, items=self.registry.items, q=q)

    def answers(self, q: str) -> dict[str, str]:
        """The answer of each dataset's newest version."""
        return {item["dataset"]: item["answer"] for item in self.lookup(q)["items"]}

    def suggest(self, q: str) -> list[str]:
        """GET /v1/suggest, the texts."""
        with self.registry.sessions() as session:
            return [item["text"] for item in suggest.suggest(session, q)]

    def standing(self, slug: str, *, approved: bool) -> None:
        """Approve a publisher, or suspend it."""
        with transaction(self.registry.sessions) as session:
            what = standing.approve if approved else standing.suspend
            what(session, slug=slug, who="operator", why="a test", now=self.registry.now)
        self.follow()

    def contributor(self, key: str) -> Contributor:
        """A handle's row."""
        with self.registry.sessions() as session:
            return session.scalars(select(Contributor).where(Contributor.key == key)).one()

    def manifest(self, digest: str) -> Manifest:
        """A version's row."""
        with self.registry.sessions() as session:
            return session.scalars(select(Manifest).where(Manifest.digest == digest)).one()

    def unapprove_all(self) -> None:
        """As on a public origin before the operator has looked."""
        with transaction(self.registry.sessions) as session:
            for one in session.scalars(select(Publisher)):
                one.approved = False

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The SQL statements sent to the application's database meanwhile."""
        sent: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        event.listen(self.registry.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.registry.engine, "before_cursor_execute", note)


def unfenced(task: Task, *, heard: Callable[[str, int, int | None], None]) -> Totals:
    """The same reading in this process: a second saved for each publication; the fence has tests of its own."""
    del heard
    return child.digest(task, lambda _said: None)


@contextmanager
def room_in(folder: Path) -> Iterator[Room]:
    """An empty one."""
    with registry_in(folder / "data") as registry, patch.object(fence, "read_extract", unfenced):
        engine = WhooshEngine(folder / "search")
        try:
            yield Room(registry, engine)
        finally:
            engine.close()


def page(owner: str, photo: int, **more: str | None) -> dict[str, str | None]:
    """A record with a Flickr photo page."""
    return {"landing_url": f"https://www.flickr.com/photos/{owner}/{photo}/", **more}


def static(photo: int, **more: str | None) -> dict[str, str | None]:
    """A record with a Flickr static URL only, as COCO's."""
    return {"url": f"http://farm7.staticflickr.com/6116/{photo}_da26cf2c9e_z.jpg", **more}

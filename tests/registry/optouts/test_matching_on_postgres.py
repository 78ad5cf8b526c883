"""The matcher and the feed say the same on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from byline.formats.selectors import fingerprint
from tests.registry.feed.reading import build, read
from tests.registry.optouts.held import assert_true
from tests.registry.optouts.naive import Version, Wished, World
from tests.registry.optouts.small_registry import Line, small_registry, static

OWNER, OTHER, ALIAS = "flickr:11@N00", "flickr:22@N00", "flickr:anna"
OWNED = Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))
SEEN = Line(photos=("flickr:101",), url=static(101, "0123456789"))
AT_HOST = Line(url="https://img.example.org/1.jpg")


@pytest.mark.postgres
def test_a_history_on_postgresql_ends_as_the_records_say(tmp_path: Path, postgres_url: str) -> None:
    with small_registry(tmp_path, database_url=postgres_url) as here:
        world = World(standing={"museum": True, "archive": True, "stranger": False})
        ids = {slug: here.publisher(slug, approved=approved) for slug, approved in world.standing.items()}
        for dataset, rows in (
            ("museum/a", [OWNED, Line(makers=(ALIAS,)), AT_HOST]),
            ("archive/b", [SEEN, Line(makers=(ALIAS, OWNER))]),
            ("stranger/c", [Line(makers=(OTHER,), photos=("flickr:101",))]),
        ):
            world.versions.append(Version(here.publish(dataset, "1", rows), dataset, "1", rows))
        for dataset, edges in (
            ("archive/made", (("museum/a", "1", None),)),
            ("archive/further", (("archive/made", None, None), ("museum/lost", None, None))),
        ):
            made = here.publish(dataset, "1", [Line()], parents=edges)
            world.versions.append(Version(made, dataset, "1", [Line()], parents=edges))
        world.order = ["museum/a", "archive/b", "stranger/c"]
        wished, token = here.opt_out(OWNER)
        world.wishes.append(Wished(wished, [("maker", OWNER)], "verified"))
        world.wishes.append(
            Wished(here.opt_out("host:example.org")[0], [("host", "example.org")], "verified")
        )
        assert_true(here, world)
        build(here)
        assert fingerprint("fs", "101_0123456789") in read(here).fingerprints()
        here.set_standing(ids["stranger"], approved=True)
        world.standing["stranger"] = True
        assert_true(here, world)
        here.withdraw(wished, token)
        world.wishes[0].in_force = False
        assert_true(here, world)
        build(here)
        assert fingerprint("fs", "101_0123456789") not in read(here).fingerprints()

"""A registry with something of each kind in it, and everything it says to anybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from registry.cli import main
from registry.cli.upkeep import parts_of
from registry.config import STANDING, Settings
from registry.contributors import claim as claims
from registry.database import make_engine, transaction
from registry.models import Act, Contributor
from registry.runtime import open_runtime, prepare
from registry.upkeep import shut
from registry.upkeep.rebuild import Rebuilt, rebuild
from registry.worker import Worker
from tests.api.clock import Clock
from tests.api.signing import Signer
from tests.api.world import PHOTO, STATIC, World, publish_in, world_from
from tests.plugins.parts import copy_registry, environment_of, settings_in
from tests.registry.publishing.desk import Extract, extract_of, records

MAKER = "flickr:12345678@N00"
ALIAS = "https://www.flickr.com/photos/janedoe/3072908271/"
OTHER = records(
    {"landing_url": ALIAS, "creator_name": "Jane D.", "title": "Cat"},
    {"landing_url": "https://www.flickr.com/photos/87654321@N00/99/", "creator_name": "Ansel Gray"},
)
LATER = records({"url": STATIC, "landing_url": PHOTO, "creator_name": "Jané Doe", "title": "Cat again"})


def _publish(world: World, signer: Signer, extract: Extract, **said: Any) -> str:
    """Submit, send, let the worker work; the digest."""
    where = signer.post("/v1/manifests", signer.manifest(extract=extract, **said)).headers["Location"]
    data = extract.parts[0]
    assert (
        world.client.put(f"{where}/extract/0", data=data, content_type="application/octet-stream").status_code
        == 200
    )
    world.settle()
    shown = world.get(where)
    assert shown["state"] == "published", shown
    return str(shown["digest"])


def _opt_out(world: World, identity: str, email: str) -> dict[str, Any]:
    claim = world.client.post("/v1/claims", json={"identity": identity, "email": email}).get_json()
    with transaction(world.runtime.sessions) as session:
        claims.confirm(session, claim_id=claim["id"], who="operator", why="seen", now=world.runtime.clock())
    own = {"id": claim["id"], "token": claim["token"]}
    asked = world.client.post("/v1/opt-outs", json={"claims": [own]})
    assert asked.status_code == 201, asked.text
    world.settle()
    return {**asked.get_json(), "token": claim["token"]}


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two publishers whose lists meet in one photo, a wish in force, one withdrawn, a version retracted."""
    empty = tmp_path_factory.mktemp("upkeep") / "data"
    prepare(settings_in(empty))
    publish_in(empty)
    folder = empty.with_name("full")
    with world_from(empty, folder) as world:
        kept = _opt_out(world, MAKER, "jane@example.org")
        for slug in ("other-labs", "gone-labs"):
            signer = Signer(world.client, world.runtime.settings.origin, world.runtime.clock(), slug=slug)
            assert signer.register().status_code == 201
            digest = _publish(world, signer, extract_of(LATER if slug == "gone-labs" else OTHER))
            if slug == "gone-labs":
                answer = signer.post("/v1/retractions", signer.retraction(digest, previous=digest))
                assert answer.status_code == 201, answer.text
        taken_back = _opt_out(world, "flickr:87654321@N00", "ansel@example.org")
        answer = world.client.post(
            f"/v1/opt-outs/{taken_back['id']}/withdraw",
            headers={"Authorization": f"Bearer {taken_back['token']}"},
        )
        assert answer.status_code == 200, answer.text
        world.settle()
        (folder / STANDING).write_text(json.dumps({"origin": world.runtime.settings.origin}))
        (folder / "wishes.json").write_text(json.dumps([kept, taken_back]))
    return folder


@pytest.fixture
def settings(full: Path, tmp_path: Path) -> Settings:
    """A copy of it, which nobody has open."""
    copy_registry(full, tmp_path / "data")
    return settings_in(tmp_path / "data")


def everything_said(settings: Settings) -> dict[str, Any]:
    """Each public answer, each wish's own, and every file of feed and log that anybody can fetch."""
    runtime = open_runtime(settings, clock=Clock())
    try:
        client = create_app(runtime).test_client()
        said: dict[str, Any] = {path: _answer(client, path) for path in _paths(runtime.sessions)}
        for wish in json.loads((settings.data_dir / "wishes.json").read_text()):
            path = f"/v1/opt-outs/{wish['id']}"
            said[path] = _answer(client, path, Authorization=f"Bearer {wish['token']}")
        for key in [*runtime.store.list("feed/"), *runtime.store.list("log/")]:
            said[key] = runtime.store.get(key)
        return said
    finally:
        runtime.close()


def _answer(client: FlaskClient, path: str, **headers: str) -> tuple[int, str]:
    found = client.get(path, headers=headers)
    return found.status_code, found.get_data(as_text=True)


def _paths(sessions: Any) -> list[str]:
    with sessions() as session:
        makers = session.scalars(select(Contributor.public_id).order_by(Contributor.key)).all()
        refs = session.scalars(select(Act.ref).where(Act.leaf.is_not(None)).order_by(Act.id)).all()
    asked = ["jane", "jane+doe", "jané", "janedoe", "ansel", "12345678@N00"]
    paths = ["/v1", "/v1/datasets", "/feed/v1/head.json", "/log/checkpoint"]
    paths += [f"/v1/search?q={q}" for q in asked] + [f"/v1/suggest?q={q}" for q in asked]
    paths += [
        f"/v1/lookup?q={q}" for q in (PHOTO, ALIAS, STATIC, MAKER, "https://example.org/pictures/000001.jpg")
    ]
    paths += [f"/v1/contributors/{one}" for one in makers]
    for slug in ("ibm-research", "other-labs", "gone-labs"):
        there = f"/v1/datasets/{slug}/faces"
        paths += [f"/v1/publishers/{slug}", there]
        paths += [f"{there}{end}" for end in ("/versions/1.0.0", "/manifest", "/croissant", "/notices")]
        paths += [f"/v1/contributors/{one}/records?dataset={slug}/faces" for one in makers]
    return [*paths, *(f"/v1/receipts/{ref}" for ref in refs), *(f"/v1/statements/{ref}" for ref in refs)]


def settle(settings: Settings) -> None:
    """Let the worker do all there is to do."""
    runtime = open_runtime(settings, clock=Clock())
    try:
        Worker(runtime).settle()
    finally:
        runtime.close()


def rebuilt(settings: Settings) -> Rebuilt:
    """What `byline-registry rebuild` does, by the test's clock."""
    engine = make_engine(settings.database_url)
    try:
        shut.shut(engine)
    finally:
        engine.dispose()
    runtime = open_runtime(settings, clock=Clock())
    try:
        done = rebuild(parts_of(runtime, lambda _said: None), now=runtime.clock())
        shut.open_again(runtime.sessions)
    finally:
        runtime.close()
    return done


def command(settings: Settings, *words: str) -> tuple[int, dict[str, Any]]:
    """Run `byline-registry WORDS --json`; exit code and what it says."""
    done = CliRunner().invoke(main, [*words, "--json"], env=environment_of(settings.data_dir))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)

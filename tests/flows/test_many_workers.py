"""Three workers on PostgreSQL and S3, each killed again and again: nothing twice, nothing missing."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select

from api.app import create_app
from benchmarks.photos import photos
from registry.config import Settings
from registry.contributors import claim as claims
from registry.database import transaction
from registry.models import Act, ContributorCount, Job, Manifest, Notice, Submission
from registry.optouts import telling
from registry.runtime import Runtime, open_runtime, prepare
from registry.worker import Worker
from tests.api.signing import Signer
from tests.flows.crew import MACHINES, Crew
from tests.plugins.postgres import Postgres
from tests.plugins.s3 import Seaweed
from tests.registry.publishing.desk import Extract, extract_of

pytestmark = [pytest.mark.postgres, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(400)]

DATASETS, ROWS, OPT_OUTS, KILLS = 3, 2_000, 3, 9


@contextmanager
def web(settings: Settings) -> Iterator[tuple[Runtime, FlaskClient]]:
    """A web process's app."""
    runtime = open_runtime(settings)
    try:
        yield runtime, create_app(runtime).test_client()
    finally:
        runtime.close()


def submit(signer: Signer, extract: Extract) -> None:
    """Send a manifest and its extract."""
    assert signer.register().status_code == 201
    sent = signer.post("/v1/manifests", signer.manifest(extract=extract))
    assert sent.status_code == 202, sent.text
    where = f"{sent.headers['Location']}/extract/0"
    part = signer.client.put(where, data=extract.parts[0], content_type="application/octet-stream")
    assert part.status_code == 200, part.text


def opt_out(runtime: Runtime, client: FlaskClient, identity: str) -> None:
    """Claim, confirm, opt out."""
    claim = client.post("/v1/claims", json={"identity": identity, "email": "somebody@example.org"}).get_json()
    with transaction(runtime.sessions) as session:
        claims.confirm(session, claim_id=claim["id"], who="operator", why="seen", now=runtime.clock())
    made = client.post("/v1/opt-outs", json={"claims": [{"id": claim["id"], "token": claim["token"]}]})
    assert made.status_code == 201, made.text


def makers(extract: Any) -> list[str]:
    """The identities with most rows."""
    found = Counter(url.rsplit("/", 2)[1] for url in extract["creator_url"].to_pylist())
    return [f"flickr:{nsid}" for nsid, _ in found.most_common(OPT_OUTS)]


def left(runtime: Runtime) -> list[tuple[str, str]]:
    """Jobs that wait, and what became of them; some look at hosts that are not there, or gather for an hour."""
    aside = ("prove", "mail", "claim", telling.LETTER)
    with runtime.sessions() as session:
        rows = session.execute(select(Job.kind, Job.state).where(Job.kind.not_in(aside)))
        return [(kind, state) for kind, state in rows]


def summary(runtime: Runtime) -> dict[str, Any]:
    """What must be the same however often who was killed."""
    with runtime.sessions() as session:
        numbers = session.scalars(select(Act.number).order_by(Act.number)).all()
        indexes = session.scalars(
            select(Act.log_index).where(Act.log_index.is_not(None)).order_by(Act.log_index)
        )
        assert list(numbers) == list(range(len(numbers)))
        assert (found := list(indexes)) == list(range(len(found)))
        acts = Counter(session.scalars(select(Act.kind)))
        told = session.execute(select(Notice.dataset_id, Notice.opt_out_id)).all()
        return {
            "acts": {kind: n for kind, n in acts.items() if kind != "feed"},
            "states": Counter(session.scalars(select(Submission.state))),
            "manifests": session.scalar(select(func.count()).select_from(Manifest)),
            "records": session.scalar(select(func.sum(ContributorCount.records))),
            "notices": (len(told), len({tuple(one) for one in told})),
            "items": _items(runtime),
            "objects": Counter(key.partition("/")[0] for key in _lasting(runtime)),
        }


def _items(runtime: Runtime) -> tuple[int, int]:
    with runtime.items.connect() as connection:
        rows = connection.exec_driver_sql("SELECT k, position FROM item_key").all()
    return len(rows), hash(tuple(sorted(tuple(row) for row in rows)))


def _lasting(runtime: Runtime) -> list[str]:
    return [
        key
        for key in runtime.store.list("")
        if key.startswith(("extracts/", "records/", "manifests/", "uploads/"))
    ]


def test_killed_at_random_they_publish_and_match_everything_once(
    tmp_path: Path, postgres: Postgres, s3_server: Seaweed, s3_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    chance = random.Random(581_099)  # noqa: S311 - moments, not secrets
    tables = [photos(ROWS, seed=number) for number in range(DATASETS)]
    extracts = [extract_of(table) for table in tables]
    wished = makers(tables[0])

    calm = Settings(data_dir=tmp_path / "calm")
    prepare(calm)
    with web(calm) as (runtime, client):
        for number, extract in enumerate(extracts):
            submit(Signer(client, calm.origin, runtime.clock(), slug=f"lab-{number}"), extract)
        for identity in wished:
            opt_out(runtime, client, identity)
        settle(runtime)
        wanted = summary(runtime)
    assert wanted["states"] == {"published": DATASETS}
    assert wanted["notices"] == (OPT_OUTS * DATASETS, OPT_OUTS * DATASETS)

    settings = Settings(
        data_dir=tmp_path / "web", database_url=postgres.new_database(), object_store=s3_server.url(s3_prefix)
    )
    prepare(settings)
    with ExitStack() as opened:
        apps = [opened.enter_context(web(settings)) for _ in range(2)]
        crew = Crew(settings, tmp_path)
        opened.callback(crew.end)
        signers = [
            Signer(apps[n % 2][1], settings.origin, apps[n % 2][0].clock(), slug=f"lab-{n}")
            for n in range(DATASETS)
        ]
        todo: list[Callable[[], None]] = [
            *(partial(submit, signer, extract) for signer, extract in zip(signers, extracts, strict=True)),
            *(partial(opt_out, *apps[n % 2], wished[n]) for n in range(OPT_OUTS)),
        ]
        for kill in range(KILLS):
            if todo:
                todo.pop(0)()
            time.sleep(chance.random())
            crew.kill(kill % MACHINES)
        deadline = time.monotonic() + 200
        while left(apps[0][0]) or summary_states(apps[0][0]) != {"published": DATASETS}:
            assert time.monotonic() < deadline, left(apps[0][0])
            time.sleep(0.2)
        crew.end()
        settle(apps[0][0])
        assert left(apps[0][0]) == []
        assert summary(apps[1][0]) == wanted
        search = apps[0][1].get("/v1/search?q=photographer")
        assert search.status_code == 200
        assert search.get_json()["items"]


def summary_states(runtime: Runtime) -> Counter[str]:
    with runtime.sessions() as session:
        return Counter(session.scalars(select(Submission.state)))


def settle(runtime: Runtime) -> None:
    """The rest, in this process; what looks at other people's servers is not asked here."""
    with transaction(runtime.sessions) as session:
        session.execute(delete(Job).where(Job.kind.in_(("prove", "mail", "claim"))))
    Worker(runtime).settle()

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from byline.errors import Refused, Unavailable
from byline.formats import note
from registry.config import Settings
from registry.database import transaction
from registry.feed.head import read_head
from registry.runtime import Runtime, open_runtime, prepare
from registry.storage.s3 import S3Store
from registry.tlog.append import append
from registry.tlog.sequence import log_size
from registry.worker import Worker
from tests.plugins.s3 import Seaweed


@pytest.fixture
def grown(
    tmp_path: Path, postgres_url: str, s3_server: Seaweed, s3_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Runtime]:
    """A registry that has outgrown one machine: PostgreSQL and S3."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    settings = Settings(data_dir=tmp_path, database_url=postgres_url, object_store=s3_server.url(s3_prefix))
    prepare(settings)
    prepare(settings)
    here = open_runtime(settings)
    yield here
    assert isinstance(here.store, S3Store)
    here.store.close()
    here.close()


@pytest.mark.postgres
@pytest.mark.s3
def test_the_worker_does_its_duties_on_postgresql_and_s3(grown: Runtime) -> None:
    with transaction(grown.sessions) as session:
        append(session, kind="test", subject="s", ref="r", leaf=b"leaf", now=grown.clock())
    Worker(grown).settle()
    with grown.sessions() as session:
        assert log_size(session) >= 1
    _, head_note = read_head(grown.store)
    assert note.verify(head_note, grown.vkey).startswith(f"{grown.settings.origin}/feed/v1\n")


def test_a_registry_without_its_keys_does_not_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    prepare(settings)
    for name, code in (("seal-key.hex", "bad-seal-key"), ("log-key.pem", "bad-log-key")):
        (tmp_path / name).unlink()
        with pytest.raises(Refused) as caught:
            open_runtime(settings)
        assert caught.value.code == code


def test_preparing_never_replaces_a_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    prepare(settings)
    kept = [(tmp_path / name).read_bytes() for name in ("seal-key.hex", "log-key.pem")]
    prepare(settings)
    assert [(tmp_path / name).read_bytes() for name in ("seal-key.hex", "log-key.pem")] == kept


def test_a_public_registry_without_its_operator_does_not_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, origin="byline.example.org")
    prepare(settings)
    with pytest.raises(Refused) as caught:
        open_runtime(settings)
    assert caught.value.code == "operator-missing"


def test_a_store_that_cannot_be_reached_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with pytest.raises(Unavailable) as caught:
        prepare(Settings(data_dir=tmp_path, object_store="s3://bucket?endpoint_url=http://127.0.0.1:1"))
    assert caught.value.code == "store-unreachable"

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from registry.cli import main
from registry.config import load
from registry.database import make_engine, transaction
from registry.models import Act, Dataset, OperatorAct, OperatorSession, Publisher
from registry.operators.reports import make_report
from registry.runtime import Runtime, open_runtime
from tests.plugins.parts import environment_of

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in environment_of(tmp_path / "data").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BYLINE_ORIGIN", raising=False)

    def run(*words: str) -> Result:
        before = os.umask(0o022)  # what most systems give; the command has its own for itself alone
        try:
            return CliRunner().invoke(main, list(words), catch_exceptions=False)
        finally:
            os.umask(before)

    return run


@pytest.fixture
def ready(run: Run, tmp_path: Path) -> Run:
    assert run("init").exit_code == 0
    with_runtime(tmp_path, add_publisher)
    return run


def with_runtime(tmp_path: Path, do: Callable[[Runtime], Any]) -> Any:
    here = open_runtime(load(environment_of(tmp_path / "data")))
    try:
        return do(here)
    finally:
        here.close()


def add_publisher(here: Runtime) -> None:
    with transaction(here.sessions) as session:
        session.add(Publisher(slug="ibm-research", name="IBM Research", registered_at=NOW))
        session.flush()
        publisher = session.scalars(select(Publisher.id)).one()
        session.add(Dataset(publisher_id=publisher, name="dif", created_at=NOW))


def rows(tmp_path: Path, table: Any) -> list[Any]:
    def read(here: Runtime) -> list[Any]:
        with here.sessions() as session:
            return list(session.scalars(select(table)))

    return list(with_runtime(tmp_path, read))


def shown(result: Result) -> Any:
    return json.loads(result.stdout)


def test_init_says_the_origin_and_the_logs_key(run: Run, tmp_path: Path) -> None:
    answer = shown(run("init", "--json"))
    assert answer["origin"].endswith(".localhost")
    assert answer["vkey"].startswith(f"{answer['origin']}+")
    assert answer["data_dir"] == str(tmp_path / "data")


def test_init_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    first = shown(run("init", "--json"))
    kept = {
        path.name: path.read_bytes()
        for path in (tmp_path / "data").iterdir()
        if path.suffix in {".pem", ".hex", ".json"}
    }
    assert shown(run("init", "--json")) == first
    assert {name: (tmp_path / "data" / name).read_bytes() for name in kept} == kept


def test_two_registries_on_one_machine_have_two_origins(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = shown(run("init", "--json"))
    for name, value in environment_of(tmp_path / "other").items():
        monkeypatch.setenv(name, value)
    assert shown(run("init", "--json"))["origin"] != first["origin"]


def test_keys_are_for_their_owner_only(run: Run, tmp_path: Path) -> None:
    run("init")
    modes = {
        stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) for name in ("log-key.pem", "seal-key.hex")
    }
    assert modes == {0o600}


def test_nobody_else_on_the_machine_reads_who_objected(run: Run, tmp_path: Path) -> None:
    run("init")
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    open_to_others = [path.name for path in made if path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_init_closes_a_folder_that_was_open(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    run("init")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_what_strangers_call_themselves_does_not_steer_the_operators_terminal(
    ready: Run, tmp_path: Path
) -> None:
    def rename(here: Runtime) -> None:
        with transaction(here.sessions) as session:
            session.scalars(select(Publisher)).one().name = "\x1b[2J\u202eLab"

    with_runtime(tmp_path, rename)
    assert "\ufffd[2J\ufffdLab" in ready("publisher", "list").stdout


def test_init_does_not_rename_a_registry(run: Run) -> None:
    run("init")
    result = run("init", "--origin", "byline.example.org", "--json")
    assert (result.exit_code, shown(result)["error"]["code"]) == (1, "origin-differs")


def test_a_public_registry_needs_its_operator(run: Run, tmp_path: Path) -> None:
    result = run("init", "--origin", "byline.example.org", "--json")
    assert (result.exit_code, shown(result)["error"]["code"]) == (1, "operator-missing")
    assert not (tmp_path / "data" / "registry.json").exists()


def test_a_public_registry_keeps_who_runs_it(run: Run, tmp_path: Path) -> None:
    privacy = tmp_path / "privacy.txt"
    privacy.write_text("We keep little.")
    result = run(
        "init", "--origin", "byline.example.org", "--operator-name", "Us",
        "--operator-contact", "mailto:us@example.org", "--privacy-file", str(privacy),
    )  # fmt: skip
    assert result.exit_code == 0
    privacy.unlink()
    settings = load(environment_of(tmp_path / "data"))
    assert (settings.operator_name, settings.privacy_text) == ("Us", "We keep little.")
    assert settings.publisher_policy == "approved"


def test_nothing_runs_before_init(run: Run) -> None:
    for words in (["publisher", "list"], ["conflicts"], ["dataset", "hide", "a/b"]):
        result = run(*words, "--json")
        assert (result.exit_code, shown(result)["error"]["code"]) == (1, "not-initialised")


def test_serve_refuses_an_unmigrated_database_and_names_the_command(run: Run, tmp_path: Path) -> None:
    run("init")
    engine = make_engine(load(environment_of(tmp_path / "data")).database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    engine.dispose()
    result = run("serve", "--no-worker", "--port", "18499")
    assert result.exit_code == 1
    assert "byline-registry init" in result.stderr


def test_serve_says_that_the_port_is_taken(ready: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = ready("serve", "--no-worker", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "port-taken" in result.stderr


def test_a_publisher_is_approved_by_somebody_for_a_reason(ready: Run, tmp_path: Path) -> None:
    result = ready("publisher", "approve", "ibm-research", "--by", "ana", "--why", "known to us", "--json")
    assert shown(result) == {"slug": "ibm-research", "approved": True, "suspended": False}
    [kept] = rows(tmp_path, OperatorAct)
    assert (kept.who, kept.what, kept.subject, kept.why) == (
        "ana",
        "publisher-approved",
        "ibm-research",
        "known to us",
    )


def test_approving_and_suspending_tell_the_followers(ready: Run, tmp_path: Path) -> None:
    ready("publisher", "approve", "ibm-research")
    ready("publisher", "suspend", "ibm-research")
    assert [(act.kind, act.subject, act.leaf) for act in rows(tmp_path, Act)] == [
        ("approved", "publisher:ibm-research", None),
        ("suspended", "publisher:ibm-research", None),
    ]


def test_publishers_are_listed_with_their_standing(ready: Run) -> None:
    assert "waiting" in ready("publisher", "list").stdout
    ready("publisher", "approve", "ibm-research")
    assert "approved" in ready("publisher", "list").stdout
    ready("publisher", "suspend", "ibm-research")
    [found] = shown(ready("publisher", "list", "--json"))["items"]
    assert (found["approved"], found["suspended"]) == (True, True)


@pytest.mark.parametrize(
    "words", [["publisher", "approve", "nobody"], ["dataset", "hide", "no/thing"], ["dataset", "void", "x"]]
)
def test_what_is_not_there_is_an_error_in_both_forms(ready: Run, words: list[str]) -> None:
    result = ready(*words, "--json")
    assert result.exit_code == 1
    assert set(shown(result)["error"]) >= {"code", "message", "at"}
    plain = ready(*words)
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert shown(result)["error"]["code"] in plain.stderr


def test_a_dataset_is_hidden(ready: Run, tmp_path: Path) -> None:
    assert ready("dataset", "hide", "ibm-research/dif", "--why", "court order").exit_code == 0
    assert [dataset.hidden for dataset in rows(tmp_path, Dataset)] == [True]


def test_a_dataset_without_versions_voids_nothing(ready: Run) -> None:
    assert shown(ready("dataset", "void", "ibm-research/dif", "--json")) == {
        "dataset": "ibm-research/dif",
        "voided": [],
    }


def test_without_conflicts_there_are_none(ready: Run) -> None:
    assert shown(ready("conflicts", "--json")) == {"items": []}


def test_every_command_has_help(run: Run) -> None:
    def walk(command: Any, words: list[str]) -> None:
        assert run(*words, "--help").exit_code == 0
        for name, below in getattr(command, "commands", {}).items():
            assert below.help, name
            walk(below, [*words, name])

    walk(main, [])


def test_a_code_for_the_pages_is_given_and_taken_back(ready: Run, tmp_path: Path) -> None:
    given = json.loads(ready("operator", "sign-in", "--by", "ada", "--json").output)
    assert given["url"].endswith("/operator")
    assert len(given["code"]) == 43
    assert given["code"] not in repr([vars(row) for row in rows(tmp_path, OperatorSession)])
    ended = json.loads(ready("operator", "sign-out", "--by", "ada", "--json").output)
    assert ended == {"who": "ada", "ended": 1}
    assert "operator-signed-out" in ready("operator", "trail").output


def test_reports_are_read_and_closed(ready: Run, tmp_path: Path) -> None:
    def tell(here: Runtime) -> None:
        with transaction(here.sessions) as session:
            make_report(
                session, kind="wording", subject="dataset:ibm-research/dif", text="\x1b[31mred", email=None,
                seal=here.seal, now=NOW,
            )  # fmt: skip

    with_runtime(tmp_path, tell)
    shown = ready("report", "list").output
    assert "wording" in shown
    assert "\x1b" not in shown
    assert ready("report", "close", "1", "--by", "ada", "--why", "hidden").exit_code == 0
    assert ready("report", "list").output.strip() == "none"
    assert ready("report", "close", "1", "--by", "ada", "--why", "hidden").exit_code == 1

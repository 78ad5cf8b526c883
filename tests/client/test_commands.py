"""The commands against a registry of canned answers on loopback; the real one is in tests/flows."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from byline.cli.app import _COMMANDS, byline
from byline.cli.options import printable, spread
from byline.formats import envelope, statements
from byline.formats.keys import PrivateKey, PublicKey

NOBODY = "http://127.0.0.1:9"


@dataclass
class Canned:
    """What a registry answers to `METHOD PATH`, and what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def registry() -> Iterator[Canned]:
    canned = Canned(answers={"GET /v1": (200, {"origin": "registry.test"})})

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name = f"{self.command} {self.path}"
            canned.asked.append((name, body, dict(self.headers)))
            status, document = canned.answers.get(
                name, (404, {"code": "no-such-thing", "detail": "there is none"})
            )
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names http.server calls

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        canned.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield canned
        server.shutdown()
        thread.join()


def run(*words: str, code: int = 0) -> Result:
    """Run a command in this process."""
    result = CliRunner().invoke(byline, list(words), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def document(*words: str, code: int = 0) -> Any:
    """Its JSON document: all that stands on stdout."""
    return json.loads(run(*words, "--json", code=code).stdout)


def test_help_imports_nothing_heavy() -> None:
    heavy = ["httpx", "pyarrow", "numpy", "duckdb", "cryptography", "rich", "can_ada"]
    script = (
        "import sys; from byline.cli import main; main(['--help'], standalone_mode=False); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_loads_and_explains_itself(name: str) -> None:
    assert run(name, "--help").stdout.startswith("Usage: byline")


@pytest.mark.parametrize("name", list(_COMMANDS))
def test_every_command_takes_the_registry_and_json(name: str) -> None:
    command = byline.get_command(click.Context(byline), name)
    assert command
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = [{option for one in leaf.params for option in one.opts} for leaf in leaves]
    assert all({"--registry", "--json"} <= one for one in options)


def test_a_key_is_made_once_and_kept_secret(tmp_path: Path) -> None:
    out = tmp_path / "KEY.pem"
    told = document("keygen", "--out", str(out))
    assert PrivateKey.from_pem(out.read_bytes()).public.key_id == told["key_id"]
    assert PublicKey.parse((tmp_path / "KEY.pem.pub").read_text()).key_id == told["key_id"]
    assert out.stat().st_mode & 0o077 == 0
    assert document("keygen", "--out", str(out), code=1)["error"]["code"] == "file-exists"


def test_a_publisher_signs_its_own_registration(registry: Canned, tmp_path: Path) -> None:
    registry.answers["POST /v1/publishers"] = (201, {"slug": "ibm-research", "status": "self-declared"})
    key = tmp_path / "k.pem"
    key_id = document("keygen", "--out", str(key))["key_id"]
    words = ("--slug", "ibm-research", "--name", "IBM Research", "--key", str(key))
    document("publisher", "register", *words, "--registry", registry.url)
    opened = envelope.open_envelope(registry.asked[-1][1])
    claim = statements.read_publisher(statements.open_statement(opened))
    assert envelope.signer(opened, [claim.public_key]).key_id == key_id
    assert (claim.origin, claim.slug) == ("registry.test", "ibm-research")


def test_who_is_registered_already_is_told_so(registry: Canned, tmp_path: Path) -> None:
    """Not that somebody was faster with a manifest."""
    registry.answers["POST /v1/publishers"] = (
        409,
        {"code": "stale-previous", "detail": "previous must name …"},
    )
    key = tmp_path / "k.pem"
    document("keygen", "--out", str(key))
    words = ("--slug", "lab", "--name", "Lab", "--key", str(key), "--registry", registry.url)
    assert document("publisher", "register", *words, code=1)["error"]["code"] == "already-registered"


def test_a_draft_that_is_not_signed_is_told_what_comes_first(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"predicate":{}}')
    done = run("manifest", "verify", str(tmp_path / "manifest.json"), code=1)
    assert "next: a draft of `byline manifest init` is signed first" in done.stderr


@pytest.mark.parametrize(("more", "told"), [((), True), (("--supersedes", "1"), False)])
def test_a_version_beside_a_published_one_is_reminded_of_it(
    registry: Canned,
    tmp_path: Path,
    more: tuple[str, ...],
    told: bool,  # noqa: FBT001 - a case
) -> None:
    """Without `--supersedes` both would stand as the newest for ever."""
    registry.answers["GET /v1/datasets/a/b"] = (200, {"versions": [{"version": "1", "digest": "0" * 64}]})
    (tmp_path / "s.csv").write_text("url\nhttps://a.example/1.jpg\n")
    words = ("--dataset", "a/b", "--version", "2", "--records", str(tmp_path / "s.csv"), "--map", "url=url")
    out = ("-o", str(tmp_path / "m.json"), "--registry", registry.url)
    done = run("manifest", "init", *words, *more, *out)
    assert ("--supersedes 1 says that this version replaces it" in done.stderr) == told


def test_who_does_not_answer_is_exit_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byline.client.transport.Retry.wait", lambda *_: None)
    assert document("search", "x", "--registry", NOBODY, code=3)["error"]["code"] == "unreachable"


def test_a_refusal_is_exit_1_and_says_where(registry: Canned) -> None:
    problem = {"code": "not-an-identity", "detail": "that is none", "at": "identity"}
    registry.answers["POST /v1/claims"] = (422, problem)
    found = document("claim", "x", "--registry", registry.url, code=1)["error"]
    assert found == {"code": "not-an-identity", "message": "that is none", "at": "identity"}


def test_a_key_with_a_slip_in_it_is_not_taken_for_a_registry_that_changed_its_own(tmp_path: Path) -> None:
    words = ("sync", "--state", str(tmp_path), "--vkey", "bad", "--registry", "http://127.0.0.1:1")
    assert "[bad-vkey]" in run(*words, code=1).stderr  # before anything is asked


def test_wrong_usage_is_exit_2() -> None:
    for words in (
        ["nonsense"],
        ["search"],
        ["opt-out"],
        ["opt-out", "--claim", "a"],
        ["opt-out", "--url", "u"],
        ["claim"],
    ):
        run(*words, code=2)


def test_a_look_up_says_first_where_it_stands_and_counts_the_rest(registry: Canned) -> None:
    """A registry holds hundreds of datasets; nobody reads a line for each that says no."""
    answers = [*["no"] * 3, *["cannot-tell"] * 12, "yes"]
    items: list[dict[str, Any]] = [
        {"dataset": f"a/d{at}", "version": "1", "answer": one, "rows": []} for at, one in enumerate(answers)
    ]
    items[-1]["rows"] = [{"file": 0, "row": 7, "url": "https://x.example/7.jpg"}]
    registry.answers["GET /v1/lookup?q=jane"] = (200, {"answer": "yes", "need": "photo-link", "items": items})
    lines = run("lookup", "jane", "--registry", registry.url).stdout.splitlines()
    assert lines[1:3] == ["  a/d15 1: yes, 1 rows shown", "    https://x.example/7.jpg"]
    assert lines[3].startswith("  cannot tell of 12 datasets: a/d3 1, ")
    assert lines[3].endswith(" and 2 more")
    assert lines[-1] == "  no in 3 datasets"


def test_the_registry_is_taken_from_the_environment(
    registry: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.answers["GET /v1/lookup?q=flickr%3A1%40N00"] = (
        200,
        {"answer": "cannot-tell", "need": "photo-link", "items": []},
    )
    monkeypatch.setenv("BYLINE_REGISTRY", registry.url)
    assert "cannot tell" in run("lookup", "flickr:1@N00").stdout
    assert document("lookup", "flickr:1@N00")["need"] == "photo-link"


def test_an_opt_out_by_claims_says_all_that_was_asked(registry: Canned) -> None:
    registry.answers["POST /v1/opt-outs"] = (201, {"id": "o1", "state": "in-force", "token": None})
    words = (
        "opt-out",
        "--claim",
        "c1",
        "--token",
        "t1",
        "--claim",
        "c2",
        "--token",
        "t2",
        "--dataset",
        "a/b",
        "--category",
        "train-other",
        "--keep-existing",
        "--publisher-only",
        "--registry",
        registry.url,
    )
    assert document(*words)["id"] == "o1"
    assert json.loads(registry.asked[-1][1]) == {
        "claims": [{"id": "c1", "token": "t1"}, {"id": "c2", "token": "t2"}],
        "datasets": ["a/b"],
        "categories": ["train-other"],
        "relation": "maker",
        "remove_existing": False,
        "publisher_only": True,
    }


def test_an_opt_out_by_links_takes_several(registry: Canned) -> None:
    registry.answers["POST /v1/opt-outs"] = (201, {"id": "o1", "state": "awaiting-mail", "token": "t"})
    shown = run(
        "opt-out",
        "--url",
        "https://a.example/1",
        "https://a.example/2",
        "--email",
        "a@b.example",
        "--relation",
        "pictured",
        "--registry",
        registry.url,
    )
    sent = json.loads(registry.asked[-1][1])
    assert (sent["selectors"], sent["relation"]) == (
        ["https://a.example/1", "https://a.example/2"],
        "pictured",
    )
    assert "a mail is on its way" in shown.stdout


def test_status_and_withdrawal_send_the_token_in_a_header(registry: Canned) -> None:
    status = {
        "id": "o1",
        "state": "in-force",
        "assurance": "verified",
        "relation": "maker",
        "datasets": [{"dataset": "a/b", "versions": ["1"], "records": 3, "state": "sent"}],
        "feed_seq": 7,
    }
    registry.answers |= {
        "GET /v1/opt-outs/o1": (200, status),
        "POST /v1/opt-outs/o1/withdraw": (200, {"id": "o1", "state": "withdrawn"}),
    }
    assert document("opt-out", "status", "o1", "--token", "t", "--registry", registry.url) == status
    assert "since head 7" in run("opt-out", "status", "o1", "--token", "t", "--registry", registry.url).stdout
    assert (
        document("opt-out", "withdraw", "o1", "--token", "t", "--registry", registry.url)["state"]
        == "withdrawn"
    )
    assert {headers["Authorization"] for _, _, headers in registry.asked} == {"Bearer t"}


def test_search_shows_each_dataset_and_cannot_steer_the_terminal(registry: Canned) -> None:
    item = {
        "contributor": {"display_name": "Eve\x1b[2J\u202e", "platform": "flickr", "platform_id": "1@N00"},
        "records": 12_345,
        "datasets": [{"dataset": "a/b", "version": "1", "records": 12_345, "purposes": ["face-recognition"]}],
        "match": "exact",
    }
    registry.answers["GET /v1/search?q=Eve+Adams&limit=20"] = (200, {"items": [item], "next": "c"})
    shown = run("search", "Eve", "Adams", "--registry", registry.url).stdout
    assert "12,345 records" in shown
    assert "face-recognition" in shown
    assert "--cursor c" in shown
    assert not set(shown) & {"\x1b", "\u202e"}


def test_an_option_takes_all_the_values_behind_it() -> None:
    words = ["--records", "a", "b", "-o", "m", "--map", "x=1", "y=2"]
    assert spread(words, ("--records", "--map")) == [
        "--records",
        "a",
        "--records",
        "b",
        "-o",
        "m",
        "--map",
        "x=1",
        "--map",
        "y=2",
    ]


def test_plain_names_are_printed_as_they_are() -> None:
    assert printable("Łukasz Żółć 東京 עברית\n\tline") == "Łukasz Żółć 東京 עברית\n\tline"

"""Notices reach a publisher by poll, webhook and mail, at least once and in order, and are answered."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import secrets
import threading
from collections.abc import Iterator
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pyroaring import BitMap64
from sqlalchemy import func, select, update
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from api.app import create_app
from byline.cli.app import byline
from byline.client.outcome import outcome_statement
from byline.client.signing import signed_headers
from byline.formats.keys import PrivateKey
from byline.formats.outcomes import Said
from registry.contributors.claim import confirm
from registry.database import transaction
from registry.egress import Egress
from registry.models import Answer, Delivery, Job, Manifest, Notice, NoticeEvent, Receiver
from registry.optouts import letters
from registry.optouts.notices import notice_counts
from registry.optouts.undelivered import deliver_again, undelivered
from registry.worker import Worker
from tests.api.world import World
from tests.registry.egress.hostile import FakeNames, Listener, listening, page

HOOK = "hooks.example"


@dataclasses.dataclass
class Desk:
    """A publisher's desk: signed requests to a world that has one dataset of its own."""

    world: World
    hook: Listener

    def ask(
        self, method: str, path: str, body: bytes = b"", *, key: PrivateKey | None = None, **said: Any
    ) -> Any:
        """A signed request; `url` is what is signed, where it is another one."""
        now = said.get("now", self.world.runtime.clock())
        url = said.get("url", f"http://localhost{path}")
        headers = signed_headers(
            method, url, said.get("signed", body), key=key or self.world.signer.key, now=now
        )
        return self.world.client.open(
            path,
            method=method,
            data=body,
            headers={**headers, **({"Content-Type": "application/json"} if body else {})},
        )

    def inbox(self, after: int = 0) -> dict[str, Any]:
        """A page of notices."""
        answer = self.ask("GET", f"/v1/notices?after={after}")
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def opt_out(self, identity: str = "flickr:12345678@N00", **said: Any) -> tuple[str, dict[str, str]]:
        """Somebody opts out; the id, and the header that opens it."""
        made = self.world.client.post("/v1/claims", json={"identity": identity}).get_json()
        here = self.world.runtime
        with transaction(here.sessions) as session:
            confirm(session, claim_id=made["id"], who="op", why="", now=here.clock())
        claims = [{"id": made["id"], "token": made["token"]}]
        asked = self.world.client.post("/v1/opt-outs", json={"claims": claims, **said}).get_json()
        self.settle()
        return asked["id"], {"Authorization": f"Bearer {made['token']}"}

    def status(self, opt_out: tuple[str, dict[str, str]]) -> dict[str, Any]:
        """The line of the one dataset."""
        [line] = self.world.get(f"/v1/opt-outs/{opt_out[0]}", **opt_out[1])["datasets"]
        return dict(line)

    def report(self, *said: Said, previous: str | None = None, slug: str = "ibm-research") -> Any:
        """Send an outcome statement."""
        signer = self.world.signer
        envelope = outcome_statement(
            said, signer.key, publisher=slug, origin=signer.origin, previous=previous, stamp=signer.stamp()
        )
        return signer.post("/v1/outcomes", envelope)

    def settle(self) -> None:
        """Let the worker work."""
        Worker(self.world.runtime, rand=lambda: 0.5).settle()

    def later(self, **time: float) -> None:
        """Time passes, and the worker works."""
        self.world.runtime.clock.now += dt.timedelta(**time)  # type: ignore[attr-defined]
        self.settle()

    def set_hook(self, url: str | None = None) -> Any:
        """Ask for a webhook."""
        body = json.dumps({"url": url or f"http://{HOOK}:{self.hook.port}/in"}).encode()
        return self.ask("POST", "/v1/webhooks", body)


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with listening() as hook:
        names = FakeNames(hooks_example=[[hook.address]], inside_example=[["10.0.0.1"]])
        runtime = dataclasses.replace(world.runtime, egress=Egress(names, also=[hook.pair]))
        yield Desk(
            dataclasses.replace(world, runtime=runtime, client=create_app(runtime).test_client()), hook
        )


def test_a_publisher_reads_its_notices_by_a_signed_request(desk: Desk) -> None:
    desk.opt_out()
    [item] = desk.inbox()["items"]
    notice = item["notice"]
    assert (item["seq"], item["kind"], notice["state"]) == (1, "made", "pending")
    assert notice["selectors"] == [{"kind": "maker", "value": "flickr:12345678@N00"}]
    assert (notice["records"], notice["remove_existing"], notice["relation"]) == (2, True, "maker")
    [rows] = notice["rows"]
    assert list(BitMap64.deserialize(base64.b64decode(rows["rows"]))) == [0, 1]


def test_asking_for_more_proves_delivery_and_starts_the_clock(desk: Desk) -> None:
    wish = desk.opt_out()
    first = desk.inbox()
    assert desk.status(wish)["state"] == "pending"  # sent is not yet delivered
    assert desk.inbox(after=first["next"])["items"] == []
    line = desk.status(wish)
    now = desk.world.runtime.clock()
    assert (line["state"], line["sent_at"]) == ("sent", now.isoformat().replace("+00:00", "Z"))
    assert line["answer_by"].startswith(str((now + dt.timedelta(days=30)).date()))
    with desk.world.runtime.sessions() as session:
        [proof] = session.scalars(select(Delivery))
        assert (proof.channel, proof.from_seq, proof.to_seq, len(proof.proof)) == ("poll", 1, 1, 64)


def test_nobody_else_reads_them(desk: Desk) -> None:
    desk.opt_out()
    path, clock = "/v1/notices?after=0", desk.world.runtime.clock()
    wrong = [
        (desk.world.client.get(path), "request-not-signed"),
        (desk.ask("GET", path, key=PrivateKey.generate()), "bad-signature"),
        (desk.ask("GET", path, now=clock - dt.timedelta(minutes=6)), "bad-signature"),
        (desk.ask("GET", path, now=clock + dt.timedelta(minutes=6)), "bad-signature"),
        (desk.ask("GET", path, url="http://localhost/v1/notices?after=1"), "bad-signature"),
        (desk.ask("GET", path, url="http://other.example/v1/notices?after=0"), "bad-signature"),
    ]
    assert [(answer.status_code, answer.get_json()["code"]) for answer, _ in wrong] == [
        (403, code) for _, code in wrong
    ]


def test_a_signed_body_is_the_body_that_was_signed(desk: Desk) -> None:
    body = json.dumps({"url": f"http://{HOOK}:{desk.hook.port}/in"}).encode()
    answer = desk.ask("POST", "/v1/webhooks", body, signed=b'{"url": null}')
    assert (answer.status_code, answer.get_json()["code"]) == (403, "bad-signature")


def test_a_webhook_is_told_once_and_can_check_who_tells(desk: Desk) -> None:
    secret = desk.set_hook().get_json()["secret"]
    desk.hook.replies["/in"] = page(b"", status="204 No Content")
    wish = desk.opt_out()
    [heard] = desk.hook.heard
    head, body = heard.split("\r\n\r\n", 1)
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:])}
    # the library asks the machine's clock, the registry here the test's
    stamp = headers["webhook-timestamp"]
    assert int(stamp) == int(desk.world.runtime.clock().timestamp())
    when = dt.datetime.fromtimestamp(int(stamp), dt.UTC)
    assert Webhook(secret).sign(headers["webhook-id"], when, body) == headers["webhook-signature"]
    told = json.loads(body)
    assert told["data"]["events"][0] | {"notice": ""} == {
        "seq": 1, "kind": "made", "dataset": "ibm-research/faces", "notice": "",
    }  # fmt: skip
    assert "12345678" not in body  # nothing of a person
    assert desk.status(wish)["state"] == "sent"
    desk.settle()
    assert len(desk.hook.heard) == 1


def test_a_webhook_that_fails_comes_back_and_gets_everything_in_order(desk: Desk) -> None:
    desk.set_hook()
    desk.hook.replies["/in"] = page(b"", status="500 Oh")
    desk.opt_out()
    desk.opt_out("flickr:12345678@N00")
    view = desk.ask("GET", "/v1/webhooks").get_json()
    assert (view["error"], view["waiting"]) == ("the webhook answered 500", 2)
    desk.hook.replies["/in"] = page(b"")
    desk.later(hours=7)
    bodies = [json.loads(heard.split("\r\n\r\n", 1)[1]) for heard in desk.hook.heard]
    ids = [next(x for x in heard.split("\r\n") if x.startswith("webhook-id")) for heard in desk.hook.heard]
    assert len(set(ids[:-1])) == 1  # the same message again has the same id
    took = {json.dumps(body["data"]) for body in bodies}
    assert sorted(seq for data in took for seq in [e["seq"] for e in json.loads(data)["events"]]) == [1, 2]
    assert desk.ask("GET", "/v1/webhooks").get_json()["waiting"] == 0


def test_a_crash_after_the_message_sends_it_again_under_its_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.set_hook()
    desk.hook.replies["/in"] = page(b"")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.optouts.pushing._pushed", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.opt_out()
    desk.later(hours=1)
    ids = {next(x for x in heard.split("\r\n") if x.startswith("webhook-id")) for heard in desk.hook.heard}
    assert (len(desk.hook.heard), len(ids)) == (2, 1)


def test_who_never_takes_a_message_is_a_dead_letter_that_shows(desk: Desk) -> None:
    desk.set_hook()
    wish = desk.opt_out()
    for _ in range(20):
        desk.later(hours=10)
    with desk.world.runtime.sessions() as session:
        [job] = session.scalars(select(Job).where(Job.kind == "push-notices"))
        assert (job.state, job.attempts) == ("dead", 16)
        [dead] = undelivered(session)
    assert (dead["publisher"], dead["channel"], dead["dead"], dead["waiting"]) == (
        "ibm-research", "webhook", True, 1,
    )  # fmt: skip
    assert desk.ask("GET", "/v1/webhooks").get_json()["failing_since"] is not None
    assert desk.inbox()["items"] != []  # and nothing is lost
    desk.hook.replies["/in"] = page(b"")
    with transaction(desk.world.runtime.sessions) as session:
        assert deliver_again(session, slug="ibm-research", now=desk.world.runtime.clock()) == 1
    desk.settle()
    assert desk.status(wish)["state"] == "sent"
    with desk.world.runtime.sessions() as session:
        assert undelivered(session) == []


def test_a_webhook_never_leads_inside(desk: Desk) -> None:
    answer = desk.set_hook("https://inside.example/in")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "address-not-public")


def test_a_webhook_that_is_gone_is_called_no_more(desk: Desk) -> None:
    desk.set_hook()
    desk.hook.replies["/in"] = page(b"", status="410 Gone")
    desk.opt_out()
    assert desk.ask("GET", "/v1/webhooks").get_json()["url"] is None


def reachable(desk: Desk, contact: str) -> None:
    """Let the dataset's newest version name this contact."""
    with transaction(desk.world.runtime.sessions) as session:
        session.execute(update(Manifest).values(contact=contact))


def test_the_contact_gets_one_mail_that_names_nobody(desk: Desk) -> None:
    reachable(desk, "mailto:faces@example.org")
    wish = desk.opt_out()
    assert desk.world.mails() == []
    desk.later(hours=1.1)
    (mail,) = [message_from_string(text, policy=policy.default) for text in desk.world.mails()]
    with desk.world.runtime.sessions() as session:
        delivered = select(func.count()).select_from(Delivery).where(Delivery.channel == "mail")
        assert session.scalar(delivered) == 1
    text = mail.get_content()
    assert mail["To"] == "faces@example.org"
    assert "12345678" not in text
    assert "1 made" in text
    assert desk.status(wish)["state"] == "sent"


def test_without_a_mail_address_a_notice_waits_until_it_is_asked_for(desk: Desk) -> None:
    reachable(desk, "https://lab.example.org/contact")
    wish = desk.opt_out()
    desk.later(hours=1.1)
    assert desk.world.mails() == []
    assert desk.status(wish)["state"] == "undeliverable"


def test_a_mail_that_must_be_sent_again_has_the_same_message_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(desk, "mailto:faces@example.org")
    desk.opt_out()

    def dies(*_: object, **__: object) -> None:
        raise OSError("the process died after the mail was taken")

    monkeypatch.setattr(letters, "_mailed", dies)
    desk.later(hours=1.1)
    monkeypatch.undo()
    desk.later(hours=25)
    ids = [message_from_string(text, policy=policy.default)["Message-ID"] for text in desk.world.mails()]
    assert len(ids) > 1
    assert len(set(ids)) == 1


def notice_id(desk: Desk) -> str:
    with desk.world.runtime.sessions() as session:
        return session.scalars(select(Notice.id)).one()


def test_outcomes_are_kept_amended_and_shown(desk: Desk) -> None:
    wish = desk.opt_out()
    first = desk.report(Said("acknowledged", (notice_id(desk),)))
    assert (first.status_code, first.get_json()["taken"]) == (201, {"acknowledged": 1})
    head = desk.inbox()["outcomes_head"]
    assert head == first.get_json()["digest"]
    assert desk.report(Said("exempt", (notice_id(desk),), "press archive"), previous=head).status_code == 201
    assert desk.status(wish)["state"] == "exempt"
    with desk.world.runtime.sessions() as session:
        said = session.scalars(select(Answer.outcome).order_by(Answer.id)).all()
    assert said == ["acknowledged", "exempt"]


def test_the_same_statement_again_changes_nothing_and_another_must_follow(desk: Desk) -> None:
    desk.opt_out()
    signer = desk.world.signer
    said = [Said("acknowledged", (notice_id(desk),))]
    envelope = outcome_statement(
        said, signer.key, publisher=signer.slug, origin=signer.origin, previous=None, stamp=signer.stamp()
    )
    assert [signer.post("/v1/outcomes", envelope).status_code for _ in range(2)] == [201, 201]
    assert desk.report(*said).get_json()["code"] == "stale-previous"
    with desk.world.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 1


def test_an_answer_to_what_is_not_yours_is_refused_whole(desk: Desk) -> None:
    desk.opt_out()
    answer = desk.report(Said("acknowledged", (notice_id(desk), "0" * 32)))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "no-such-notice")
    with desk.world.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 0


def test_ten_thousand_outcomes_fit_in_one_statement(desk: Desk) -> None:
    ids = tuple(secrets.token_hex(16) for _ in range(10_000))
    answer = desk.report(Said("said-deleted", ids))
    assert answer.get_json()["code"] == "no-such-notice"  # read whole, and looked up
    assert len(answer.get_json()["details"]) == 100


def test_a_person_contests_and_the_publisher_hears_it(desk: Desk) -> None:
    wish = desk.opt_out()
    address = f"/v1/opt-outs/{wish[0]}/contest"
    said = {"dataset": "ibm-research/faces", "reason": "They are still there."}
    nothing = desk.world.client.post(address, json=said, headers=wish[1])
    assert nothing.get_json()["code"] == "nothing-to-contest"
    desk.report(Said("said-deleted", (notice_id(desk),)))
    assert desk.world.client.post(address, json=said, headers=wish[1]).status_code == 204
    assert desk.status(wish)["state"] == "contested"
    assert [item["kind"] for item in desk.inbox()["items"]] == ["made", "contested"]
    assert desk.world.client.post(address, json=said).status_code == 401


def test_a_confirmed_notice_joins_the_row_feed(desk: Desk) -> None:
    desk.opt_out()
    desk.report(Said("confirmed", (notice_id(desk),)))
    with desk.world.runtime.sessions() as session:
        notice = session.scalars(select(Notice)).one()
        assert (notice.confirmed, notice.state) == (True, "acknowledged")


def test_taking_it_back_is_told_and_its_selectors_are_gone(desk: Desk) -> None:
    wish = desk.opt_out()
    desk.world.client.post(f"/v1/opt-outs/{wish[0]}/withdraw", json={}, headers=wish[1])
    last = desk.inbox()["items"][-1]
    assert (last["kind"], last["notice"]["state"], last["notice"]["selectors"]) == (
        "withdrawn",
        "withdrawn",
        [],
    )


def test_numbers_have_no_gaps(desk: Desk) -> None:
    for _ in range(3):
        desk.opt_out()
    with desk.world.runtime.sessions() as session:
        assert session.scalars(select(NoticeEvent.seq).order_by(NoticeEvent.seq)).all() == [1, 2, 3]
        assert session.scalars(select(Receiver.next_seq)).one() == 4
        assert notice_counts(session, dataset="ibm-research/faces")["total"] == "<10"


def test_the_commands_read_and_answer(desk: Desk, tmp_path: Path) -> None:
    """`byline notices`, `notices decline` and `outcome --from` against the registry behind a real server."""
    desk.opt_out()
    wish = desk.opt_out()
    desk.world.runtime.clock.now = dt.datetime.now(dt.UTC)  # type: ignore[attr-defined]  # commands sign by the machine's
    key = tmp_path / "key.pem"
    key.write_bytes(desk.world.signer.key.to_pem())
    key.chmod(0o600)
    server = make_server("127.0.0.1", 0, desk.world.client.application)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(*words: str, said: str | None = None) -> Any:
        where = ["--registry", f"http://127.0.0.1:{server.server_port}", "--json"]
        done = CliRunner().invoke(byline, [*words, "--key", str(key), *where], input=said)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    try:
        ids = [item["notice"]["id"] for item in run("notices")["items"]]
        assert len(ids) == 2
        assert desk.status(wish)["state"] == "sent"
        mine = ("--publisher", "ibm-research")
        assert run("notices", "decline", ids[0], "--reason", "not his", *mine)["taken"] == {"declined": 1}
        line = json.dumps({"notice": ids[1], "outcome": "suppressed"})
        assert run("outcome", "--from", "-", *mine, said=line)["taken"] == {"suppressed": 1}
    finally:
        server.shutdown()
        server.server_close()
    assert desk.status(wish)["state"] == "suppressed"

"""Who asked is told of new datasets and of answers: by mail after a mailed link, by webhook after it took a message."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, select, update
from standardwebhooks import Webhook
from werkzeug.serving import make_server

from api.app import create_app
from byline.cli.app import byline
from byline.client.outcome import outcome_statement
from byline.formats.keys import PrivateKey
from byline.formats.outcomes import Said
from registry.database import transaction
from registry.egress import Egress
from registry.models import Contributor, Follower, Job, Notice, Watch, WatchEvent
from registry.watches import noting
from registry.worker import Worker
from tests.api.signing import Signer
from tests.api.test_mine import claim, link, opened
from tests.api.world import ROWS, STATIC, World
from tests.registry.egress.hostile import FakeNames, Listener, listening, page
from tests.registry.publishing.desk import extract_of, records

MAKER, ME = "flickr:12345678@N00", "me@example.org"
HOOK = "hooks.example"
ATOM = "{http://www.w3.org/2005/Atom}"
OTHERS = records({"url": STATIC, "landing_url": "https://www.flickr.com/photos/87654321@N00/3072908271/"})


@dataclasses.dataclass
class Room(World):
    """A world whose registry reaches one listener as the web."""

    hook: Listener = dataclasses.field(default_factory=lambda: Listener("", 0))

    def settle(self) -> None:
        """Let the worker work, without chance."""
        Worker(self.runtime, rand=lambda: 0.5).settle()

    def later(self, **time: float) -> None:
        """Time passes, and the worker works."""
        self.runtime.clock.now += dt.timedelta(**time)  # type: ignore[attr-defined]
        self.settle()

    def publish(
        self, slug: str = "other-lab", rows: Any = ROWS, version: str = "1.0.0", **said: Any
    ) -> Signer:
        """Another publisher registers a dataset; with `signer`, its next version."""
        signer = said.get("signer") or Signer(
            self.client, self.signer.origin, self.runtime.clock(), slug=slug, key=PrivateKey.generate()
        )
        if "signer" not in said:
            assert signer.register().status_code == 201
        extract = extract_of(rows)
        manifest = signer.manifest(extract=extract, version=version, previous=said.get("previous"))
        submitted = signer.post("/v1/manifests", manifest)
        assert submitted.status_code == 202, submitted.text
        where = submitted.headers["Location"]
        sent = self.client.put(
            f"{where}/extract/0", data=extract.parts[0], content_type="application/octet-stream"
        )
        assert sent.status_code == 200, sent.text
        self.later(seconds=1)
        return signer

    def watch(self, code: int = 202, **said: Any) -> dict[str, Any]:
        """Ask to be told."""
        headers = said.pop("headers", {})
        answer = self.client.post("/v1/watches", json=said or {"about": MAKER, "email": ME}, headers=headers)
        assert answer.status_code == code, answer.text
        self.settle()
        return dict(answer.get_json())

    def confirm(self) -> None:
        """Press the button behind the newest mailed link."""
        token = link(self)
        form = self.client.get(f"/confirm/{token}")
        csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
        assert csrf, form.text
        assert self.client.post("/confirm", data={"token": token, "csrf_token": csrf[1]}).status_code == 200

    def told(self) -> list[EmailMessage]:
        """The mails that tell something, parsed."""
        mails = [message_from_string(text, policy=policy.default) for text in self.mails()]
        return [mail for mail in mails if mail["List-Unsubscribe"]]

    def view(self, made: dict[str, Any]) -> dict[str, Any]:
        """A watch as its owner sees it."""
        return dict(self.get(f"/v1/watches/{made['id']}", Authorization=f"Bearer {made['token']}"))

    def messages(self) -> list[dict[str, Any]]:
        """What the webhook got."""
        return [json.loads(heard.split("\r\n\r\n", 1)[1]) for heard in self.hook.heard]


@pytest.fixture
def room(world: World) -> Iterator[Room]:
    with listening() as hook:
        hook.replies["/in"] = page(b"")
        names = FakeNames(hooks_example=[[hook.address]], inside_example=[["10.0.0.1"]])
        runtime = dataclasses.replace(world.runtime, egress=Egress(names, also=[hook.pair]))
        signer = dataclasses.replace(world.signer, client=(client := create_app(runtime).test_client()))
        yield Room(runtime, client, signer, world.manifest, hook)


def hooked(room: Room) -> dict[str, Any]:
    return room.watch(about=MAKER, webhook=f"http://{HOOK}:{room.hook.port}/in")


def body_of(mail: EmailMessage) -> str:
    part = mail.get_body()
    assert part is not None
    return str(part.get_content())


def test_a_new_dataset_is_told_by_mail_once_the_link_was_pressed(room: Room) -> None:
    made = room.watch()
    assert made["state"] == "waiting"
    room.publish("early-lab")
    room.later(hours=2)
    assert room.told() == []  # nobody is written to who did not press the button
    room.confirm()
    room.publish("late-lab")
    room.later(hours=2)
    [mail] = room.told()
    assert mail["To"] == ME
    assert "late-lab/faces 1.0.0" in body_of(mail)
    assert "early-lab" not in body_of(mail)
    assert [(one["kind"], one["dataset"]) for one in room.view(made)["events"]] == [
        ("dataset", "late-lab/faces")
    ]


def test_what_comes_within_an_hour_goes_in_one_mail_and_never_twice(room: Room) -> None:
    room.watch()
    room.confirm()
    for slug in ("a-lab", "b-lab", "c-lab"):
        room.publish(slug)
    room.later(minutes=30)
    assert room.told() == []
    room.later(hours=1)
    [mail] = room.told()
    assert re.findall(r"- (\S+)/faces", body_of(mail)) == ["a-lab", "b-lab", "c-lab"]
    room.later(days=3)
    assert len(room.told()) == 1


def test_only_the_first_version_that_names_them_is_news(room: Room) -> None:
    made = hooked(room)
    signer = room.publish(rows=OTHERS)  # names somebody else
    head = room.get("/v1/datasets/other-lab/faces/versions/1.0.0")["digest"]
    assert room.view(made)["events"] == []
    room.publish(signer=signer, version="2.0.0", previous=head)
    head = room.get("/v1/datasets/other-lab/faces/versions/2.0.0")["digest"]
    room.publish(signer=signer, version="3.0.0", previous=head)
    assert [(one["dataset"], one["version"]) for one in room.view(made)["events"]] == [
        ("other-lab/faces", "2.0.0")
    ]


def test_every_handle_that_is_theirs_counts(room: Room) -> None:
    """Somebody watched by an alias is told of a dataset that knows only the number it is linked to."""
    with transaction(room.runtime.sessions) as session:
        root = session.scalar(select(Contributor.root_id).where(Contributor.key == MAKER))
        alias = Contributor(
            key="flickr:jane-doe",
            public_id="0" * 32,
            kind="alias",
            platform="flickr",
            handle="jane-doe",
            root_id=root,
        )
        session.add(alias)
    made = room.watch(about="flickr:jane-doe", webhook=f"http://{HOOK}:{room.hook.port}/in")
    room.publish()
    assert [one["dataset"] for one in room.view(made)["events"]] == ["other-lab/faces"]


def test_one_press_in_the_mail_program_ends_it(room: Room) -> None:
    made = room.watch()
    room.confirm()
    room.publish()
    room.later(hours=2)
    [mail] = room.told()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"  # RFC 8058
    path = re.sub(r"^<https?://[^/]+|>$", "", mail["List-Unsubscribe"])
    assert room.client.get(path).status_code == 405  # a scanner that opens it ends nothing
    stranger = create_app(room.runtime).test_client()  # no cookie, no form, no key
    for _ in range(2):
        answer = stranger.post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 204, answer.text
    gone = room.client.get(f"/v1/watches/{made['id']}", headers={"Authorization": f"Bearer {made['token']}"})
    assert (gone.status_code, gone.get_json()["code"]) == (404, "no-such-watch")
    with room.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(WatchEvent)) == 0
    room.publish("next-lab")
    room.later(hours=2)
    assert len(room.told()) == 1


def test_a_key_of_another_watch_ends_nothing(room: Room) -> None:
    made, other = room.watch(), room.watch(about=MAKER, email="other@example.org")
    answer = room.client.post(f"/v1/watches/{made['id']}/end/{'A' * 32}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no-such-watch")
    taken = room.client.post(
        f"/v1/watches/{made['id']}/end", headers={"Authorization": f"Bearer {other['token']}"}
    )
    assert (taken.status_code, taken.get_json()["code"]) == (403, "wrong-token")
    assert room.view(made)["state"] == "waiting"


def test_the_link_in_the_mail_leads_to_a_button(room: Room) -> None:
    room.watch()
    room.confirm()
    room.publish()
    room.later(hours=2)
    found = re.search(r"https?://[^/]+(/watches/\S+)", body_of(room.told()[0]))
    assert found
    form = room.client.get(found[1])
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
    assert csrf
    _, _, watch, _, key = found[1].split("/")
    sent = {"watch": watch, "key": key, "csrf_token": csrf[1]}
    assert "No more of these mails" in room.client.post("/watches/end", data=sent).text
    with room.runtime.sessions() as session:
        assert session.get(Watch, watch) is None


def test_a_webhook_is_asked_first_and_can_check_who_tells(room: Room) -> None:
    made = hooked(room)
    assert [one["type"] for one in room.messages()] == ["watch.made"]
    assert room.view(made)["state"] == "on"
    room.publish()
    head, body = room.hook.heard[-1].split("\r\n\r\n", 1)
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:])}
    when = dt.datetime.fromtimestamp(int(headers["webhook-timestamp"]), dt.UTC)
    assert Webhook(made["secret"]).sign(headers["webhook-id"], when, body) == headers["webhook-signature"]
    assert json.loads(body)["data"] == {
        "watch": made["id"], "about": MAKER, "dataset": "other-lab/faces", "version": "1.0.0",
    }  # fmt: skip


def test_a_webhook_that_takes_nothing_is_told_nothing(room: Room) -> None:
    room.hook.replies["/in"] = page(b"", status="404 Not Found")
    made = hooked(room)
    room.publish()
    assert {one["type"] for one in room.messages()} == {"watch.made"}
    assert room.view(made)["problem"] == "the webhook answered 404"
    room.later(days=8)
    room.settle()
    with room.runtime.sessions() as session:
        assert session.get(Watch, made["id"]) is None  # nobody confirmed it: it is not kept


def test_a_webhook_that_fails_comes_back_and_gets_everything_in_order(room: Room) -> None:
    made = hooked(room)
    room.hook.replies["/in"] = page(b"", status="500 Oh")
    for slug in ("a-lab", "b-lab"):
        room.publish(slug)
    assert room.view(made)["failing_since"] is not None
    room.hook.replies["/in"] = page(b"")
    room.later(hours=7)
    told = [one["data"]["dataset"] for one in room.messages() if one["type"] == "watch.dataset"]
    assert list(dict.fromkeys(told)) == ["a-lab/faces", "b-lab/faces"]
    assert told[-2:] == ["a-lab/faces", "b-lab/faces"]
    assert room.view(made)["problem"] is None


def test_a_crash_after_the_message_sends_it_again_under_its_id(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked(room)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.watches.telling._told", killed)
        with pytest.raises(KeyboardInterrupt):
            room.publish()
    room.later(hours=1)
    ids = [re.search(r"(?i)webhook-id: (\S+)", heard) for heard in room.hook.heard[1:]]
    assert len(ids) == 2
    assert len({found[1] for found in ids if found}) == 1


def test_a_crash_after_the_mail_sends_the_same_mail(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.watch()
    room.confirm()
    room.publish()

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.watches.telling._told", killed)
        with pytest.raises(KeyboardInterrupt):
            room.later(hours=2)
    room.later(hours=1)
    assert len(room.told()) == 2
    assert len({mail["Message-ID"] for mail in room.told()}) == 1


def test_a_crash_while_looking_through_the_sequence_loses_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hooked(room)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("registry.watches.noting._note", killed)
        with pytest.raises(KeyboardInterrupt):
            room.publish()
    room.settle()
    assert [one["dataset"] for one in room.view(made)["events"]] == ["other-lab/faces"]


def test_the_sequence_read_again_tells_nothing_twice_to_who_came_later(room: Room) -> None:
    made = hooked(room)
    room.publish()
    with transaction(room.runtime.sessions) as session:
        assert (session.scalar(select(Follower.number).where(Follower.name == noting.NAME)) or 0) > 0
    room.settle()
    assert len(room.view(made)["events"]) == 1


def test_looking_asks_as_much_for_many_watches_as_for_one(room: Room) -> None:
    def asked() -> int:
        said: list[str] = []
        listen = lambda *how: said.append(how[2])  # noqa: E731
        event.listen(room.runtime.engine, "before_cursor_execute", listen)
        with transaction(room.runtime.sessions) as session:
            session.execute(update(Follower).where(Follower.name == noting.NAME).values(number=0))
            session.execute(update(Watch).values(state="waiting"))  # the jobs of each are its own
        noting.follow(room.runtime.sessions, now=room.runtime.clock())
        event.remove(room.runtime.engine, "before_cursor_execute", listen)
        return len(said)

    hooked(room)
    one = asked()
    for _ in range(20):
        hooked(room)
    assert asked() == one


def test_the_answers_to_an_opt_out_go_to_who_holds_it_alone(room: Room) -> None:
    mine = claim(room)
    opt_out = room.client.post("/v1/opt-outs", json={"claims": [mine]}).get_json()["id"]
    room.settle()
    refused = room.watch(403, opt_out=opt_out, email=ME, headers={"Authorization": "Bearer " + "x" * 43})
    assert refused["code"] == "wrong-token"
    assert room.watch(401, opt_out=opt_out, email=ME)["code"] == "token-needed"
    made = room.watch(opt_out=opt_out, email=ME, headers={"Authorization": f"Bearer {mine['token']}"})
    room.confirm()
    notice = notice_of(room)
    answer(room, Said("suppressed", (notice,)))
    room.later(hours=2)
    [mail] = room.told()
    assert "ibm-research/faces: the publisher says it holds the records back from use" in body_of(mail)
    assert mail["Subject"] == "An answer to your opt-out"
    assert MAKER not in mail.as_string()  # the mail program's list shows nothing of what was asked
    assert [(one["kind"], one["state"]) for one in room.view(made)["events"]] == [("answer", "suppressed")]


def test_the_same_answer_again_is_no_news(room: Room) -> None:
    mine = claim(room)
    opt_out = room.client.post("/v1/opt-outs", json={"claims": [mine]}).get_json()["id"]
    room.settle()
    made = room.watch(
        opt_out=opt_out, webhook=f"http://{HOOK}:{room.hook.port}/in",
        headers={"Authorization": f"Bearer {mine['token']}"},
    )  # fmt: skip
    notice = notice_of(room)
    first = answer(room, Said("suppressed", (notice,)))
    answer(room, Said("suppressed", (notice,)), previous=first)
    assert len(room.view(made)["events"]) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            {"about": "https://live.staticflickr.com/65535/3072908271_abcdef0123_b.jpg", "email": ME},
            "not-watchable",
        ),
        ({"about": "host:example.org", "email": ME}, "not-watchable"),
        ({"about": "???", "email": ME}, "unknown-selector"),
        ({"about": MAKER}, "one-channel"),
        ({"about": MAKER, "email": ME, "webhook": "https://hooks.example/in"}, "one-channel"),
        ({"about": MAKER, "opt_out": "0" * 32, "email": ME}, "one-subject"),
        ({"email": ME}, "one-subject"),
        ({"about": MAKER, "email": "no address"}, "bad-mail-address"),
        ({"about": MAKER, "webhook": "https://inside.example/in"}, "address-not-public"),
        ({"about": MAKER, "webhook": "file:///etc/passwd"}, "bad-address"),
    ],
)
def test_what_cannot_be_watched_is_said(room: Room, said: dict[str, str], code: str) -> None:
    assert room.watch(422, **said)["code"] == code
    with room.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Watch)) == 0


def test_nothing_of_who_watches_stands_plain_in_the_tables(room: Room) -> None:
    room.watch(about=MAKER, email="Somebody@Example.org")
    made = room.watch(about=MAKER, webhook=f"http://{HOOK}:{room.hook.port}/in")
    with room.runtime.sessions() as session:
        rows = [str(vars(one)) for one in session.scalars(select(Watch))]
        jobs = [str(vars(one)) for one in session.scalars(select(Job))]
    for text in (*rows, *jobs):
        assert "somebody" not in text.lower()
        assert HOOK not in text
        assert made["token"] not in text
        assert made["secret"] not in text


def test_my_page_shows_and_ends_them_and_erasing_leaves_none(room: Room) -> None:
    made = room.watch()
    room.later(seconds=1)  # mails are told apart by when they were written
    other = room.watch(about="flickr:87654321@N00", email=ME)
    room.confirm()
    theirs = room.watch(about=MAKER, email="other@example.org")
    key = opened(room)
    shown = room.get("/v1/mine", **key)["watches"]
    assert {one["id"]: one["state"] for one in shown} == {made["id"]: "waiting", other["id"]: "on"}
    stolen = room.client.post("/v1/mine/unwatch", json={"watch": theirs["id"]}, headers=key)
    assert (stolen.status_code, stolen.get_json()["code"]) == (404, "no-such-watch")
    assert room.client.post("/v1/mine/unwatch", json={"watch": made["id"]}, headers=key).status_code == 200
    assert room.client.post("/v1/mine/erase", json={"forever": True}, headers=key).status_code == 200
    with room.runtime.sessions() as session:
        assert session.scalars(select(Watch.id)).all() == [theirs["id"]]


def test_the_atom_feed_says_what_is_public_newest_first(room: Room) -> None:
    room.publish()
    [found] = room.get("/v1/search?q=jane")["items"]
    answer = room.client.get(f"/v1/contributors/{found['contributor']['id']}/atom")
    assert answer.content_type == "application/atom+xml"
    feed = ET.fromstring(answer.data)  # noqa: S314 - our own bytes
    entries = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert entries == [f"other-lab/faces names {MAKER}", f"ibm-research/faces names {MAKER}"]
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == 2
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert room.client.get(f"/v1/contributors/{'0' * 32}/atom").status_code == 404


def test_the_command_asks_shows_and_ends(room: Room) -> None:
    server = make_server("127.0.0.1", 0, create_app(room.runtime), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"

    def said(*words: str, code: int = 0) -> Any:
        done = CliRunner().invoke(byline, ["watch", *words, "--registry", url, "--json"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    made = said(MAKER, "--email", ME)
    assert made["state"] == "waiting"
    room.settle()
    room.confirm()
    room.publish()
    shown = said("show", made["id"], "--token", made["token"])
    assert [one["dataset"] for one in shown["events"]] == ["other-lab/faces"]
    assert said("end", made["id"], "--token", made["token"])["state"] == "ended"
    assert "--email A@B or --webhook URL" in said(MAKER, code=2)
    server.shutdown()


def notice_of(room: Room) -> str:
    with room.runtime.sessions() as session:
        return str(session.scalars(select(Notice.id)).one())


def answer(room: Room, said: Said, previous: str | None = None) -> str:
    signer = room.signer
    envelope = outcome_statement(
        [said],
        signer.key,
        publisher=signer.slug,
        origin=signer.origin,
        previous=previous,
        stamp=signer.stamp(),
    )
    sent = signer.post("/v1/outcomes", envelope)
    assert sent.status_code == 201, sent.text
    room.settle()
    return str(sent.get_json()["digest"])

"""Receivers that hang, lie and break: who comes back gets everything, once per id, and nobody else waits for them."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import select

from api.app import create_app
from registry.egress import Egress, Limits
from registry.mail import Mailer
from registry.models import Job, Notice
from tests.api.test_notices import HOOK, Desk, reachable
from tests.api.world import World
from tests.plugins.smtp import Mailbox
from tests.registry.egress.hostile import FakeNames, endless, listening, page, trickling


def silent(connection: socket.socket) -> None:
    """Takes everything and never answers."""
    with suppress(OSError):
        while connection.recv(65_536):
            pass


def cut(connection: socket.socket) -> None:
    """Half of an answer, and goes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def rubbish(connection: socket.socket) -> None:
    """No HTTP at all."""
    connection.sendall(b"\x00\xff" * 500)


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    """A publisher whose webhook is given a second."""
    with listening() as hook:
        names = FakeNames(hooks_example=[[hook.address]])
        egress = Egress(names, also=[hook.pair], limits=Limits(seconds=1.0))
        runtime = dataclasses.replace(world.runtime, egress=egress)
        yield Desk(
            dataclasses.replace(world, runtime=runtime, client=create_app(runtime).test_client()), hook
        )


def seen(desk: Desk) -> list[tuple[str, list[int]]]:
    """(message id, its events) of all that the hook heard."""
    found = []
    for heard in desk.hook.heard:
        head, _, body = heard.partition("\r\n\r\n")
        name = next(line for line in head.split("\r\n") if line.lower().startswith("webhook-id"))
        found.append((name, [event["seq"] for event in json.loads(body)["data"]["events"]]))
    return found


@pytest.mark.parametrize("reply", [silent, cut, rubbish, endless, trickling], ids=lambda one: one.__name__)
def test_a_webhook_that_misbehaves_comes_back_and_gets_everything_once(
    desk: Desk, reply: Callable[[socket.socket], None]
) -> None:
    desk.hook.replies["/in"] = reply
    assert desk.set_hook().status_code == 201
    wishes = [desk.opt_out(), desk.opt_out()]
    view = desk.ask("GET", "/v1/webhooks").get_json()
    assert (view["waiting"], view["error"] is not None, view["failing_since"] is not None) == (2, True, True)
    assert desk.inbox()["items"] != []  # who asks is answered meanwhile
    desk.hook.replies["/in"] = page(b"")
    desk.later(hours=7)
    by_id = dict(seen(desk))
    assert sorted(seq for events in by_id.values() for seq in events) == [1, 2]
    assert {desk.status(wish)["state"] for wish in wishes} == {"sent"}
    view = desk.ask("GET", "/v1/webhooks").get_json()
    assert (view["waiting"], view["error"], view["failing_since"]) == (0, None, None)
    assert f"{HOOK}:{desk.hook.port}" in view["url"]


@contextmanager
def silent_server() -> Iterator[str]:
    """An SMTP server that takes the connection and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        kept: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"smtp://127.0.0.1:{server.getsockname()[1]}"
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        for one in kept:
            one.close()


def with_mail(desk: Desk, url: str) -> Desk:
    """The same registry, sending there."""
    here = desk.world.runtime
    settings = dataclasses.replace(here.settings, smtp_url=url)
    runtime = dataclasses.replace(here, settings=settings, mailer=Mailer(settings))
    return Desk(
        dataclasses.replace(desk.world, runtime=runtime, client=create_app(runtime).test_client()), desk.hook
    )


def test_a_mail_server_that_says_nothing_is_tried_again_and_gets_each_mail_once(
    desk: Desk, smtp_server: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.mail._TIMEOUT", 1)
    reachable(desk, "mailto:lab@example.org")
    with silent_server() as url:
        hung = with_mail(desk, url)
        wish = hung.opt_out()
        hung.later(hours=2)
        with hung.world.runtime.sessions() as session:
            errors = session.scalars(select(Job.last_error).where(Job.lane == "mail")).all()
        assert [error for error in errors if error and "mail-not-sent" in error]
    well = with_mail(desk, smtp_server.url)
    well.later(hours=7)
    well.later(hours=7)
    assert [str(mail["To"]) for mail in smtp_server.messages] == ["lab@example.org"]
    assert well.status(wish)["state"] == "sent"


def test_a_mail_starts_no_clock_for_what_was_taken_back(desk: Desk, smtp_server: Mailbox) -> None:
    reachable(desk, "mailto:lab@example.org")
    well = with_mail(desk, smtp_server.url)
    kept, gone = well.opt_out(), well.opt_out()
    answer = well.world.client.post(f"/v1/opt-outs/{gone[0]}/withdraw", headers=gone[1])
    assert answer.status_code == 200
    well.later(hours=2)
    assert len(smtp_server.messages) == 1
    with well.world.runtime.sessions() as session:
        found = {one.opt_out_id: one for one in session.scalars(select(Notice))}
    assert (found[gone[0]].state, found[gone[0]].sent_at, found[gone[0]].answer_by) == (
        "withdrawn",
        None,
        None,
    )
    assert found[kept[0]].answer_by is not None

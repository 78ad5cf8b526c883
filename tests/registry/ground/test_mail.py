from __future__ import annotations

import datetime as dt
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from byline.errors import Refused, Unavailable
from registry.config import Settings
from registry.mail import Mailer, check_address, written
from tests.plugins.smtp import Mailbox

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def mailer(tmp_path: Path, smtp_url: str = "") -> Mailer:
    return Mailer(Settings(data_dir=tmp_path, smtp_url=smtp_url, mail_from="registry@byline.example"))


def test_without_a_server_a_mail_is_a_file(tmp_path: Path) -> None:
    here = mailer(tmp_path)
    here.send("a@b.example", "Grüße", "Zeile 1\nZeile 2 ☃\n", now=NOW)
    [path] = written(here.folder)
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert (mail["To"], mail["Subject"], mail["From"]) == ("a@b.example", "Grüße", "registry@byline.example")
    assert mail.get_content().replace("\r\n", "\n") == "Zeile 1\nZeile 2 ☃\n"


def test_files_are_in_the_order_of_sending(tmp_path: Path) -> None:
    here = mailer(tmp_path)
    for n in range(3):
        here.send("a@b.example", f"mail {n}", "x", now=NOW + dt.timedelta(seconds=n))
    subjects = [
        message_from_bytes(path.read_bytes(), policy=default)["Subject"] for path in written(here.folder)
    ]
    assert subjects == ["mail 0", "mail 1", "mail 2"]


def test_with_a_server_it_is_sent(tmp_path: Path, smtp_server: Mailbox) -> None:
    mailer(tmp_path, smtp_server.url).send("a@b.example", "Hello", "A link.\n", now=NOW)
    [mail] = smtp_server.messages
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Hello", "auto-generated")
    assert not (tmp_path / "mail").exists()


def test_an_address_of_any_script_can_be_written_to(tmp_path: Path, smtp_server: Mailbox) -> None:
    mailer(tmp_path, smtp_server.url).send("jörg@münchen.example", "Hello", "x", now=NOW)
    mailer(tmp_path).send("jörg@münchen.example", "Hello", "x", now=NOW)
    assert smtp_server.messages[0]["To"] == "jörg@münchen.example"


@pytest.mark.parametrize(("answer", "error"), [("550 no such user", Refused), ("450 later", Unavailable)])
def test_a_refusal_for_good_is_told_from_one_for_now(
    tmp_path: Path, smtp_server: Mailbox, answer: str, error: type[Exception]
) -> None:
    smtp_server.refuse = answer
    with pytest.raises(error):
        mailer(tmp_path, smtp_server.url).send("a@b.example", "Hello", "x", now=NOW)


def test_no_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        mailer(tmp_path, "smtp://127.0.0.1:1").send("a@b.example", "Hello", "x", now=NOW)
    assert caught.value.code == "mail-not-sent"


def test_a_subject_cannot_smuggle_a_header(tmp_path: Path) -> None:
    here = mailer(tmp_path)
    here.send("a@b.example", "Hello\r\nBcc: all@example.org", "x", now=NOW)
    [path] = written(here.folder)
    assert message_from_bytes(path.read_bytes(), policy=default)["Bcc"] is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a@b\nBcc: c@d",
        "a@b,c@d",
        "<a@b>",
        "a b@c",
        "a@b@c",
        "x" * 65 + "@b",
        "a@b\x7f",
        "a@" + "b" * 254,
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Refused) as caught:
        check_address(address)
    assert caught.value.code == "bad-mail-address"


@pytest.mark.parametrize(
    "address", ["a@b.example", " a@b.example ", "jörg@münchen.example", "o'neil+tag@b.example"]
)
def test_an_address_is_taken(address: str) -> None:
    assert check_address(address) == address.strip()

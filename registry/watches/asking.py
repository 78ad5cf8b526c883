"""Ask to be told, by mail or webhook; see it; end it.

A mail address confirms by a mailed link before anything else is sent to it; a webhook by answering its first message.
Every mail carries a link that ends it with one press (RFC 8058); the key in that link does nothing else.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused, Untrusted
from byline.formats.selectors import parse_selector
from registry.config import Settings
from registry.contributors.mailing import Letter, lapsed, link_hash, mail_link, read_link
from registry.jobs import OUT, enqueue
from registry.mail import check_address
from registry.models import MailToken, Watch, WatchEvent
from registry.seal import Seal

PURPOSE, JOB = "watch", "watch"
MOST = 50
"""Watches one mail address may have."""
OF_OPT_OUT = "opt-out:"
_LETTER = Letter(
    "Please confirm that you want to be told",
    """\
Somebody asked {origin} to write to this address when something new happens that they asked to hear of.
If it was you, open this page and press the button; until then nothing more is sent:

{link}

The link works once, until {until}. If it was not you, do nothing: no mail will come.
""",
)


@dataclass(frozen=True)
class To:
    """Where to tell them: exactly one of the two, else Refused("one-channel")."""

    email: str | None = None
    webhook: str | None = None

    def __post_init__(self) -> None:
        """Refuse both, and neither."""
        if bool(self.email) == bool(self.webhook):
            raise Refused("one-channel", "give a mail address or a webhook, one of the two", at="email")


def about_maker(text: str) -> str:
    """The contributor key that a text names; Refused("unknown-selector", "not-watchable")."""
    found = parse_selector(text)
    if found.kind == "maker":
        return found.value
    if found.kind in {"name", "id"}:
        return f"{found.kind}:{found.value}"
    raise Refused(
        "not-watchable",
        "a maker can be watched (flickr:12345678@N00, a profile's address), or an opt-out of yours; not one "
        f"{found.kind}",
        at="about",
    )


def about_opt_out(opt_out_id: str) -> str:
    """What a watch for the answers to an opt-out is about; whoever asks has shown that it is theirs."""
    return OF_OPT_OUT + opt_out_id


def make_watch(
    session: Session,
    *,
    about: str,
    to: To,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_bytes: Callable[[int], bytes],
) -> dict[str, Any]:
    """Write it down: `{"id", "about", "state", "token"}`, for a webhook also `secret`; both are shown this once.

    The caller has checked the webhook's address (`Egress.check`). Refused("bad-mail-address").
    """
    token = _text(token_bytes(32))
    watch = Watch(
        id=token_bytes(16).hex(), about=about, token_hash=link_hash(token), state="waiting", made_at=now
    )
    session.add(watch)
    made = {"id": watch.id, "about": about, "state": watch.state, "token": token}
    if to.email:
        _await_mail(session, watch, to.email, seal=seal, settings=settings, now=now, token_bytes=token_bytes)
        return made
    secret = f"whsec_{base64.b64encode(token_bytes(32)).decode()}"
    watch.webhook_sealed, watch.secret_sealed = seal.seal(to.webhook or ""), seal.seal(secret)
    session.flush()
    ask_telling(session, [watch.id], lane=OUT, now=now)
    return made | {"secret": secret}


def ask_telling(
    session: Session,
    watches: Collection[str],
    *,
    lane: str,
    now: dt.datetime,
    run_at: dt.datetime | None = None,
) -> None:
    """Have what waits for these delivered."""
    for watch_id in sorted(watches):
        payload = {"watch": watch_id}
        enqueue(session, lane=lane, kind=JOB, key=watch_id, payload=payload, now=now, run_at=run_at)


def shown_by_link(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """What a mailed link would confirm, changing nothing: `{"about", "state"}`."""
    _, watch = _by_link(session, token, now)
    return {"about": watch.about, "state": watch.state}


def confirm_by_link(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """The button was pressed. Again changes nothing.

    NotFound("no-such-link"), Refused("link-lapsed", "too-many-watches").
    """
    link, watch = _by_link(session, token, now)
    if watch.state == "waiting":
        _check_number(session, watch)
        link.used_at, watch.state, watch.on_since = now, "on", now
    return {"id": watch.id, "state": watch.state}


def find_watch(session: Session, *, watch_id: str, token: str) -> Watch:
    """NotFound("no-such-watch") also where it ended, Untrusted("wrong-token")."""
    watch = session.get(Watch, watch_id)
    if watch is None:
        raise _none()
    if not hmac.compare_digest(watch.token_hash, link_hash(token)):
        raise Untrusted("wrong-token", "this token does not open that watch")
    return watch


def watches_of(session: Session, digest: str) -> list[Watch]:
    """Those of one mail address, the newest first."""
    mine = select(Watch).where(Watch.email_digest == digest)
    return list(session.scalars(mine.order_by(Watch.made_at.desc(), Watch.id)))


def end_key(seal: Seal, watch_id: str) -> str:
    """What ends a watch from a mail, and does nothing else; made again each time, kept nowhere."""
    mac = hmac.new(seal.derive("end of a watch"), watch_id.encode(), hashlib.sha256).digest()
    return _text(mac[:24])


def end_by_key(session: Session, *, watch_id: str, key: str, seal: Seal) -> None:
    """One press in the mail program. Again changes nothing; NotFound("no-such-watch") for a key that was not given out."""
    if not hmac.compare_digest(end_key(seal, watch_id).encode(), key.encode()):
        raise _none()
    end(session, [watch_id])


def end(session: Session, watches: Collection[str]) -> None:
    """Nothing of them is kept."""
    session.execute(delete(WatchEvent).where(WatchEvent.watch_id.in_(watches)))
    session.execute(delete(MailToken).where(MailToken.ref.in_(watches)))
    session.execute(delete(Watch).where(Watch.id.in_(watches)))


def _await_mail(
    session: Session,
    watch: Watch,
    email: str,
    *,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_bytes: Callable[[int], bytes],
) -> None:
    address = check_address(email)
    digest = seal.digest(address.lower())
    watch.email_sealed, watch.email_digest = seal.seal(address), digest
    session.flush()
    mail_link(
        session, purpose=PURPOSE, ref=watch.id, email=address, letter=_LETTER, seal=seal, settings=settings, now=now,
        token_urlsafe=lambda: _text(token_bytes(32)),
    )  # fmt: skip


def _check_number(session: Session, watch: Watch) -> None:
    """Asked of who reads the mail: whoever only knows the address learns nothing, and cannot use the number up."""
    if len([one for one in watches_of(session, watch.email_digest or "") if one.state == "on"]) >= MOST:
        raise Refused("too-many-watches", f"one mail address has at most {MOST} watches; end one first")


def _by_link(session: Session, token: str, now: dt.datetime) -> tuple[MailToken, Watch]:
    link = read_link(session, token, now)
    if link.purpose != PURPOSE:
        raise NotFound("no-such-link", "there is no such link; was it copied whole?")
    watch = session.get(Watch, link.ref)
    if watch is None:
        raise lapsed()
    return link, watch


def _none() -> NotFound:
    return NotFound("no-such-watch", "there is no such watch; it may have ended")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")

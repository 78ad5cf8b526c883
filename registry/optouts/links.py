"""A mailed link, whatever it confirms."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from byline.errors import NotFound
from registry.contributors import assertion
from registry.contributors.mailing import read_link
from registry.optouts import mailing, mine
from registry.optouts.request import confirm_by_mail
from registry.optouts.status import by_link
from registry.watches import asking


def shown(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """What a link would confirm, changing nothing: `{"purpose", …}`, the rest as each purpose shows it.

    `opt-out`: optouts.status.by_link; `claim`: `{"identity", "state"}`; `watch`: `{"about", "state"}`; `mine`: nothing
    more. NotFound("no-such-link"),
    Refused("link-lapsed").
    """
    purpose = read_link(session, token, now).purpose
    if purpose == mine.PURPOSE:
        return {"purpose": purpose}
    show = {
        mailing.PURPOSE: by_link,
        assertion.PURPOSE: assertion.shown_by_link,
        asking.PURPOSE: asking.shown_by_link,
    }[purpose]
    return {"purpose": purpose} | show(session, token=token, now=now)


def press(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """The button was pressed: `{"purpose", "id", "state"}`. Pressing it again changes nothing.

    A link to one's own page confirms nothing: NotFound("no-such-link"); see mine.open_mine.
    """
    purpose = read_link(session, token, now).purpose
    if purpose == mine.PURPOSE:
        raise NotFound("no-such-link", "this link opens a page; it confirms nothing")
    act = {
        mailing.PURPOSE: confirm_by_mail,
        assertion.PURPOSE: assertion.confirm_by_link,
        asking.PURPOSE: asking.confirm_by_link,
    }[purpose]
    return {"purpose": purpose} | act(session, token=token, now=now)

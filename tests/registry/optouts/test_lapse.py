"""What nobody confirmed, nobody keeps; what was once in force stays."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from registry import jobs
from registry.database import transaction
from registry.models import IdempotentAnswer, Job, MailToken, OptOut, OptOutScope, OptOutSelector
from registry.optouts.lapse import lapse
from registry.optouts.request import confirm_by_mail
from tests.registry.optouts.small_registry import SmallRegistry, static

LATER = dt.timedelta(days=8)
ASKED = {
    "selectors": [static(101)],
    "email": "a@example.org",
    "relation": "pictured",
    "datasets": ["museum/a"],
}


@pytest.fixture
def asked(here: SmallRegistry) -> str:
    """A request by a person pictured that waits for its mail."""
    here.dataset("museum/a")
    made: str = here.ask(**ASKED)["id"]
    return made


def _lapse(here: SmallRegistry, *, after: dt.timedelta) -> None:
    with transaction(here.sessions) as session:
        lapse(session, now=here.now + after)


def _count(here: SmallRegistry, table: type) -> int:
    with here.sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("table", [OptOut, OptOutSelector, OptOutScope, MailToken])
def test_a_request_nobody_confirmed_leaves_nothing(here: SmallRegistry, asked: str, table: type) -> None:
    assert asked
    assert _count(here, table) == 1
    _lapse(here, after=LATER)
    assert _count(here, table) == 0


def test_a_request_that_was_taken_back_before_it_was_confirmed_leaves_nothing(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="a@example.org")
    here.withdraw(made["id"], made["token"])
    _lapse(here, after=LATER)
    assert _count(here, OptOutSelector) == 0


def test_a_request_whose_link_still_holds_stays(here: SmallRegistry, asked: str) -> None:
    _lapse(here, after=dt.timedelta(days=6))
    assert here.state_of(asked) == "awaiting-mail"


def test_what_was_confirmed_stays_without_its_link(here: SmallRegistry, asked: str) -> None:
    with transaction(here.sessions) as session:
        confirm_by_mail(session, token=here.mailed_token(asked), now=here.now)
    _lapse(here, after=LATER)
    assert here.state_of(asked) == "in-force"
    assert _count(here, MailToken) == 0


def test_a_mail_that_could_not_be_sent_is_forgotten(here: SmallRegistry, asked: str) -> None:
    assert asked
    with transaction(here.sessions) as session:
        work = jobs.claim(session, lane=jobs.MAIL, now=here.now)
        assert work is not None
        jobs.fail(session, work, now=here.now, error="refused", jitter=0.5, final=True)
    _lapse(here, after=LATER)
    assert _count(here, Job) == 0


def test_an_answer_kept_for_a_repeated_request_is_forgotten_after_a_day(here: SmallRegistry) -> None:
    with transaction(here.sessions) as session:
        session.add(
            IdempotentAnswer(
                key_hash="a" * 64,
                body_hash="b" * 64,
                status=201,
                headers={},
                sealed_body=b"",
                made_at=here.now,
            )
        )
    _lapse(here, after=dt.timedelta(hours=23))
    assert _count(here, IdempotentAnswer) == 1
    _lapse(here, after=dt.timedelta(hours=25))
    assert _count(here, IdempotentAnswer) == 0

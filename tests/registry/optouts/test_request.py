"""A wish comes in: who may, what is refused, what is kept, and that only a pressed button confirms a mail."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import select

from byline.errors import BylineError, Refused, Untrusted
from byline.formats.entries import parse_entry
from registry.database import transaction
from registry.models import Act, CoveredPhoto, Fingerprint, Job, Match, Notice, OptOut, OptOutSelector
from registry.optouts.mailing import open_mail
from registry.optouts.request import confirm_by_mail
from registry.optouts.status import by_link
from tests.registry.optouts.small_registry import Line, SmallRegistry, static

OWNER = "flickr:11@N00"
OWNED = Line(makers=(OWNER,), photos=("flickr:101",), url=static(101))


def refusal(here: SmallRegistry, **said: Any) -> str:
    with pytest.raises(BylineError) as caught:
        here.ask(**said)
    return caught.value.code


def test_by_a_confirmed_claim_it_is_in_force_at_once(here: SmallRegistry) -> None:
    made = here.ask(claims=[here.claim(OWNER)])
    assert (made["state"], made["assurance"], made["token"]) == ("in-force", "verified", None)


def test_the_weakest_claim_says_the_assurance(here: SmallRegistry) -> None:
    claims = [here.claim(OWNER), here.claim("flickr:22@N00", assurance="asserted")]
    assert here.ask(claims=claims)["assurance"] == "asserted"


def test_by_items_it_waits_for_the_mail_and_has_a_token_of_its_own(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="a@example.org")
    assert (made["state"], made["assurance"], len(made["token"])) == ("awaiting-mail", "asserted", 43)


def test_who_is_in_no_dataset_can_opt_out_and_tomorrows_dataset_honours_it(here: SmallRegistry) -> None:
    asked, _ = here.opt_out(OWNER)
    here.publish("museum/a", "1", [Line(), OWNED])
    with here.sessions() as session:
        match = session.scalars(select(Match).where(Match.opt_out_id == asked)).one()
    assert (match.records, match.strength) == (1, "full")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "claims-or-items"),
        ({"selectors": [static(101)], "email": "a@example.org", "relation": "friend"}, "unknown-relation"),
        ({"selectors": [static(101)], "email": "a@example.org", "categories": ["ai"]}, "unknown-category"),
        ({"selectors": [static(101)]}, "email-needed"),
        ({"selectors": [static(101)], "email": "nobody"}, "bad-mail-address"),
        ({"selectors": ["https://www.flickr.com/photos/11@N00/"], "email": "a@example.org"}, "not-an-item"),
        ({"selectors": ["?"], "email": "a@example.org"}, "unknown-selector"),
        ({"selectors": [static(101)], "email": "a@example.org", "relation": "pictured"}, "datasets-needed"),
        (
            {"selectors": [static(101)], "email": "a@example.org", "datasets": ["museum/none"]},
            "no-such-dataset",
        ),
        ({"selectors": [static(101)], "email": "a@example.org", "listed": True}, "host-not-claimed"),
        ({"selectors": [static(n) for n in range(1001)], "email": "a@example.org"}, "too-many-selectors"),
    ],
)
def test_what_is_refused_has_a_code_of_its_own(here: SmallRegistry, said: dict[str, Any], code: str) -> None:
    assert refusal(here, **said) == code


def test_an_unknown_category_is_answered_with_the_list(here: SmallRegistry) -> None:
    with pytest.raises(Refused) as caught:
        here.ask(claims=[here.claim(OWNER)], categories=["train-ai"])
    assert caught.value.details == {"known": ["train-generative", "train-other", "data-mining", "ai-search"]}


def test_a_claim_that_waits_is_not_enough(here: SmallRegistry) -> None:
    assert refusal(here, claims=[here.claim(OWNER, state="pending")]) == "claim-not-confirmed"


def test_another_claims_token_is_not_enough(here: SmallRegistry) -> None:
    claim, other = here.claim(OWNER), here.claim("flickr:22@N00")
    assert refusal(here, claims=[{**claim, "token": other["token"]}]) == "wrong-token"


def test_who_is_pictured_cannot_opt_out_by_a_claim(here: SmallRegistry) -> None:
    assert refusal(here, claims=[here.claim(OWNER)], relation="pictured") == "not-an-item"


@pytest.mark.parametrize(
    ("said", "bits"),
    [({}, 31), ({"remove_existing": False}, 15), ({"categories": ["train-other"]}, 18)],
    ids=["nothing said means everything", "keep what exists", "one use"],
)
def test_categories_become_bits(here: SmallRegistry, said: dict[str, Any], bits: int) -> None:
    made = here.ask(claims=[here.claim(OWNER)], **said)
    with here.sessions() as session:
        assert session.get_one(OptOut, made["id"]).categories == bits


def test_the_log_gets_a_commitment_that_the_kept_bytes_open(here: SmallRegistry) -> None:
    made = here.ask(claims=[here.claim(OWNER)])
    with here.sessions() as session:
        kept = session.get_one(OptOut, made["id"])
        leaf = session.scalars(select(Act.leaf).where(Act.kind == "opt-out")).one()
    assert leaf is not None
    assert kept.request is not None
    assert parse_entry(leaf)["commitment"] == hashlib.sha256(kept.salt + kept.request).hexdigest()


def test_the_log_says_nothing_of_who_or_what(here: SmallRegistry) -> None:
    here.ask(claims=[here.claim(OWNER)])
    with here.sessions() as session:
        leaf = session.scalars(select(Act.leaf).where(Act.kind == "opt-out")).one()
    assert set(json.loads(leaf or b"")) == {"v", "kind", "commitment", "at"}


def test_what_waits_for_a_mail_is_in_no_log(here: SmallRegistry) -> None:
    here.ask(selectors=[static(101)], email="a@example.org")
    with here.sessions() as session:
        assert session.scalars(select(Act)).all() == []


def test_no_address_stands_plain_in_the_database(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="somebody@example.org")
    with here.sessions() as session:
        job = session.scalars(select(Job).where(Job.kind == "mail")).one()
        kept = session.get_one(OptOut, made["id"])
    assert "somebody" not in json.dumps(job.payload)
    assert b"somebody" not in (kept.email_sealed or b"") + (kept.request or b"")
    assert open_mail(here.seal, job.payload)[0] == "somebody@example.org"


def test_looking_at_the_mailed_link_confirms_nothing(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="a@example.org")
    with here.sessions() as session:
        seen = by_link(session, token=here.mailed_token(made["id"]), now=here.now)
    assert (seen["state"], here.state_of(made["id"])) == ("awaiting-mail", "awaiting-mail")


def test_whoever_got_the_mail_sees_what_was_asked_in_their_name(here: SmallRegistry) -> None:
    here.dataset("museum/a")
    made = here.ask(
        selectors=[static(101)], email="a@example.org", relation="pictured", datasets=["museum/a"]
    )
    with here.sessions() as session:
        seen = by_link(session, token=here.mailed_token(made["id"]), now=here.now)
    assert (seen["relation"], seen["datasets"]) == ("pictured", ["museum/a"])
    assert seen["selectors"] == [{"kind": "photo", "value": "flickr:101"}]


def test_the_button_confirms_once_and_again_changes_nothing(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="a@example.org")
    token = here.mailed_token(made["id"])
    answers = []
    for _ in range(2):
        with transaction(here.sessions) as session:
            answers.append(confirm_by_mail(session, token=token, now=here.now)["state"])
    with here.sessions() as session:
        acts = session.scalars(select(Act)).all()
    assert (answers, len(acts)) == (["in-force", "in-force"], 1)


def test_a_link_lapses_after_a_week(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101)], email="a@example.org")
    late = here.now + dt.timedelta(days=8)
    with pytest.raises(Refused, match="not good any more"), transaction(here.sessions) as session:
        confirm_by_mail(session, token=here.mailed_token(made["id"]), now=late)


def test_an_address_gets_few_mails_a_day(here: SmallRegistry) -> None:
    for _ in range(5):
        here.ask(selectors=[static(101)], email="a@example.org")
    here.ask(selectors=[static(101)], email="A@example.org")
    assert _mails(here) == 5


def test_nobody_learns_by_counting_whether_an_address_asked_today(here: SmallRegistry) -> None:
    """Told "too many" a mail earlier than expected, whoever knows an address would know that it asked."""
    answers = [here.ask(selectors=[static(101)], email="a@example.org") for _ in range(7)]
    assert {(made["state"], len(made["token"])) for made in answers} == {("awaiting-mail", 43)}


def _mails(here: SmallRegistry) -> int:
    with here.sessions() as session:
        return len(session.scalars(select(Job.id).where(Job.kind == "mail")).all())


def test_the_same_address_gets_mails_again_tomorrow(here: SmallRegistry) -> None:
    for _ in range(5):
        here.ask(selectors=[static(101)], email="a@example.org")
    here.now += dt.timedelta(days=1)
    here.ask(selectors=[static(101)], email="a@example.org")
    assert _mails(here) == 6


def test_a_url_of_a_photo_points_at_the_photo(here: SmallRegistry) -> None:
    made = here.ask(selectors=[static(101), f"sha256:{'ab' * 32}"], email="a@example.org")
    rows = select(OptOutSelector.kind, OptOutSelector.value).where(OptOutSelector.opt_out_id == made["id"])
    with here.sessions() as session:
        found = {tuple(row) for row in session.execute(rows)}
    assert found == {("photo", "flickr:101"), ("sha256", "ab" * 32)}


def test_any_claims_token_takes_it_back(here: SmallRegistry) -> None:
    claims = [here.claim(OWNER), here.claim("flickr:22@N00")]
    made = here.ask(claims=claims)
    here.withdraw(made["id"], claims[1]["token"])
    assert here.state_of(made["id"]) == "withdrawn"


def test_a_strangers_token_does_not(here: SmallRegistry) -> None:
    made, other = here.ask(claims=[here.claim(OWNER)]), here.claim("flickr:22@N00")
    with pytest.raises(Untrusted):
        here.withdraw(made["id"], other["token"])


def test_what_is_taken_back_reaches_nothing_and_is_logged(here: SmallRegistry) -> None:
    here.publish("museum/a", "1", [OWNED])
    asked, token = here.opt_out(OWNER)
    here.withdraw(asked, token)
    here.withdraw(asked, token)
    with here.sessions() as session:
        left = [session.scalars(select(table)).all() for table in (Match, CoveredPhoto, Fingerprint)]
        states = session.scalars(select(Notice.state)).all()
        kinds = session.scalars(select(Act.kind).order_by(Act.id)).all()
    assert (left, states, kinds) == ([[], [], []], ["withdrawn"], ["opt-out", "opt-out-withdrawn"])


def test_a_withdrawn_one_is_not_matched_again(here: SmallRegistry) -> None:
    asked, token = here.opt_out(OWNER)
    here.withdraw(asked, token)
    here.publish("museum/a", "1", [OWNED])
    here.drain(opt_out=asked)
    with here.sessions() as session:
        assert session.scalars(select(Match)).all() == []

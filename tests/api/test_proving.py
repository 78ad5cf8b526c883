"""`This is me`, proved: over REST, with a worker, a real DNS server and a server that stands in for the web."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from api.app import create_app
from registry.contributors.claim import confirm, list_claims
from registry.database import transaction
from registry.egress import Egress, SystemNames
from registry.models import Claim, OperatorAct, OptOut
from registry.optouts import links
from registry.runtime import Runtime
from registry.worker import Worker
from tests.api.clock import Clock
from tests.plugins.dns import Zone
from tests.registry.egress.hostile import Listener, listening, moved, page

ME = "flickr:12345678@N00"
PROFILE = "/people/12345678@N00/"


@dataclasses.dataclass
class Office:
    """A registry whose web is one listener and whose DNS is one zone."""

    runtime: Runtime
    client: FlaskClient
    web: Listener
    zone: Zone
    clock: Clock

    def claim(self, identity: str = ME, email: str = "") -> dict[str, Any]:
        """Make a claim; with `bearer`."""
        made = self.client.post("/v1/claims", json={"identity": identity, "email": email}).get_json()
        return {**made, "bearer": {"Authorization": f"Bearer {made['token']}"}}

    def verify(self, claim: dict[str, Any], **said: Any) -> dict[str, Any]:
        """Ask for a look, let the worker look, give what the claim says now."""
        asked = self.client.post(f"/v1/claims/{claim['id']}/verify", json=said, headers=claim["bearer"])
        assert asked.status_code == 202, asked.text
        self.settle()
        return self.seen(claim)

    def seen(self, claim: dict[str, Any]) -> dict[str, Any]:
        """The claim as its owner sees it."""
        found = self.client.get(f"/v1/claims/{claim['id']}", headers=claim["bearer"])
        return dict(found.get_json())

    def settle(self) -> None:
        """Let the worker work."""
        Worker(self.runtime).settle()

    def later(self, **time: float) -> None:
        """Time passes, and the worker works."""
        self.clock.now += dt.timedelta(**time)
        self.settle()

    def write(self, *lines: str, path: str = PROFILE) -> None:
        """Put lines into a page's description."""
        text = f'<html><head><meta name="description" content="{" ".join(lines)}"></head>'
        self.web.replies[path] = page(text.encode())


@pytest.fixture
def office(runtime: Runtime, clock: Clock, zone: Zone) -> Iterator[Office]:
    with listening() as web:
        egress = Egress(SystemNames(zone.nameserver), stand_in=f"http://127.0.0.1:{web.port}")
        here = dataclasses.replace(runtime, egress=egress)
        yield Office(here, create_app(here).test_client(), web, zone, clock)


def test_a_line_in_the_profile_proves_it(office: Office) -> None:
    claim = office.claim()
    assert claim["places"][0]["place"] == "https://www.flickr.com/people/12345678@N00/"
    office.write("Photos since 2009.", claim["proof"])
    found = office.verify(claim)
    assert (found["state"], found["assurance"], found["checking"]) == ("confirmed", "verified", False)
    assert [(one["how"], one["state"]) for one in found["proofs"]] == [("profile", "found")]
    assert "Host: www.flickr.com" in office.web.heard[0]


def test_who_forgot_the_line_is_told_what_was_seen(office: Office) -> None:
    claim = office.claim()
    office.write("Photos since 2009.")
    found = office.verify(claim)
    assert found["state"] == "pending"
    assert found["proofs"][0]["state"] == "missing"
    assert "Photos since 2009." in found["proofs"][0]["saw"]


def test_the_line_of_another_claim_proves_nothing(office: Office) -> None:
    claim, other = office.claim(), office.claim()
    office.write(other["proof"])
    assert office.verify(claim)["state"] == "pending"


def test_a_line_in_the_body_of_a_page_proves_nothing(office: Office) -> None:
    claim = office.claim()
    office.web.replies[PROFILE] = page(f"<html><body><p class=comment>{claim['proof']}".encode())
    assert office.verify(claim)["state"] == "pending"


def test_a_page_that_leads_elsewhere_proves_nothing(office: Office) -> None:
    claim = office.claim()
    office.web.replies[PROFILE] = moved("https://www.flickr.com/groups/evil/")
    office.write(claim["proof"], path="/groups/evil/")
    assert office.verify(claim)["state"] == "pending"
    assert office.web.paths() == [PROFILE]


def test_a_photos_own_page_proves_its_maker(office: Office) -> None:
    claim = office.claim()
    office.write(claim["proof"], path="/photos/12345678@N00/3072908271/")
    found = office.verify(claim, photo="3072908271")
    assert (found["state"], found["proofs"][0]["how"]) == ("confirmed", "photo")


def test_a_rel_me_link_in_the_head_proves_a_page_no_table_knows(office: Office) -> None:
    claim = office.claim("web:janedoe.example/about")
    where = f"{office.runtime.settings.public_url}/proof/{claim['proof'].partition('=')[2]}"
    office.web.replies["/about"] = page(f'<head><link rel="me" href="{where}"></head>'.encode())
    assert office.verify(claim)["state"] == "confirmed"


def test_a_txt_record_proves_a_host(office: Office) -> None:
    claim = office.claim("host:janedoe.example")
    office.zone.texts["_byline.janedoe.example"] = ["v=spf1 -all", claim["proof"]]
    found = office.verify(claim)
    assert (found["state"], found["assurance"]) == ("confirmed", "verified")
    assert {one["how"]: one["state"] for one in found["proofs"]} == {"dns": "found", "well-known": "missing"}


def test_a_file_proves_a_host(office: Office) -> None:
    claim = office.claim("host:janedoe.example")
    office.web.replies["/.well-known/byline.txt"] = page(f"# Byline\n{claim['proof']}\n".encode())
    assert office.verify(claim)["state"] == "confirmed"


def test_where_nobody_can_look_a_mail_asserts(office: Office) -> None:
    claim = office.claim("commons:Jane Doe", "jane@example.org")
    refused = office.client.post(f"/v1/claims/{claim['id']}/verify", json={}, headers=claim["bearer"])
    assert (refused.status_code, refused.get_json()["code"]) == (422, "no-place-for-a-line")
    assert office.verify(claim, by_mail=True)["state"] == "pending"
    token = link_in(office)
    with transaction(office.runtime.sessions) as session:
        shown = links.shown(session, token=token, now=office.clock())
        assert (shown["purpose"], shown["identity"]) == ("claim", claim["identity"])
    assert office.seen(claim)["state"] == "pending"  # looking confirms nothing
    with transaction(office.runtime.sessions) as session:
        links.press(session, token=token, now=office.clock())
    assert {**office.seen(claim), "state": "confirmed", "assurance": "asserted"} == office.seen(claim)


def test_only_the_token_asks_for_a_look(office: Office) -> None:
    claim, other = office.claim(), office.claim()
    answer = office.client.post(f"/v1/claims/{claim['id']}/verify", json={}, headers=other["bearer"])
    assert answer.status_code == 403
    assert office.client.post(f"/v1/claims/{claim['id']}/verify", json={}).status_code == 401
    office.settle()
    assert office.web.heard == []


def test_nobody_makes_the_registry_knock_all_the_time(office: Office) -> None:
    claim = office.claim()
    office.verify(claim)
    again = office.client.post(f"/v1/claims/{claim['id']}/verify", json={}, headers=claim["bearer"])
    assert (again.status_code, again.headers["Retry-After"]) == (503, "10")


def test_an_asserted_claim_that_is_proved_later_lifts_what_stands_on_it(office: Office) -> None:
    claim = office.claim(email="jane@example.org")
    office.verify(claim, by_mail=True)
    token = link_in(office)
    with transaction(office.runtime.sessions) as session:
        links.press(session, token=token, now=office.clock())
    made = office.client.post("/v1/opt-outs", json={"claims": [{"id": claim["id"], "token": claim["token"]}]})
    assert made.get_json()["assurance"] == "asserted"
    office.write(claim["proof"])
    assert office.verify(claim)["assurance"] == "verified"
    with office.runtime.sessions() as session:
        assert session.scalars(select(OptOut.assurance)).all() == ["verified"]


def test_a_line_that_is_gone_for_two_weeks_lapses_in_sight_and_can_come_back(office: Office) -> None:
    claim = office.claim()
    office.write(claim["proof"])
    office.verify(claim)
    made = office.client.post("/v1/opt-outs", json={"claims": [{"id": claim["id"], "token": claim["token"]}]})
    office.write("moved on")
    office.later(days=31)
    assert office.seen(claim)["state"] == "confirmed"  # gone once may be a slip
    assert office.seen(claim)["proofs"][0]["state"] == "missing"
    for _ in range(15):
        office.later(days=1.01)
    assert office.seen(claim)["state"] == "lapsed"
    with office.runtime.sessions() as session:  # what was asked stays asked
        assert session.get_one(OptOut, made.get_json()["id"]).assurance == "verified"
    again = office.client.post(
        "/v1/opt-outs", json={"claims": [{"id": claim["id"], "token": claim["token"]}]}
    )
    assert again.get_json()["code"] == "claim-not-confirmed"
    office.write(claim["proof"])
    assert office.verify(claim)["state"] == "confirmed"


def test_who_cannot_be_reached_is_not_gone(office: Office) -> None:
    claim = office.claim("host:janedoe.example")
    office.zone.texts["_byline.janedoe.example"] = [claim["proof"]]
    office.verify(claim)
    office.zone.broken.add("_byline.janedoe.example")
    office.web.replies["/.well-known/byline.txt"] = page(b"", status="503 Unavailable")
    office.later(days=31)
    for _ in range(20):
        office.later(days=1.01)
    found = office.seen(claim)
    assert found["state"] == "confirmed"
    assert {one["state"] for one in found["proofs"]} == {"unreachable"}


def test_a_second_person_who_proves_the_same_is_a_conflict(office: Office) -> None:
    first, second = office.claim(email="a@example.org"), office.claim(email="b@example.org")
    office.write(first["proof"])
    office.verify(first)
    office.write(second["proof"])
    assert office.verify(second)["state"] == "disputed"
    assert office.seen(first)["state"] == "confirmed"
    with office.runtime.sessions() as session:
        acts = session.execute(select(OperatorAct.what, OperatorAct.why, OperatorAct.subject)).all()
        assert ("claim-conflict", f"also confirmed: {first['id']}", second["id"]) in [tuple(a) for a in acts]
        assert [one["state"] for one in list_claims(session, state="disputed")] == ["disputed"]
    with transaction(office.runtime.sessions) as session:  # the operator settles it
        settled = confirm(session, claim_id=second["id"], who="op", why="called", now=office.clock())
    assert (settled["state"], settled["conflicts_with"]) == ("confirmed", [first["id"]])


def test_who_writes_both_lines_is_one_owner(office: Office) -> None:
    first, second = office.claim(), office.claim()
    office.write(first["proof"])
    office.verify(first)
    office.write(first["proof"], second["proof"])
    assert office.verify(second)["state"] == "confirmed"


def test_a_rejected_claim_is_not_looked_for(office: Office) -> None:
    claim = office.claim()
    with transaction(office.runtime.sessions) as session:
        session.get_one(Claim, claim["id"]).state = "rejected"
    answer = office.client.post(f"/v1/claims/{claim['id']}/verify", json={}, headers=claim["bearer"])
    assert answer.get_json()["code"] == "claim-decided"


def link_in(office: Office) -> str:
    """The token in the last mail."""
    office.settle()
    text = max((office.runtime.settings.data_dir / "mail").glob("*.eml")).read_text()
    return next(line for line in text.splitlines() if "/confirm/" in line).strip().rpartition("/")[2]


def test_what_is_kept_of_a_check_says_nothing_secret(office: Office) -> None:
    claim = office.claim()
    office.verify(claim)
    assert claim["token"] not in json.dumps(office.seen(claim))

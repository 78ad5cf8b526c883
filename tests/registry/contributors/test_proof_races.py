"""Two people for one identity: a conflict, not a race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.contributors.looking import Seen
from registry.contributors.places import places_of
from registry.contributors.proofs import keep
from registry.database import transaction
from registry.models import Claim
from tests.registry.optouts.small_registry import small_registry


@pytest.mark.postgres
def test_of_two_proved_at_once_the_second_waits_and_sees_the_first(postgres_url: str, tmp_path: Path) -> None:
    with small_registry(tmp_path / "data", database_url=postgres_url) as here:
        first = here.claim("host:example.org", state="pending")["id"]
        second = here.claim("host:example.org", state="pending")["id"]

        def prove(claim_id: str) -> None:
            with transaction(here.sessions) as session:
                keep(session, claim_id=claim_id, seen=[seen], found=[seen], now=here.now)

        seen = Seen(places_of("host:example.org")[0], (), (), "one line", answered=True)
        with ThreadPoolExecutor(1) as beside:
            with transaction(here.sessions) as session:
                keep(session, claim_id=first, seen=[seen], found=[seen], now=here.now)
                session.flush()
                late = beside.submit(prove, second)
                with pytest.raises(TimeoutError):
                    late.result(0.5)  # it waits for the lock
            late.result(20)
        with here.sessions() as session:
            states = {one: session.get_one(Claim, one).state for one in (first, second)}
        assert states == {first: "confirmed", second: "disputed"}

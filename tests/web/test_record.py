"""A publisher's page and the page on how to check us say how those who opt out are answered."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from registry.database import transaction
from registry.models import Answer, Dataset, Notice, OptOut
from tests.web.looking import words
from tests.web.world import World

ADDRESSES = ("/publishers/lab", "/transparency")


@pytest.mark.parametrize("address", ADDRESSES)
def test_small_numbers_are_said_to_be_small(seen: World, address: str) -> None:
    assert "Answered fewer than 10" in words(seen.page(address))


@pytest.mark.parametrize("address", ADDRESSES)
def test_figures_are_said_in_words_and_reasons_as_text(world: World, address: str) -> None:
    now = world.runtime.clock()
    late = now - dt.timedelta(days=60)
    with transaction(world.runtime.sessions) as session:
        dataset = session.scalar(select(Dataset.id).where(Dataset.name == "faces"))
        for at in range(24):
            ident = f"{at:032x}"
            session.add(
                OptOut(
                    id=ident, state="in-force", assurance="verified", relation="maker", scope="all", categories=1,
                    vocabulary=[], salt=b"", commitment=ident * 2, made_at=late,
                )
            )  # fmt: skip
            session.flush()
            exempt = at < 12
            session.add(
                Notice(
                    id=ident, opt_out_id=ident, dataset_id=dataset, assurance="verified", versions=["1.0.0"],
                    records=1, word_of=[], made_at=late, sent_at=late, answer_by=late + dt.timedelta(days=30),
                    state="exempt" if exempt else "sent", reason="<b>press</b>" if exempt else None,
                    answered_at=late + dt.timedelta(days=3) if exempt else None,
                )
            )  # fmt: skip
            session.flush()
            if exempt:
                at_ = late + dt.timedelta(days=3)
                session.add(Answer(notice_id=ident, by="publisher", outcome="exempt", at=at_))
    page = world.page(address)
    said = words(page)
    assert "24 , of which 24 arrived" in said or "24, of which 24 arrived" in said
    assert "half of them within 3 days" in said
    assert "12 times: “ <b>press</b> ”" in said
    assert "<b>press" not in page
    assert "silent since" in said

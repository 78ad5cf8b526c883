"""person: what an operator does for somebody whose name stands in datasets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from registry.cli.answer import accountable, answering
from registry.cli.moving import progress

Answer = tuple[Any, str]


@click.group()
def person() -> None:
    """Somebody whose name stands in datasets."""


@person.command()
@accountable
@answering
def erase(who: str, why: str) -> Answer:
    """Take a maker's name, and the titles beside it, out of every dataset here for good; then rebuild.

    Asked for, or read from standard input, so that no shell keeps it: the name, or an account (PLATFORM:ID, a profile's
    address), whose entries then lose whatever name they have. The registry must be stopped. Their
    pictures go on being suppressed by page and address. May be repeated; killed in between, run it again.
    """
    import os

    from registry.cli.opening import check_log_of, opened
    from registry.cli.upkeep import parts_of, said_of
    from registry.config import load
    from registry.database import make_engine
    from registry.upkeep import shut
    from registry.upkeep.erasing import Decision, erase_name
    from registry.upkeep.rebuild import rebuild

    name = _asked_whom()
    engine = make_engine(load(os.environ).database_url)
    try:
        shut.shut(engine)
    finally:
        engine.dispose()
    with opened() as here, progress() as heard:
        decided = Decision(who, why, here.clock())
        gone = erase_name(
            name, sessions=here.sessions, store=here.store, settings=here.settings, decided=decided
        )
        done = rebuild(parts_of(here, heard), now=here.clock())
        shut.open_again(here.sessions)
        check_log_of(here)
    said_of(done)
    return {**asdict(gone), "rebuilt": asdict(done)}, (
        f"erased in {gone.entries:,} entries of {gone.versions:,} dataset versions; all views are made again"
    )


@person.command()
@accountable
@answering
def hide(who: str, why: str) -> Answer:
    """Keep a maker out of name search and suggestions, at once, while the registry runs.

    The account is asked for, or read from standard input, so that no shell keeps it: PLATFORM:ID, a profile's address, or
    name:PUBLISHER/DATASET:NAME. Exact look-ups by photo, link or account still answer, so that an opt-out can be made.
    """
    return _set_hidden(who, why, hidden=True)


@person.command()
@accountable
@answering
def show(who: str, why: str) -> Answer:
    """Let name search find a maker again that was hidden. The account is asked for, as by `hide`."""
    return _set_hidden(who, why, hidden=False)


def _asked_whom() -> str:
    return str(click.prompt("name or account", err=True, prompt_suffix=": "))


def _set_hidden(who: str, why: str, *, hidden: bool) -> Answer:
    from byline.errors import Refused
    from byline.formats.selectors import public_id
    from registry.cli.opening import opened
    from registry.contributors.hiding import Decided, hide_account
    from registry.contributors.meant import account_meant
    from registry.database import transaction

    account = account_meant(_asked_whom())
    if account is None:
        raise Refused(
            "no-account",
            "a name alone may be many people's: say PLATFORM:ID, a profile's address, or name:PUBLISHER/DATASET:NAME; "
            "`person erase` takes a name out everywhere",
        )
    with opened() as here, transaction(here.sessions) as session:
        changed = hide_account(session, account, hidden=hidden, by=Decided(who, why), now=here.clock())
    word = "hidden from name search" if hidden else "found by name search again"
    return {"maker": public_id(account), "hidden": hidden, "changed": changed}, (
        f"{word}: {changed} handle{'' if changed == 1 else 's'} changed"
    )

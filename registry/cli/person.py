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

    The name is asked for, or read from standard input, so that no shell keeps it. The registry must be stopped. Their
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

    name = click.prompt("name", err=True, prompt_suffix=": ")
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

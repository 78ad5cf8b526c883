"""rebuild, fsck: a registry that stands still, made whole or looked through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from registry.cli.answer import Failed, answering
from registry.cli.moving import progress

if TYPE_CHECKING:  # `--help` needs no database driver
    from registry.runtime import Runtime
    from registry.upkeep.rebuild import Parts, Rebuilt

Answer = tuple[Any, str] | Failed


@click.command()
@answering
def rebuild() -> Answer:
    """Make search, counts, keys, matches and feed again from manifests, extracts, log and requests.

    The registry must be stopped. What was hidden, erased or withdrawn stays so. May be repeated; once begun it must
    come to its end before anything starts again.
    """
    import os

    from registry.cli.opening import check_log_of, opened
    from registry.config import load
    from registry.database import make_engine
    from registry.upkeep import shut
    from registry.upkeep.rebuild import rebuild as rebuild_all

    engine = make_engine(load(os.environ).database_url)
    try:
        shut.shut(engine)
    finally:
        engine.dispose()
    with opened() as here, progress() as heard:
        done = rebuild_all(parts_of(here, heard), now=here.clock())
        shut.open_again(here.sessions)
        check_log_of(here)
    said_of(done)
    return asdict(done), (
        f"{done.versions:,} dataset versions ({done.from_index:,} of them from their record index alone), {done.opt_outs:,} "
        f"opt-outs, {done.documents:,} makers in search; written again: {done.log_files:,} files of the log, "
        f"{done.feed_files:,} of the feed"
    )


def said_of(done: Rebuilt) -> None:
    """Untrusted("rebuilt-in-part") where something is lost here."""
    from byline.errors import Untrusted

    if done.lost:
        first = done.lost[0]
        raise Untrusted(
            "rebuilt-in-part",
            f"all else was made again, but {len(done.lost)} things are lost here; put them back from a mirror or a backup "
            f"and run this once more. The first: {first['message']} ({first['code']})",
            at=first["at"],
            details={"lost": list(done.lost)},
        )


@click.command()
@answering
def fsck() -> Answer:
    """Look through a registry that nobody works on: all must be there, and one part say what the other says.

    Nothing is changed. Exit code 1 where something was found.
    """
    from byline.formats.note import NoteKey
    from registry.cli.opening import opened
    from registry.upkeep.fsck import Looked, next_step
    from registry.upkeep.fsck import fsck as look

    with opened() as here, progress() as heard:
        parts = Looked(
            sessions=here.sessions,
            items=here.items,
            store=here.store,
            search=here.search,
            settings=here.settings,
            key=NoteKey(here.settings.origin, here.log_key.public),
            vkey=here.vkey,
        )
        found = []
        checks = {}
        for name, findings in look(parts):
            heard(f"looking at: {name}")
            here_found = list(findings)
            checks[name] = len(here_found)
            found += here_found
    lines = [f"{name:8} {count or 'well'}" for name, count in checks.items()]
    lines += [f"{one.code:20} {one.at}: {one.message}" for one in found]
    document = {"checks": checks, "findings": [asdict(one) for one in found], "next": next_step(found)}
    text = "\n".join([*lines, next_step(found)])
    return Failed(document, text) if found else (document, text)


def parts_of(here: Runtime, heard: Callable[[str], None]) -> Parts:
    """What a rebuild takes of an open registry."""
    from registry.upkeep.rebuild import Parts

    return Parts(
        sessions=here.sessions,
        items=here.items,
        store=here.store,
        search=here.search,
        settings=here.settings,
        log_key=here.log_key,
        padding_key=here.seal.derive("feed padding"),
        heard=heard,
    )

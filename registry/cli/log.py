"""recover: the log's way on after a database was restored from an older copy."""

from __future__ import annotations

import json
from typing import Any

import click

from registry.cli.answer import answering

Answer = tuple[Any, str]


@click.command()
@answering
def recover() -> Answer:
    """Bring a database that was restored from an older copy up to the log that was published.

    What an entry only commits to does not come back: it is listed in a file, so that it can be asked for again.
    """
    from registry.cli.opening import opened
    from registry.feed.recovered import take_heads
    from registry.tlog.recover import recover as recover_log

    with opened() as here:
        half = here.settings.data_dir / "lost.ndjson.half"
        with half.open("w", encoding="utf-8") as file:
            done = recover_log(
                here.sessions,
                store=here.store,
                log_key=here.log_key,
                origin=here.settings.origin,
                now=here.clock(),
                heard=lambda index, entry: print(json.dumps({"index": index, **entry}), file=file),
            )
        heads = take_heads(here.sessions)
        listed = half.replace(here.settings.data_dir / f"lost-at-{done.size}.ndjson")
    text = f"{done.entries} entries came back; the log has {done.size}; {heads} feed heads are known again"
    if done.lost:
        text += (
            f"\nof {done.lost} of them only the entry came back; what they are stands in {listed}:\n"
            "have statements sent again, and people tell you."
        )
    return {
        "entries": done.entries,
        "size": done.size,
        "feed_heads": heads,
        "lost": done.lost,
        "lost_file": str(listed),
    }, text

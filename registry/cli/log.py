"""recover: the log's way on after a database was restored from an older copy."""

from __future__ import annotations

from typing import Any

import click

from registry.cli.answer import answering

Answer = tuple[Any, str]


@click.command()
@answering
def recover() -> Answer:
    """Bring a database that was restored from an older copy up to the log that was published.

    What an entry only commits to does not come back: it is listed, so that it can be asked for again.
    """
    from registry.cli.opening import opened
    from registry.feed.recovered import take_heads
    from registry.tlog.recover import recover as recover_log

    with opened() as here:
        done = recover_log(
            here.sessions,
            store=here.store,
            log_key=here.log_key,
            origin=here.settings.origin,
            now=here.clock(),
        )
        heads = take_heads(here.sessions)
    lines = [f"{done.entries} entries came back; the log has {done.size}; {heads} feed heads are known again"]
    lines += [
        f"  {one['index']:>8}  {one['kind']:18} {one.get('digest') or one.get('commitment')}"
        for one in done.lost
    ]
    if done.lost:
        lines.append(
            "What these stand for is not in this database: have statements sent again, and people tell you."
        )
    return {
        "entries": done.entries,
        "size": done.size,
        "feed_heads": heads,
        "lost": list(done.lost),
    }, "\n".join(lines)

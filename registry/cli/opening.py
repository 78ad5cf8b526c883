"""An open Runtime for one command. Imported by commands, not with them: `--help` needs no database driver."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from registry.config import load
from registry.database import only_one, transaction
from registry.runtime import Runtime, open_runtime
from registry.tlog.boot import check_log
from registry.upkeep.shut import check_open
from registry.upkeep.tombstones import apply_tombstones


@contextmanager
def opened() -> Iterator[Runtime]:
    """The registry that BYLINE_* describes."""
    here = open_runtime(load(os.environ))
    try:
        yield here
    finally:
        here.close()


def check_log_of(here: Runtime) -> None:
    """Refuse to serve or work where database, store and key do not belong together.

    What the store knows to be erased or hidden, and a restored database does not, is done again first.
    """
    with here.sessions() as session:
        check_open(session)
        check_log(session, store=here.store, log_key=here.log_key, origin=here.settings.origin)
    with only_one(here.engine, "tombstones") as mine:
        if mine:  # else another process of ours is at it
            with transaction(here.sessions) as session:
                apply_tombstones(session, here.store, seal=here.seal)

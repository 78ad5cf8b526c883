"""A log that two processes write, killed with SIGKILL again and again: `python -m tests.registry.tlog.killed FOLDER KILLS`.

Prints how many were killed. What was published at each moment somebody looked lies in FOLDER/seen.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from byline.errors import Conflict, Unavailable
from byline.formats import entries
from registry.database import Sessions, make_engine, make_sessions, migrate, transaction
from registry.storage.filesystem import FolderStore
from registry.tlog import shelf
from registry.tlog.append import append
from registry.tlog.integrate import integrate
from registry.tlog.sequence import assign_numbers
from tests.registry.tlog.keeper import KEY, NOW, ORIGIN

FEWEST_HEADS = 5  # a slow machine is given its time


def write(folder: Path, seed: int) -> None:
    """Append, number, integrate, for ever."""
    chance = random.Random(seed)  # noqa: S311 - how many entries, not secrets
    sessions = make_sessions(make_engine(f"sqlite:///{folder}/app.sqlite"))
    store = FolderStore(folder / "store")
    while True:
        try:
            _add(sessions, chance)
            integrate(sessions, store=store, log_key=KEY, origin=ORIGIN, now=NOW)
        except (Conflict, Unavailable):
            continue


def _add(sessions: Sessions, chance: random.Random) -> None:
    with transaction(sessions) as session:
        for _ in range(chance.randrange(1, 60)):
            digest = hashlib.sha256(chance.randbytes(16)).hexdigest()
            leaf = entries.feed_entry(chance.randrange(1 << 40), digest, NOW)
            append(session, kind="feed", subject="feed:1", ref=digest, leaf=leaf, now=NOW)
    with transaction(sessions) as session:
        assign_numbers(session)


def start(folder: Path, seed: int) -> int:
    """A child that writes; its process id."""
    child = os.fork()
    if child == 0:
        try:
            write(folder, seed)
        finally:
            os._exit(3)  # it never ends by itself
    return child


def look(folder: Path) -> None:
    """Keep what is published now."""
    try:
        note = (folder / "store" / shelf.CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return
    (folder / "seen" / hashlib.sha256(note).hexdigest()).write_bytes(note)


def main(folder: Path, kills: int) -> int:
    """Kill until it was often enough and something was published in between; how often."""
    engine = make_engine(f"sqlite:///{folder}/app.sqlite")
    migrate(engine)
    engine.dispose()
    (folder / "seen").mkdir()
    chance, killed = random.Random(20190129), 0  # noqa: S311 - moments, not secrets
    while killed < kills or len(list((folder / "seen").iterdir())) < FEWEST_HEADS:
        children = [start(folder, killed + 1_000 * number) for number in (1, 2)]
        for child in children:
            time.sleep(0.05 + 0.2 * chance.random())
            look(folder)
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            if not os.WIFSIGNALED(status):
                sys.exit(f"a writer ended by itself: {status}")
            killed += 1
        look(folder)
    return killed


if __name__ == "__main__":
    sys.stdout.write(str(main(Path(sys.argv[1]), int(sys.argv[2]))))

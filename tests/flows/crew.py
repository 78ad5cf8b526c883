"""Three machines' workers, to be killed: of one database, one store, one pair of keys, each with its own folder."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path

from registry.config import Settings
from registry.runtime import open_runtime
from registry.worker import Worker

MACHINES = 3
LEASE = dt.timedelta(seconds=2)


class Crew:
    """Each is forked from a process that has everything imported: a kill hits work, not a start."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.flows.crew"])
        self._running = {number: self._start(number) for number in range(MACHINES)}

    def kill(self, number: int) -> None:
        """One of them, whatever it does just now; another one takes its place."""
        _kill(self._running[number])
        self._running[number] = self._start(number)

    def end(self) -> None:
        """All of them, without a goodbye."""
        while self._running:
            _kill(self._running.popitem()[1])

    def _start(self, number: int) -> BaseProcess:
        parts = self._settings
        settings = Settings(
            data_dir=self._folder / f"machine-{number}",
            seal_key=parts.seal_key,
            log_key=parts.log_key,
            database_url=parts.database_url,
            object_store=parts.object_store,
        )
        settings.data_dir.mkdir(exist_ok=True)
        # The fork server may be older than the store's credentials, which are in this process's environment.
        process = self._context.Process(target=work, args=(settings, dict(os.environ)), daemon=True)
        process.start()
        return process


def work(settings: Settings, environ: dict[str, str]) -> None:
    """A worker process."""
    os.environ.update(environ)
    Worker(open_runtime(settings), lease=LEASE).run(threading.Event())


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join()
    process.close()

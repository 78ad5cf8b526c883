"""init, serve, worker."""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from byline.errors import BylineError, Refused
from registry.cli.answer import answering, fail


@click.command()
@click.option(
    "--origin",
    help="The registry's name for good, like byline.example.org. Default: a random one under localhost.",
)
@click.option("--operator-name", help="Who runs it (a public registry must say).")
@click.option("--operator-contact", help="How to reach them: a mail address or URL.")
@click.option(
    "--privacy-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The privacy text people are shown.",
)
@answering
def init(**said: Any) -> tuple[dict[str, Any], str]:
    """Make the data folder, the keys and the tables, or bring them to this version. May be run again."""
    from registry.config import load
    from registry.runtime import open_runtime, prepare, write_standing

    write_standing(os.environ, said, ask=_ask, new_origin=lambda: f"{secrets.token_hex(4)}.localhost")
    settings = load(os.environ)
    prepare(settings)
    here = open_runtime(settings)
    try:
        document = {"origin": settings.origin, "vkey": here.vkey, "data_dir": str(settings.data_dir)}
    finally:
        here.close()
    return document, f"{settings.origin} is ready in {settings.data_dir}\nlog key: {document['vkey']}"


def _ask(question: str) -> str:
    """Ask a person; nothing where there is none."""
    return str(click.prompt(question, default="", show_default=False, err=True)) if sys.stdin.isatty() else ""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65_535), envvar="PORT")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes that answer requests.",
)
@click.option(
    "--threads", default=12, show_default=True, type=click.IntRange(1, 256), help="Threads in each of them."
)
@click.option("--worker/--no-worker", "with_worker", default=True, help="Also run a worker.")
def serve(host: str, port: int, processes: int, threads: int, with_worker: bool) -> None:  # noqa: FBT001
    """Serve pages, API, log and feed, and run a worker beside them."""
    from granian import Granian
    from granian.constants import Interfaces

    from registry import logs
    from registry.cli.opening import check_log_of, opened

    try:
        check_port(host, port)
        with opened() as here:
            check_log_of(here)
            if not here.settings.is_public:
                os.environ.setdefault("BYLINE_PUBLIC_URL", f"http://{host}:{port}")
            os.environ.setdefault("BYLINE_SENDERS", str(max(threads * 2 // 3, 1)))
            logs.configure(here.settings.log)
    except BylineError as error:
        fail(error, as_json=False)
    # Most of the threads wait for slow senders and compute nothing: more of them than cores is right.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    server = Granian(
        "api.app:create_app", address=host, port=port, interface=Interfaces.WSGI, factory=True,
        websockets=False, workers=processes, blocking_threads=threads,
        respawn_failed_workers=True, workers_kill_timeout=20,
        log_dictconfig={"handlers": {}, "loggers": {"_granian": {"propagate": True}}},
    )  # fmt: skip
    worker_too = beside("worker", stop=threading.Event()) if with_worker else contextlib.nullcontext()
    with counters_of_all(), worker_too:
        server.serve()


@contextlib.contextmanager
def counters_of_all() -> Iterator[None]:
    """A folder where the processes keep their counters, so that any of them answers /metrics for all."""
    with tempfile.TemporaryDirectory(prefix="byline-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def check_port(host: str, port: int) -> None:
    """Refused("port-taken") before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(
                "port-taken", f"{host}:{port} cannot be used: {error.strerror}; give another --port"
            ) from error


@contextlib.contextmanager
def beside(*words: str, stop: threading.Event) -> Iterator[None]:
    """Another `byline-registry WORDS`, started again when it dies, asked to stop with `stop` and at the end."""
    child = [start(*words, "--parent", str(os.getpid()))]

    def keep() -> None:
        while not stop.wait(0.5):
            if child[0].poll() is not None and not stop.wait(1):
                child[0] = start(*words, "--parent", str(os.getpid()))
        child[0].terminate()

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        end(child[0])


def start(*words: str) -> subprocess.Popen[bytes]:
    """Run `byline-registry WORDS` as a child."""
    return subprocess.Popen([sys.executable, "-m", "registry.cli", *words])


def end(child: subprocess.Popen[bytes], *, seconds: float = 30.0) -> None:
    """Ask a child to stop, and make it where it does not."""
    child.terminate()
    try:
        child.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@click.command()
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice(["short", "long", "mail", "out"]),
    help="Only this lane of jobs.",
)
@click.option("--bulk", is_flag=True, hidden=True, help="Only what takes long, at low priority.")
@click.option("--parent", type=int, hidden=True, help="Stop when this process is gone.")
def worker(lanes: tuple[str, ...], bulk: bool, parent: int | None) -> None:  # noqa: FBT001
    """Do the background work: ingest, matching, mails, numbering, indexing, the feed. Any number may run."""
    from registry import logs
    from registry.cli.opening import check_log_of, opened
    from registry.worker import GENTLE, worker_of

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: two signals at once would have this one wait for a lock it holds itself.
        signal.signal(number, lambda *_: _thread.start_new_thread(stop.set, ()))
    if parent is not None:
        threading.Thread(target=_stop_without, args=(parent, stop), daemon=True).start()
    if bulk:
        os.nice(GENTLE)
    try:
        with opened() as here:
            logs.configure(here.settings.log)
            check_log_of(here)
            alone = bool(lanes) or bulk
            with contextlib.nullcontext() if alone else beside("worker", "--bulk", stop=stop):
                everything_ended = worker_of(here, lanes=lanes, bulk=bulk).run(stop)
            if not everything_ended:
                os._exit(0)  # a job goes on in its thread; it was given back and is not ours any more
    except BylineError as error:
        fail(error, as_json=False)


def _stop_without(parent: int, stop: threading.Event) -> None:
    """A server that was killed cannot say goodbye."""
    while not stop.wait(0.5):
        if os.getppid() != parent:
            stop.set()

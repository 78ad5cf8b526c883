"""demo: a registry with synthetic datasets in it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import click

from byline.errors import BylineError


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65_535), envvar="PORT")
def demo(port: int) -> None:
    """Make a registry, serve it, load the demo datasets as their publishers would, and go on serving."""
    from registry.cli.answer import fail
    from registry.cli.running import check_port, end, start
    from registry.config import load
    from registry.demo.load import load_demo, wait_until_ready

    url = f"http://127.0.0.1:{port}"
    try:
        check_port("127.0.0.1", port)
        if start("init").wait() != 0:
            raise SystemExit(1)
        folder = load(os.environ).data_dir / "demo"
    except BylineError as error:
        fail(error, as_json=False)
        raise
    signal.signal(signal.SIGTERM, _interrupt)
    server = start("serve", "--port", str(port))
    try:
        wait_until_ready(url)
        names = load_demo(registry=url, folder=Path(folder), say=click.echo)
        click.echo(f"\nByline runs at {url} (Ctrl-C stops it). All of it is fictional. Search for:")
        for name in names:
            click.echo(f"  {name}")
        server.wait()
    except KeyboardInterrupt:
        click.echo("stopping", err=True)
    except BylineError as error:
        end(server)
        fail(error, as_json=False)
    finally:
        if server.poll() is None:
            end(server)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt

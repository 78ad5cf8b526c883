"""Runs in the peer's environment: a loopback server of the peer's API and of a feed's files, with a delay a request.

`python peer_server.py FOLDER`: FOLDER/denied.txt are the URLs that are opted out, FOLDER/feed the files. It prints its port.
`GET /counted` gives and forgets what was moved; `POST /delay/MS` sets the delay.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import orjson
from aiohttp import web


class Served:
    """What is answered, and how much was moved."""

    def __init__(self, folder: Path) -> None:
        """Read it all into memory: no disk is measured."""
        self.denied = frozenset((folder / "denied.txt").read_text().splitlines())
        feed = folder / "feed"
        self.files = {
            f"/{path.relative_to(feed)}": path.read_bytes() for path in feed.rglob("*") if path.is_file()
        }
        self.delay = 0.0
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.moved, self.rows, self.requests = 0, 0, 0

    async def query(self, request: web.Request) -> web.Response:
        """As the peer's client expects it: URLs a line each, an answer for each in order."""
        body = await request.read()
        urls = body.decode().split("\n")
        await asyncio.sleep(self.delay)
        answers = [{"url": url, "optOut": url in self.denied, "optIn": False} for url in urls]
        data = orjson.dumps({"urls": answers})
        self.moved += len(body) + len(data)
        self.rows += len(urls)
        self.requests += 1
        return web.Response(body=data, content_type="application/json")

    async def file(self, request: web.Request) -> web.Response:
        """A file of the feed."""
        await asyncio.sleep(self.delay)
        data = self.files.get("/about" if request.path == "/v1" else request.path)
        self.requests += 1
        if data is None:
            return web.Response(status=404)
        self.moved += len(data)
        return web.Response(body=data)

    async def counted(self, _: web.Request) -> web.Response:
        """What was moved since the last time."""
        said = {"bytes": self.moved, "rows": self.rows, "requests": self.requests}
        self.forget()
        return web.Response(body=orjson.dumps(said), content_type="application/json")

    async def set_delay(self, request: web.Request) -> web.Response:
        """Milliseconds before each answer."""
        self.delay = int(request.match_info["ms"]) / 1000
        return web.Response()


async def main() -> None:
    """Serve until killed."""
    served = Served(Path(sys.argv[1]))
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/api/v2/query/urls/", served.query)
    app.router.add_get("/counted", served.counted)
    app.router.add_post("/delay/{ms}", served.set_delay)
    app.router.add_get("/{path:.*}", served.file)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

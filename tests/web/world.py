"""A registry whose datasets say hostile and awkward things, published over REST; the worker works for real."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from byline.client import describe
from byline.client.describe import Measured, Said, Stamp, Standing
from byline.formats.keys import PrivateKey
from byline.formats.manifest import RecordFile
from registry.runtime import Runtime, open_runtime, prepare
from registry.worker import Worker
from tests.api.clock import Clock
from tests.plugins.parts import settings_in
from tests.registry.publishing.desk import extract_of, records

MARK = "<img src=x onerror=alert(1)>"
NAMES = (
    f"Eve {MARK}",
    "'\"><script>alert(2)</script>",
    "{{ 7*7 }} {% raw %}",
    "\u202egnp.evil\u202c",  # an override that turns what follows it round
    "عبد الرحمن الجزائري",
    "יעל כהן",
    "Wolfeschlegelsteinhausenbergerdorff" * 6,
    "=cmd|' /C calc'!A0",
    "前田 幹",
    "Zoë\u0301\u0323 Ångström",
)
SAID = Said(
    dataset="lab/faces",
    version="1.0.0",
    title=f"Faces {MARK}",
    description=f"</script><script>alert(3)</script> ]]> {MARK}",
    purposes=["face-recognition", "research"],
    access="research-only",
    contact="mailto:data@lab.example",
    annotations=[f"biometric:{MARK}:machine", "demographic:skin tone"],
    notified="no",
    consented="no",
    revocable="by-request",
)


def photo(number: int) -> str:
    """A photo's page."""
    return f"https://www.flickr.com/photos/{70_000_000 + number % 100}@N01/{51_000_000_000 + number}/"


def rows(names: tuple[str, ...], *, each: int = 2) -> list[dict[str, str]]:
    """Records of these makers, one identity each."""
    return [
        {
            "url": f"https://live.staticflickr.com/65535/{51_000_000_000 + number}_abcdef{number:04d}_b.jpg",
            "landing_url": photo(number),
            "creator_name": name,
            "creator_url": f"https://www.flickr.com/people/{70_000_000 + at}@N01/",
            "title": f"{MARK} {2004 + at}",
            "license": "https://creativecommons.org/licenses/by/2.0/",
        }
        for at, name in enumerate(names)
        for number in [at, *range(100 + at, 100 * each, 100)]
    ]


@dataclasses.dataclass
class World:
    """A registry, a browser without script, and a publisher."""

    runtime: Runtime
    client: FlaskClient
    key: PrivateKey

    def page(self, address: str) -> str:
        """A page that is there."""
        answer = self.client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200, (address, answer.status_code, answer.text)
        return answer.text

    def send(self, address: str, *, form: str, **fields: Any) -> TestResponse:
        """Fill in the form of a page, and send it to `address`."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page(form))
        assert found, form
        return self.client.post(address, data={**fields, "csrf_token": found[1]})

    def publish(self, said: Said, made: list[dict[str, str]]) -> None:
        """One version, to the end."""
        extract = extract_of(records(*made))
        here = self.client.get(f"/v1/datasets/{said.dataset}")
        head = here.get_json()["head"] if here.status_code == 200 else None
        measured = Measured(
            files=[RecordFile("rows.csv", hashlib.sha256(said.version.encode()).hexdigest(), extract.rows)],
            format="csv",
            columns=extract.columns,
            extract_rows=extract.rows,
            extract_sha256=extract.sha256,
        )
        stands = Standing(self.runtime.settings.origin, head, None, None)
        draft = describe.draft(said, measured, registry_says=stands)
        signed = describe.sign_draft(draft, self.key, registry_says=stands, stamp=self.stamp())
        answer = self.client.post("/v1/manifests", data=signed, content_type="application/json")
        assert answer.status_code == 202, answer.text
        where = answer.headers["Location"]
        self.client.put(f"{where}/extract/0", data=extract.parts[0], content_type="application/octet-stream")
        Worker(self.runtime).settle()
        assert self.client.get(where).get_json()["state"] == "published", self.client.get(where).text

    def register(self, slug: str, name: str) -> None:
        """The publisher says who it is."""
        signed = describe.publisher_statement(
            slug=slug, name=name, key=self.key, origin=self.runtime.settings.origin, stamp=self.stamp()
        )
        assert (
            self.client.post("/v1/publishers", data=signed, content_type="application/json").status_code
            == 201
        )

    def stamp(self) -> Stamp:
        """Now, once."""
        return Stamp(self.runtime.clock(), secrets.token_bytes(16))

    def settle(self) -> None:
        """Let the worker do all there is to do."""
        Worker(self.runtime).settle()

    def maker(self, name: str) -> str:
        """The public id of who is found first by a name."""
        found = self.client.get("/v1/search", query_string={"q": name}).get_json()["items"]
        return str(found[0]["contributor"]["id"])


def publish_in(folder: Path) -> None:
    """Two versions of a dataset, and one that was made from it."""
    prepare(settings_in(folder))
    with world_in(folder, key=PrivateKey.generate()) as world:
        world.register("lab", f"Lab {MARK}")
        world.publish(SAID, rows(NAMES))
        later = dataclasses.replace(
            SAID, version="2.0.0", purposes=["research"], access="open", annotations=["label:species"]
        )
        world.publish(later, rows(NAMES, each=12)[:-3])
        child = dataclasses.replace(
            SAID, dataset="lab/crops", title="Crops", derived_from=["lab/faces@2.0.0", "yahoo/yfcc100m"]
        )
        world.publish(child, [{"url": one["url"]} for one in rows(NAMES)])
        (folder / "key.json").write_text(json.dumps(world.key.to_pem().decode()))


@contextmanager
def world_in(folder: Path, *, key: PrivateKey | None = None, **settings: Any) -> Iterator[World]:
    """Open what lies in a folder."""
    often = "100000/minute"
    budgets = {"budget_read": often, "budget_lookup": often, "budget_write": often}
    runtime = open_runtime(settings_in(folder, **budgets, **settings), clock=Clock())
    client = create_app(runtime).test_client()
    kept = key or PrivateKey.from_pem(json.loads((folder / "key.json").read_text()).encode())
    yield World(runtime, client, kept)
    runtime.close()

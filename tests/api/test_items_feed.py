"""Who has a dataset's ids and not its files: what goes is told by the whole list, and by nothing less."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

import byline
from api.app import create_app
from byline.cli.app import byline as command
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport
from byline.errors import BylineError
from byline.formats.keys import PrivateKey
from registry.feed.head import ROOT
from registry.feed.remade import look, remake_files
from registry.models import FeedHead
from tests.api.signing import Signer
from tests.api.test_mine import claim
from tests.api.world import PHOTO, STATIC, World
from tests.registry.publishing.desk import extract_of, records

# As COCO's images: a number of the set's own beside a photo of somebody.
IDS = ["100000397133", "100000037777", "100000252219", "100000087038"]
DATASET = "coco-lab/faces@1.0.0"
ROWS = records(
    {"item_id": IDS[0], "url": STATIC, "landing_url": PHOTO},
    {"item_id": IDS[1], "url": "https://cdn.example.net/000000037777.jpg"},
    {"item_id": IDS[2], "url": STATIC.replace("3072908271", "3072908272"), "landing_url": PHOTO.replace("271/", "272/")},
    {"item_id": IDS[3]},
)  # fmt: skip


@pytest.fixture
def here(world: World) -> World:
    """A second publisher's dataset, whose rows have ids."""
    world.runtime.clock.now = dt.datetime.now(dt.UTC)  # type: ignore[attr-defined]
    signer = Signer(
        world.client, world.signer.origin, world.runtime.clock(), slug="coco-lab", key=PrivateKey.generate()
    )
    assert signer.register().status_code == 201
    extract = extract_of(ROWS)
    submitted = signer.post("/v1/manifests", signer.manifest(extract=extract))
    assert submitted.status_code == 202, submitted.text
    where = submitted.headers["Location"]
    sent = world.client.put(
        f"{where}/extract/0", data=extract.parts[0], content_type="application/octet-stream"
    )
    assert sent.status_code == 200, sent.text
    world.settle()
    return world


@pytest.fixture
def address(here: World) -> Iterator[str]:
    """The registry behind a real server."""
    server = make_server("127.0.0.1", 0, create_app(here.runtime), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def opted_out(here: World) -> tuple[str, dict[str, str]]:
    mine = claim(here)
    made = here.client.post(
        "/v1/opt-outs", json={"claims": [mine], "categories": ["train-generative"]}
    ).get_json()
    here.settle()
    return made["id"], {"Authorization": f"Bearer {mine['token']}"}


def synced(address: str, folder: Path) -> byline.Feed:
    with Transport(address) as transport:
        sync(transport, State(folder, make=True), now=lambda: dt.datetime.now(dt.UTC))
    return byline.Feed.open(folder)


def entry_of(here: World) -> dict[str, Any]:
    """The index's entry of the dataset's one file."""
    head = here.get("/feed/v1/head.json")
    for part in head["rows"]["index"].values():
        for entries in here.get(f"/feed/v1/{part['path']}")["files"].values():
            for entry in entries:
                if entry["dataset"] == "coco-lab/faces":
                    return dict(entry)
    raise AssertionError("the dataset is not in the index")


def kept(feed: byline.Feed, ids: Any = IDS, **said: Any) -> list[bool]:
    found: list[bool] = byline.item_ids(feed, DATASET, ids).keep(ids, **said).tolist()
    return found


def test_the_whole_list_tells_what_goes(here: World, address: str, tmp_path: Path) -> None:
    opted_out(here)
    feed = synced(address, tmp_path)
    assert kept(feed) == [False, True, False, True]
    assert kept(feed, np.array([int(one) for one in IDS])) == [False, True, False, True]
    assert kept(feed, [*reversed(IDS)]) == [True, False, True, False]
    assert kept(feed, for_="train-generative") == [False, True, False, True]
    assert kept(feed, for_="data-mining") == [True, True, True, True]


def test_a_part_of_the_list_tells_nothing(here: World, address: str, tmp_path: Path) -> None:
    opted_out(here)
    feed = synced(address, tmp_path)
    for ids in (IDS[:3], [*IDS, "1"], ["0100000397133", *IDS[1:]], []):
        with pytest.raises(BylineError) as refused:
            kept(feed, ids)
        assert refused.value.code == "other-ids"


def test_datasets_without_ids_and_unknown_ones_are_said_to_be_so(
    here: World, address: str, tmp_path: Path
) -> None:
    feed = synced(address, tmp_path)
    for dataset, code in (("ibm-research/faces@1.0.0", "no-item-ids"), ("nobody/nothing", "not-in-feed")):
        with pytest.raises(BylineError) as refused:
            byline.item_ids(feed, dataset, IDS)
        assert refused.value.code == code


def test_nothing_opted_out_is_known_as_nothing(here: World, address: str, tmp_path: Path) -> None:
    entry = entry_of(here)
    assert (entry["items"]["n"], "parquet" in entry["items"]) == (0, False)
    assert kept(synced(address, tmp_path)) == [True] * 4


def test_who_takes_it_back_is_kept_again(here: World, address: str, tmp_path: Path) -> None:
    ident, bearer = opted_out(here)
    assert kept(synced(address, tmp_path)) == [False, True, False, True]
    assert here.client.post(f"/v1/opt-outs/{ident}/withdraw", headers=bearer).status_code == 200
    here.settle()
    assert kept(synced(address, tmp_path)) == [True] * 4


def test_no_id_stands_in_any_file_of_the_feed(here: World) -> None:
    opted_out(here)
    names = here.runtime.store.keys(f"{ROOT}/") if hasattr(here.runtime.store, "keys") else []
    files = [here.runtime.store.get(name) for name in names]
    entry = entry_of(here)
    files += [
        here.client.get(f"/feed/v1/{entry['items'][kind]['path']}").data for kind in ("parquet", "ndjson")
    ]
    assert files
    for data in files:
        for one in IDS:
            assert one.encode() not in data


def test_the_formats_own_example_needs_no_library_of_ours(here: World, root: Path, tmp_path: Path) -> None:
    opted_out(here)
    entry = entry_of(here)
    lines = here.client.get(f"/feed/v1/{entry['items']['ndjson']['path']}")
    assert lines.content_type.startswith("application/x-ndjson")
    (tmp_path / "items.ndjson").write_bytes(lines.data)
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")
    text = (root / "docs/formats/itemfeed.md").read_text()
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    program = f"import json\nentry = json.loads({json.dumps(json.dumps(entry))})\n{example}\nprint(keep)"
    said = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", program],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.strip() == str([IDS[1], IDS[3]])


def test_the_filter_goes_by_an_id_column(here: World, address: str, tmp_path: Path) -> None:
    opted_out(here)
    synced(address, tmp_path / "state")
    (tmp_path / "mine.csv").write_text(
        "image_id,caption\n" + "".join(f"{one},c{one}\n" for one in reversed(IDS))
    )
    words = [
        "filter",
        str(tmp_path / "mine.csv"),
        "-o",
        str(tmp_path / "out.csv"),
        "--state",
        str(tmp_path / "state"),
    ]
    done = CliRunner().invoke(command, [*words, "--dataset", DATASET, "--id-column", "image_id", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["rows_in"], report["rows_out"], report["dropped"]) == (4, 2, {"item": 2})
    assert report["files"][0]["tier"] == "item"
    assert (tmp_path / "out.csv").read_text() == f"image_id,caption\n{IDS[3]},c{IDS[3]}\n{IDS[1]},c{IDS[1]}\n"


def test_the_filter_says_where_the_list_is_another(here: World, address: str, tmp_path: Path) -> None:
    synced(address, tmp_path / "state")
    (tmp_path / "mine.csv").write_text("image_id\n1\n2\n")
    words = [
        "filter",
        str(tmp_path / "mine.csv"),
        "-o",
        str(tmp_path / "out.csv"),
        "--state",
        str(tmp_path / "state"),
    ]
    done = CliRunner().invoke(command, [*words, "--dataset", DATASET, "--id-column", "image_id", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, "other-ids")
    assert not (tmp_path / "out.csv").exists()
    assert CliRunner().invoke(command, [*words, "--id-column", "image_id"]).exit_code == 2


def test_lost_files_of_items_are_made_again(here: World) -> None:
    opted_out(here)
    entry, store = entry_of(here), here.runtime.store
    with here.runtime.sessions() as session:
        last = session.query(FeedHead).order_by(FeedHead.seq.desc()).first()
    assert last is not None
    for kind in ("parquet", "ndjson"):
        store.delete(f"{ROOT}/{entry['items'][kind]['path']}")
    assert len(look(store, last.sha256).lost) == 2
    padding = here.runtime.seal.derive("feed padding")
    assert remake_files(here.runtime.sessions, store, padding_key=padding) == (2, [])


def test_a_mirror_has_them_too(here: World, address: str, tmp_path: Path) -> None:
    opted_out(here)
    done = CliRunner().invoke(
        command, ["mirror", "--to", str(tmp_path / "copy"), "--registry", address, "--json"]
    )
    assert done.exit_code == 0, done.output
    entry = entry_of(here)
    for kind in ("parquet", "ndjson"):
        data = (tmp_path / "copy/feed/v1" / entry["items"][kind]["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["items"][kind]["sha256"]

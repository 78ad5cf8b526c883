"""2 M rows against 1 M keys: by fingerprints and by rows, beside reading and rewriting the file.

Each figure stands beside the floor of the same run. The dropped set is asserted exactly. `python -m benchmarks.filter`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap64

from byline.client.feed import Feed, use_of
from byline.client.filter import Target, Wish, filter_files
from byline.client.sources import Source
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport
from byline.formats import canonical, checkpoint, entries, hashing, keyfeed, merkle, note, receipt, rowfeed
from byline.formats.categories import CATEGORIES, EVERYTHING
from byline.formats.extract import ColumnDigest
from byline.formats.feedhead import note_text
from byline.formats.keys import PrivateKey
from byline.formats.selectors import fingerprints

ROWS, KEYS, SHARE = 2_000_000, 1_000_000, 100
ORIGIN = "bench.example"
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def main() -> None:
    """Make the data, sync, filter four ways, print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))


def run(folder: Path) -> None:
    """Everything in one folder."""
    rng = np.random.default_rng(20261122)
    data = folder / "set.parquet"
    gone = write_set(data, rng)
    copy = folder / "copy.parquet"
    order = rng.permutation(ROWS)
    pq.write_table(pq.read_table(data).take(order), copy, compression="zstd")
    state = State(folder / "state", make=True)
    files = feed_files(data, gone, rng)
    started = time.perf_counter()
    with Transport("http://bench", transport=httpx.MockTransport(answering(files))) as transport:
        sync(transport, state, now=lambda: NOW)
    print(f"sync of {KEYS:,} keys, verified: {time.perf_counter() - started:.2f} s")
    feed = Feed.open(state.folder, now=NOW)
    floor_read, floor_rewrite = (
        timed(lambda: read_only(data), times=3),
        timed(lambda: rewrite(data, folder / "floor.parquet"), times=3),
    )
    wish = Wish(use=use_of(None))

    def filtered(source: Path, target: Target, *, jobs: int = os.cpu_count() or 1) -> dict[str, Any]:
        return filter_files([Source(str(source), source.name)], feed, wish, target=target, jobs=jobs)

    def masked(*, jobs: int) -> float:
        took = timed(
            lambda: check(filtered(copy, Target(mask=folder / "m.npy"), jobs=jobs), "key", len(gone)), times=3
        )
        assert (~np.load(folder / "m.npy") == np.isin(order, gone)).all()
        return took

    show("floor: read the URL column", floor_read, floor_read)
    show("floor: read and rewrite", floor_rewrite, floor_rewrite)
    assert hashing.fast() is not None, "polars-hash is not installed"
    show("key feed, mask, one core, byline[fast]", masked(jobs=1), floor_read, goal=1)
    with without_extra():
        show("key feed, mask, one core, hashlib", masked(jobs=1), floor_read)
    show(
        f"key feed, mask, {os.cpu_count()} cores, byline[fast]", masked(jobs=os.cpu_count() or 1), floor_read
    )
    written = timed(
        lambda: check(filtered(copy, Target(file=folder / "k.parquet")), "key", len(gone)), times=3
    )
    assert (
        pq.read_table(folder / "k.parquet", columns=["id"])["id"].to_numpy().tolist()
        == order[~np.isin(order, gone)].tolist()
    )
    show("key feed, rewrite, byline[fast]", written, floor_rewrite)
    first = timed(lambda: check(filtered(data, Target(mask=folder / "r.npy")), "row", len(gone)))
    show("row feed, mask, the file seen first (SHA-256 of it, digest of a column)", first, floor_read)
    again = timed(lambda: check(filtered(data, Target(mask=folder / "r.npy")), "row", len(gone)), times=3)
    assert (np.flatnonzero(~np.load(folder / "r.npy")) == gone).all()
    show("row feed, mask, the file known", again, floor_read, goal=50)
    rows = timed(lambda: check(filtered(data, Target(file=folder / "o.parquet")), "row", len(gone)), times=3)
    assert (
        len(np.intersect1d(pq.read_table(folder / "o.parquet", columns=["id"])["id"].to_numpy(), gone)) == 0
    )
    show("row feed, rewrite", rows, floor_rewrite)
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


def write_set(path: Path, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A Parquet of URLs as sets have them: which rows are opted out."""
    photos = rng.permutation(np.arange(3_000_000_000, 3_000_000_000 + 7 * ROWS, 7))
    secrets = rng.integers(0, 1 << 40, ROWS)
    urls = [
        url(int(photo), int(secret), at)
        for at, (photo, secret) in enumerate(zip(photos, secrets, strict=True))
    ]
    table = pa.table(
        {
            "id": np.arange(ROWS),
            "url": urls,
            "caption": [f"a picture of thing {at % 9973} and thing {at % 7919}" for at in range(ROWS)],
            "width": rng.integers(200, 4000, ROWS),
            "height": rng.integers(200, 4000, ROWS),
        }
    )
    pq.write_table(table, path, compression="zstd")
    return np.sort(rng.choice(ROWS, ROWS // SHARE, replace=False))


def url(photo: int, secret: int, at: int) -> str:
    """Three of five are Flickr files, some in old spellings; the others lie anywhere."""
    match at % 10:
        case 0 | 1 | 2 | 3 | 4:
            return f"https://live.staticflickr.com/65535/{photo}_{secret:010x}_b.jpg"
        case 5:
            return f"http://farm{at % 9 + 1}.staticflickr.com/{at % 9000}/{photo}_{secret:010x}_z.jpg"
        case 6 | 7:
            return (
                f"https://images.site-{at % 5003}.example.org/uploads/2019/{secret:010x}{photo:x}.jpg?w=1024"
            )
        case 8:
            return f"https://cdn.example.com/media/{secret:010x}/picture-{photo}.jpeg"
        case _:
            return f"HTTP://www.Blog-{at % 997}.Example.net:80/%7Euser/{photo}.png#top"


def feed_files(
    data: Path, gone: np.ndarray[Any, np.dtype[np.int64]], rng: np.random.Generator
) -> dict[str, bytes]:
    """A whole feed by path: the opted-out rows as keys among a million, and as rows of the registered file."""
    table = pq.read_table(data, columns=["url"])
    mine = probes(table["url"].take(pa.array(gone)))
    others = rng.integers(0, 1 << 60, KEYS * 2)
    others = np.setdiff1d(others, probes(table["url"]))[: KEYS - len(mine)]
    k = np.sort(np.concatenate([mine, rng.permutation(others)]))
    c = np.full(len(k), EVERYTHING, dtype=np.uint8)
    files: dict[str, bytes] = {}
    keys = keyfeed.write(k, c)
    base = {**put(files, keys, "parquet"), "bytes": len(keys), "rows": len(k)}
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    bitmap = {**put(files, rowfeed.write(BitMap64(gone), file_sha256=sha256), "puffin"), "n": len(gone)}
    digest = ColumnDigest()
    digest.update(pa.array(np.arange(ROWS)), table["url"].combine_chunks())
    entry = {
        "dataset": "bench/set", "version": "1", "role": "holder", "holder_approved": True, "records": ROWS,
        "column": "url", "column_sha256": digest.hexdigest(), "bitmaps": dict.fromkeys(("any", *CATEGORIES), bitmap),
    }  # fmt: skip
    index = put(files, canonical.dumps({"files": {sha256: [entry]}}), "json")
    head = canonical.dumps(
        {
            "v": 1, "origin": ORIGIN, "seq": 1, "time": canonical.timestamp(NOW), "canon": "b1", "log_size": 1,
            "expires": canonical.timestamp(NOW + dt.timedelta(days=7)), "interval_s": 0, "hosts_n": 0,
            "keys": {"n": len(k), "set_sha256": keyfeed.set_sha256(k, c), "base": [base], "base_seq": 1, "deltas": [], "removals": []},
            "rows": {"parts": 256, "index": {sha256[:2]: index}},
            "coverage": {"opt_outs": 9, "as_fingerprints": 9, "rows_only": 0, "publisher_only": 0, "not_expressible": 0},
        }
    )  # fmt: skip
    key = PrivateKey.generate()
    signed = note.sign(note_text(ORIGIN, 1, hashlib.sha256(head).hexdigest()), ORIGIN, key)
    vkey = note.vkey(ORIGIN, key.public)
    about = canonical.dumps({"origin": ORIGIN, "vkey": vkey, "feed_seq": 1})
    return {
        **files, "head.json": head, "head.note": signed, "/v1": about,
        f"/v1/receipts/{hashlib.sha256(head).hexdigest()}": logged(head, key),
    }  # fmt: skip


def logged(head: bytes, key: PrivateKey) -> bytes:
    """The receipt of a head from a log that holds nothing else."""
    leaf = entries.feed_entry(1, hashlib.sha256(head).hexdigest(), NOW)
    signed = checkpoint.write(checkpoint.Checkpoint(ORIGIN, 1, merkle.leaf_hash(leaf)), key)
    return receipt.write(receipt.Receipt(leaf, 0, (), signed))


def probes(urls: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The keys of URLs by the plain rules, not by the filter's own fast path."""
    from byline.formats.platforms import shown
    from byline.formats.urls import canonical_url

    found = []
    for text in urls.to_pylist():
        canonical_form = canonical_url(text)
        page = shown(canonical_form) if canonical_form else None
        found.append(("fs", page.static) if page and page.static else ("u", canonical_form))
    k = np.zeros(len(found), dtype=np.int64)
    for kind in ("fs", "u"):
        at = np.flatnonzero([one == kind for one, _ in found])
        k[at] = fingerprints(kind, pa.array([found[place][1] for place in at], pa.string()))
    return k


def put(files: dict[str, bytes], data: bytes, ending: str) -> dict[str, str]:
    """A file under its digest."""
    digest = hashlib.sha256(data).hexdigest()
    files[f"files/{digest}.{ending}"] = data
    return {"path": f"files/{digest}.{ending}", "sha256": digest}


def answering(files: Mapping[str, bytes]) -> Callable[[httpx.Request], httpx.Response]:
    """A registry that serves these files."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/feed/v1/")
        found = files.get(path)
        return httpx.Response(404) if found is None else httpx.Response(200, content=found)

    return answer


def read_only(path: Path) -> None:
    """The floor of a mask."""
    for _ in pq.ParquetFile(path).iter_batches(65_536, columns=["url"]):
        pass


def rewrite(path: Path, out: Path) -> None:
    """The floor of a filtered file."""
    file = pq.ParquetFile(path)
    with pq.ParquetWriter(out, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches(65_536):
            writer.write_batch(batch)


def check(report: dict[str, Any], tier: str, gone: int) -> None:
    """The report says what was asserted otherwise."""
    assert report["files"][0]["tier"] == tier, report["files"]
    assert (report["rows_in"], report["rows_out"]) == (ROWS, ROWS - gone), report
    assert report["unreadable"] == 0


@contextmanager
def without_extra() -> Iterator[None]:
    """As it is without polars-hash, in this process."""
    fast, hashing.fast = hashing.fast, lambda: None  # type: ignore[assignment]
    try:
        yield
    finally:
        hashing.fast = fast


def timed(work: Callable[[], object], *, times: int = 1) -> float:
    """Seconds of the shortest of some runs: what else the machine does only ever adds."""
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


def show(name: str, ours: float, floor: float, *, goal: float | None = None) -> None:
    """Ours, the floor, the ratio."""
    wanted = f"  goal {goal} M rows/s" if goal else ""
    print(
        f"{name}: {ROWS / ours / 1e6:.2f} M rows/s; floor {ROWS / floor / 1e6:.2f}; ratio {ours / floor:.2f}{wanted}"
    )


if __name__ == "__main__":
    main()

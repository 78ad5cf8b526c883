"""A feed of ten million fingerprints: its first sync, a day's delta of 10,000, opening it again. `make bench-feed`.

Everything is verified as ever: signed note, receipt, the log's growth, each file's digest, the whole set's. Files come from
memory, so the figures are of the client. The limits beside them are of the same run: decoding the Parquet files alone, and
hashing their bytes alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.filter import NOW, ORIGIN, put, timed
from byline.client.feed import Feed
from byline.client.state import State
from byline.client.sync import sync
from byline.client.transport import Transport
from byline.formats import canonical, checkpoint, entries, keyfeed, merkle, note, receipt
from byline.formats.categories import EVERYTHING
from byline.formats.feedhead import note_text
from byline.formats.keys import PrivateKey
from byline.formats.keyset import KeySet, applied, cut, whole
from byline.formats.tiles import parse_path

KEYS, NEW, SHARD = 10_000_000, 10_000, 2_097_152
FIRST, DELTA, PER_KEY = 0.5, 0.2, 6.0
"""Goals: seconds for the base, seconds for a delta, bytes a key on the disk of who serves it."""


class Registry:
    """One registry's feed and log, in memory."""

    def __init__(self) -> None:
        """No head yet."""
        self.key = PrivateKey.generate()
        self.vkey = note.vkey(ORIGIN, self.key.public)
        self.files: dict[str, bytes] = {}
        self.leaves: list[bytes] = []
        self.seq = 0

    def publish(self, keys: KeySet, base: Sequence[dict[str, Any]], deltas: Sequence[dict[str, Any]]) -> None:
        """Sign the next head and log it."""
        self.seq += 1
        now = NOW + dt.timedelta(days=self.seq)
        head = canonical.dumps(
            {
                "v": 1, "origin": ORIGIN, "seq": self.seq, "time": canonical.timestamp(now), "canon": "b1",
                "expires": canonical.timestamp(now + dt.timedelta(days=30)), "interval_s": 86_400, "hosts_n": 0,
                "log_size": len(self.leaves),
                "keys": {"n": len(keys.k), "set_sha256": keyfeed.set_sha256(*keys), "base": list(base), "base_seq": 1,
                         "deltas": list(deltas), "removals": []},
                "rows": {"parts": 256, "index": {}},
                "coverage": {"opt_outs": 9, "as_fingerprints": 9, "rows_only": 0, "publisher_only": 0, "not_expressible": 0},
            }
        )  # fmt: skip
        digest = hashlib.sha256(head).hexdigest()
        self.files |= {"head.json": head, f"files/{digest}.json": head}
        self.files["head.note"] = note.sign(note_text(ORIGIN, self.seq, digest), ORIGIN, self.key)
        self.leaves.append(entries.feed_entry(self.seq, digest, now))

    def file(self, data: bytes, rows: int) -> dict[str, Any]:
        """A file of keys, as a head names it."""
        return {**put(self.files, data, "parquet"), "bytes": len(data), "rows": rows}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """As a server would."""
        path = request.url.path
        if path == "/v1":
            return httpx.Response(200, json={"origin": ORIGIN, "vkey": self.vkey, "feed_seq": self.seq})
        found = self.files.get(path.removeprefix("/feed/v1/")) or self._logged(path)
        return httpx.Response(404) if found is None else httpx.Response(200, content=found)

    def _logged(self, path: str) -> bytes | None:
        hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]
        size, root = len(hashes), merkle.root(hashes)
        signed = checkpoint.write(checkpoint.Checkpoint(ORIGIN, size, root), self.key)
        if path == "/log/checkpoint":
            return signed
        if path.startswith("/log/tile/"):
            return b"".join(hashes[: parse_path(path.removeprefix("/log/tile/")).width])
        if path.startswith("/v1/receipts/"):
            at = next(n for n, leaf in enumerate(self.leaves) if path.rpartition("/")[2].encode() in leaf)
            proof = merkle.inclusion_proof(at, size, lambda wanted: [
                merkle.root(hashes[index << level : (index + 1) << level]) for level, index in wanted
            ])  # fmt: skip
            return receipt.write(receipt.Receipt(self.leaves[at], at, proof, signed))
        return None


def main(count: int) -> int:
    """Measure all, print all."""
    rng = np.random.default_rng(20261122)
    k = np.unique(rng.integers(0, 1 << 60, count + NEW + count // 100))
    fresh = np.sort(rng.choice(len(k), NEW, replace=False))
    new = KeySet(k[fresh], np.full(NEW, EVERYTHING, np.uint8))
    old = np.delete(k, fresh)[:count]
    base = KeySet(old, rng.choice(np.array([1, 3, 15, 31], np.uint8), len(old)))
    registry = Registry()
    shards = [registry.file(keyfeed.write(*piece), len(piece.k)) for piece in cut(base, SHARD)]
    size = sum(int(one["bytes"]) for one in shards)
    registry.publish(base, shards, ())
    with tempfile.TemporaryDirectory(prefix="byline-bench-") as folder:
        state = Path(folder)
        first = timed(lambda: pull(registry, state))
        opened = timed(lambda: Feed.open(state, now=NOW + dt.timedelta(days=1)))
        span = {"from": 1, "to": 2, "until": canonical.timestamp(NOW + dt.timedelta(days=2))}
        delta = registry.file(keyfeed.write_delta(new), NEW)
        registry.publish(whole(applied([base], new)), shards, [{**delta, **span}])
        second = timed(lambda: pull(registry, state))
        assert Feed.open(state, now=NOW + dt.timedelta(days=2)).head.keys == len(base.k) + NEW
    data = [registry.files[str(one["path"])] for one in shards]
    decoded = timed(lambda: [keyfeed.read(one) for one in data])
    hashed = timed(lambda: [hashlib.sha256(one).digest() for one in data])
    print(
        f"{len(base.k):,} fingerprints with categories, {size / len(base.k):.2f} B each (goal <= {PER_KEY:g};",
        end=" ",
    )
    print(f"limit {entropy(len(base.k)):.2f}, without their categories)")
    print(
        f"  first sync, all verified, on the disk  {first:6.2f} s   goal {FIRST} s; decoding alone {decoded:.2f} s, ",
        end="",
    )
    print(f"hashing alone {hashed:.2f} s; ratio to decoding {first / decoded:.1f}")
    print(f"  opened again, the whole set checked    {opened:6.2f} s")
    print(
        f"  a delta of {NEW:,} ({int(delta['bytes']) / 1e3:.0f} kB), verified  {second:6.2f} s   goal {DELTA} s"
    )
    print(
        f"  peak RSS of all this, the registry included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB"
    )
    return 0


def entropy(count: int) -> float:
    """Bytes each of `count` different numbers of 60 bits: log2 of how many such sets there are, by Stirling."""
    return (60 - math.log2(count) + math.log2(math.e)) / 8


def pull(registry: Registry, state: Path) -> None:
    """`byline sync`."""
    now = NOW + dt.timedelta(days=registry.seq)
    with Transport("http://bench", transport=httpx.MockTransport(registry.answer)) as transport:
        sync(transport, State(state, make=True), now=lambda: now)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else KEYS))

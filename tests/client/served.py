"""A registry of one feed, in memory, that can also lie."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from pyroaring import BitMap64

from byline.client.state import State
from byline.client.sync import Synced, sync
from byline.client.transport import Retry, Transport
from byline.formats import canonical, entries, keyfeed, merkle, note, receipt, rowfeed
from byline.formats import checkpoint as checkpoints
from byline.formats.categories import CATEGORIES, EVERYTHING
from byline.formats.checkpoint import Checkpoint
from byline.formats.feedhead import note_text
from byline.formats.keyfeed import Removals
from byline.formats.keys import PrivateKey
from byline.formats.keyset import EMPTY, KeySet, changed, lost
from byline.formats.receipt import Receipt
from byline.formats.tiles import parse_path

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ORIGIN = "byline.example.org"
KEY = PrivateKey(hashlib.sha256(b"tests: log").digest())
COVERAGE = {"opt_outs": 5, "as_fingerprints": 2, "rows_only": 1, "publisher_only": 1, "not_expressible": 1}


def row_entry(rows: Mapping[str, Sequence[int]], **more: Any) -> dict[str, Any]:
    """What a row index says about one file; `rows` by label, `any` included."""
    return {
        "dataset": "pub/set", "version": "1", "role": "holder", "holder_approved": True, "records": 0,
        "column": None, "column_sha256": None, "rows": rows, **more,
    }  # fmt: skip


@dataclass
class Served:
    """Files under /feed/v1/, and GET /v1."""

    key: PrivateKey = KEY
    origin: str = ORIGIN
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    told_seq: int = 0
    leaves: list[bytes] = field(default_factory=lambda: [b"an entry before"])
    keys: KeySet = EMPTY
    deltas: list[dict[str, Any]] = field(default_factory=list)
    removals: list[dict[str, Any]] = field(default_factory=list)
    labels: set[tuple[str, str, str]] = field(default_factory=set)
    is_mirror: bool = False

    @property
    def vkey(self) -> str:
        """The registry's key."""
        return note.vkey(self.origin, self.key.public)

    def publish(
        self,
        keys: Mapping[int, int] | None = None,
        *,
        seq: int = 1,
        rows: Mapping[str, Sequence[dict[str, Any]]] | None = None,
        time: dt.datetime = NOW,
        lifetime: dt.timedelta = dt.timedelta(days=7),
        hosts: int = 0,
        silent: bool = False,
    ) -> dict[str, Any]:
        """Write a whole feed: fingerprints with category bits, and row entries by file digest.

        What left since the head before is said, unless `silent`.
        """
        ascending = sorted(keys or {})
        k = np.array(ascending, dtype=np.int64)
        c = np.array([(keys or {})[one] for one in ascending], dtype=np.uint8)
        self._change(KeySet(k, c), seq, time, silent=silent)
        data = keyfeed.write(k, c)
        head: dict[str, Any] = {
            "v": 1, "origin": self.origin, "seq": seq, "time": canonical.timestamp(time), "canon": "b1",
            "expires": canonical.timestamp(time + lifetime), "interval_s": 0, "log_size": 9, "hosts_n": hosts,
            "keys": {
                "n": len(k), "set_sha256": keyfeed.set_sha256(k, c), "base_seq": seq,
                "deltas": [one for one in self.deltas if one["to"] <= seq],
                "removals": [one for one in self.removals if one["to"] <= seq],
                "base": [{**self.put(data, "parquet"), "bytes": len(data), "rows": len(k)}],
            },
            "rows": {"parts": 256, "index": self._index(rows or {}, silent=silent)},
            "coverage": COVERAGE,
        }  # fmt: skip
        self.serve(head)
        return head

    def serve(self, head: dict[str, Any]) -> None:
        """Sign a head and make it the present one."""
        data = canonical.dumps(head)
        sha256 = hashlib.sha256(data).hexdigest()
        self.files["head.json"] = data
        self.files[f"files/{sha256}.json"] = data
        self.files["head.note"] = note.sign(
            note_text(self.origin, head["seq"], sha256), self.origin, self.key
        )
        self.told_seq = head["seq"]
        self.leaves.append(entries.feed_entry(head["seq"], sha256, NOW))

    @property
    def checkpoint(self) -> bytes:
        """The log as it is now, signed."""
        root = merkle.root([merkle.leaf_hash(leaf) for leaf in self.leaves])
        return checkpoints.write(Checkpoint(self.origin, len(self.leaves), root), self.key)

    def nodes(self, wanted: Sequence[merkle.Node]) -> list[bytes]:
        """Full subtrees of the log."""
        hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]
        return [merkle.root(hashes[index << level : (index + 1) << level]) for level, index in wanted]

    def receipt(self, sha256: str) -> bytes | None:
        """The receipt of a head."""
        found = [at for at, leaf in enumerate(self.leaves) if sha256.encode() in leaf]
        if not found:
            return None
        index = found[0]
        proof = merkle.inclusion_proof(index, len(self.leaves), self.nodes)
        return receipt.write(Receipt(self.leaves[index], index, proof, self.checkpoint))

    def logged(self, path: str) -> bytes | None:
        """What lies below /log/ and /v1/receipts/."""
        if path == "/log/checkpoint":
            return self.checkpoint
        if path.startswith("/v1/receipts/"):
            return self.receipt(path.removeprefix("/v1/receipts/"))
        if path.startswith("/log/tile/"):
            tile = parse_path(path.removeprefix("/log/tile/"))
            hashes = [merkle.leaf_hash(leaf) for leaf in self.leaves]
            return b"".join(hashes[: tile.width]) if (tile.level, tile.index) == (0, 0) else None
        return None

    def put(self, data: bytes, ending: str) -> dict[str, str]:
        """A file under its digest."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.files[f"files/{sha256}.{ending}"] = data
        return {"path": f"files/{sha256}.{ending}", "sha256": sha256}

    def answer(self, request: httpx.Request) -> httpx.Response:
        """As the registry would."""
        path = request.url.path
        self.asked.append(path)
        if path == "/v1" and not self.is_mirror:
            body = {"origin": self.origin, "vkey": self.vkey, "feed_seq": self.told_seq or None}
            return httpx.Response(200, json=body)
        found = self.files.get(path.removeprefix("/feed/v1/")) or self.logged(path)
        problem = {"code": "no-such-file", "title": "Not Found", "status": 404}
        return httpx.Response(404, json=problem) if found is None else httpx.Response(200, content=found)

    def sync(self, folder: Path, *, now: dt.datetime = NOW, **how: Any) -> Synced:
        """`byline sync` into a folder."""
        retry = Retry(attempts=1, sleep=lambda _: None)
        with Transport("http://test", transport=httpx.MockTransport(self.answer), retry=retry) as transport:
            return sync(transport, State(folder, make=True), now=lambda: now, patience=0.0, **how)

    def _change(self, keys: KeySet, seq: int, time: dt.datetime, *, silent: bool) -> None:
        """Write what changed since the head before, if this is a later one."""
        change, last = changed(self.keys, keys), self.told_seq
        gone = lost(self.keys, change)
        if last and seq > last:
            span = {"to": seq, "until": canonical.timestamp(time)}
            start = self.deltas[-1]["to"] if self.deltas else last
            data = keyfeed.write_delta(change)
            self.deltas = [*self.deltas, {**span, "from": start, **self._sized(data, len(change.k))}]
            said = Removals(gone.k, gone.c, np.ones(len(gone.k), np.uint8))
            start = self.removals[-1]["to"] if self.removals else last
            data = keyfeed.write_removals(said)
            if len(gone.k) and not silent:
                self.removals = [*self.removals, {**span, "from": start, **self._sized(data, len(said.k))}]
        self.keys = keys

    def _sized(self, data: bytes, rows: int) -> dict[str, Any]:
        return {**self.put(data, "parquet"), "bytes": len(data), "rows": rows}

    def _index(
        self, rows: Mapping[str, Sequence[dict[str, Any]]], *, silent: bool
    ) -> dict[str, dict[str, str]]:
        parts: dict[str, dict[str, Any]] = {}
        for digest, said in rows.items():
            part = parts.setdefault(digest[:2], {"files": {}, "gone": {}})
            part["files"][digest] = [self._entry(one) for one in said]
        labels = {(digest, one["dataset"], one["version"]) for digest, said in rows.items() for one in said}
        for digest, dataset, version in sorted(self.labels - labels) if not silent else ():
            part = parts.setdefault(digest[:2], {"files": {}, "gone": {}})
            gone = {"dataset": dataset, "version": version, "reason": "retracted"}
            part["gone"].setdefault(digest, []).append(gone)
        self.labels |= labels
        return {part: self.put(canonical.dumps(one), "json") for part, one in parts.items()}

    def _entry(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        bitmaps = {label: self._bitmap(entry["rows"].get(label, ())) for label in ("any", *CATEGORIES)}
        removed = {reason: self._bitmap(rows) for reason, rows in entry.get("removed", {}).items()}
        said = {name: value for name, value in entry.items() if name != "rows"}
        return {**said, "bitmaps": bitmaps, "removed": removed}

    def _bitmap(self, rows: Sequence[int]) -> dict[str, Any]:
        return {**self.put(rowfeed.write(BitMap64(rows)), "puffin"), "n": len(rows)} if rows else {"n": 0}


def one_head(file: str) -> Served:
    """A registry with one head that names this file."""
    made = Served()
    rows = {file: [row_entry({"any": [3, 7], "train-other": [3]}, records=9)]}
    made.publish(every([1, 5, 1 << 59]), rows=rows)
    return made


def every(keys: Sequence[int]) -> dict[int, int]:
    """Keys that object to everything."""
    return dict.fromkeys(keys, EVERYTHING)


def evidence(folder: Path, code: str) -> Any:
    """The one file of evidence for this error in a state or a mirror."""
    (path,) = (folder / "evidence").glob(f"{code}-*.json")
    return json.loads(path.read_bytes())

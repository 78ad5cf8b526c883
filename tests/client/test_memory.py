"""Ten million fingerprints fit into 150 MB of a process, without extras: they are mapped, and given back."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byline.formats import keyfeed
from byline.formats.keyset import KeySet, SetDigest, cut
from tests.client.loopback import listening
from tests.client.served import Served

MANY, PER_FILE = 10_000_000, 1 << 21
MOST = 150 << 20

# VmHWM is of this program alone; what getrusage tells may be of the process that started it.
_MEASURED = """
import sys
sys.modules["polars_hash"] = None  # of the extra `fast`, which takes memory for speed
from byline.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        print(next(line for line in status if line.startswith("VmHWM")).split()[1], file=sys.stderr)
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


def fingerprints() -> KeySet:
    """Spread evenly over 60 bits, as digests are; one in eight objects to less than everything."""
    rng = np.random.default_rng(1)
    k = np.cumsum(rng.integers(1, 2 * keyfeed.LIMIT // MANY - (1 << 24), MANY, dtype=np.int64))
    return KeySet(k, rng.choice(np.array([31] * 7 + [3], np.uint8), MANY))


def keys_of(served: Served, keys: KeySet) -> dict[str, Any]:
    """The member `keys` of a head, with a base of five files."""
    base, digest = [], SetDigest()
    for piece in cut(keys, PER_FILE):
        data = keyfeed.write(*piece)
        base.append({**served.put(data, "parquet"), "bytes": len(data), "rows": len(piece.k)})
        digest.update(piece)
    return {"n": len(keys.k), "set_sha256": digest.hexdigest(), "base_seq": 1, "base": base}


def peak(*words: str | Path, stdin: str = "") -> int:
    """The most bytes that a run of the command held in memory, mapped files and libraries included."""
    command = [sys.executable, "-c", _MEASURED, *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=stdin)
    return int(done.stderr.split()[-1]) << 10


def test_ten_million_fingerprints_are_synced_and_asked_in_150_mb(tmp_path: Path) -> None:
    keys, served, now = fingerprints(), Served(), dt.datetime.now(dt.UTC)
    head = served.publish(time=now)
    served.serve(head | {"keys": keys_of(served, keys)})
    state = tmp_path / "state"
    with listening(served) as loopback:
        synced = peak("sync", "--registry", loopback.url, "--state", state)
    urls = "".join(f"https://live.staticflickr.com/1/{at}_0123456789.jpg\n" for at in range(200_000))
    asked = peak("filter", "-", "-o", "-", "--state", state, "--jobs", "1", stdin=urls)
    assert max(synced, asked) <= MOST, (synced, asked)

"""A log's bytes, made the long way round from the specifications, sharing no code with the registry.

RFC 6962 section 2.1, c2sp.org/tlog-tiles, /tlog-checkpoint, /signed-note, /tlog-proof. `python tests/vectors/make_log.py`
writes tests/vectors/log.json.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "log.example/2026"
SEED = hashlib.sha256(b"byline vectors: log").digest()
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
ROOTS = [
    *range(18),
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    129,
    255,
    256,
    257,
    511,
    512,
    513,
    600,
    65_535,
    65_536,
    65_537,
]
INCLUSIONS = [
    (0, 1),
    (0, 2),
    (1, 2),
    (2, 3),
    (5, 7),
    (6, 7),
    (0, 256),
    (255, 256),
    (256, 257),
    (100, 600),
    (599, 600),
]
CONSISTENCIES = [
    (1, 2),
    (2, 3),
    (3, 7),
    (4, 7),
    (6, 7),
    (8, 8),
    (255, 257),
    (256, 257),
    (256, 512),
    (257, 600),
    (1, 600),
]
TILES = [
    (0, 0, 1),
    (0, 0, 255),
    (0, 0, 256),
    (0, 1, 1),
    (0, 255, 256),
    (0, 256, 1),
    (1, 0, 1),
    (1, 0, 256),
    (2, 0, 1),
]
BUNDLES = [(0, 1), (0, 256), (1, 1), (255, 256), (256, 1)]


def entry(at: int) -> bytes:
    """What entry `at` is: no Byline entry, just bytes of different lengths, the first of them empty."""
    return b"" if at == 0 else b"entry %d " % at + b"." * (at % 7)


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    if end - start < 2:
        return hashlib.sha256(b"\x00" + entry(start) if end > start else b"").digest()
    return hashlib.sha256(
        b"\x01" + mth(start, start + half(end - start)) + mth(start + half(end - start), end)
    ).digest()


def half(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def path(index: int, start: int, end: int) -> list[bytes]:
    """PATH(index, D[start:end])."""
    if end - start == 1:
        return []
    middle = start + half(end - start)
    if start + index < middle:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(start + index - middle, middle, end), mth(start, middle)]


def subproof(old: int, start: int, end: int, *, whole: bool = True) -> list[bytes]:
    """SUBPROOF(old, D[start:end], whole)."""
    if old == end - start:
        return [] if whole else [mth(start, end)]
    count = half(end - start)
    if old <= count:
        return [*subproof(old, start, start + count, whole=whole), mth(start + count, end)]
    return [*subproof(old - count, start + count, end, whole=False), mth(start, start + count)]


def tile_path(level: str, index: int, width: int) -> str:
    """`<L>/<N>[.p/<W>]`."""
    groups = [index % 1000]
    while index := index // 1000:
        groups.insert(0, index % 1000)
    number = "/".join([f"x{one:03d}" for one in groups[:-1]] + [f"{groups[-1]:03d}"])
    return f"{level}/{number}" + (f".p/{width}" if width < 256 else "")


def tile(level: int, index: int, width: int) -> bytes:
    """Its hashes, one after another."""
    span = 256**level
    return b"".join(mth((index * 256 + at) * span, (index * 256 + at + 1) * span) for at in range(width))


def bundle(index: int, width: int) -> bytes:
    """Its entries, each after its length."""
    found = [entry(index * 256 + at) for at in range(width)]
    return b"".join(len(one).to_bytes(2, "big") + one for one in found)


def key_id() -> bytes:
    """The first four bytes of SHA-256(name, newline, type, key)."""
    return hashlib.sha256(ORIGIN.encode() + b"\n\x01" + public()).digest()[:4]


def public() -> bytes:
    """The 32 bytes of the public key."""
    return KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def text(data: bytes) -> str:
    """Base64."""
    return base64.b64encode(data).decode()


def checkpoint(size: int) -> str:
    """A signed note of origin, size and root."""
    body = f"{ORIGIN}\n{size}\n{text(mth(0, size))}\n"
    return f"{body}\n— {ORIGIN} {text(key_id() + KEY.sign(body.encode()))}\n"


def proof_file(index: int, size: int) -> str:
    """A tlog-proof that carries its entry."""
    lines = [
        "c2sp.org/tlog-proof@v1",
        f"extra {text(entry(index))}",
        f"index {index}",
        *map(text, path(index, 0, size)),
    ]
    return "\n".join(lines) + "\n\n" + checkpoint(size)


def vectors() -> dict[str, Any]:
    """All of it."""
    return {
        "entries": "entry 0 is empty; entry n is 'entry <n> ' and n % 7 full stops",
        "origin": ORIGIN,
        "seed": SEED.hex(),
        "vkey": f"{ORIGIN}+{key_id().hex()}+{text(bytes([1]) + public())}",
        "roots": {str(size): mth(0, size).hex() for size in ROOTS},
        "inclusion": [
            {"index": index, "size": size, "proof": [one.hex() for one in path(index, 0, size)]} for index, size in INCLUSIONS
        ],
        "consistency": [
            {"old": old, "new": new, "proof": [one.hex() for one in subproof(old, 0, new)]} for old, new in CONSISTENCIES
        ],
        "tiles": [
            {"path": tile_path(str(level), index, width), "sha256": hashlib.sha256(tile(level, index, width)).hexdigest()}
            for level, index, width in TILES
        ],
        "bundles": [
            {"path": tile_path("entries", index, width), "sha256": hashlib.sha256(bundle(index, width)).hexdigest()}
            for index, width in BUNDLES
        ],
        "checkpoints": {str(size): checkpoint(size) for size in (0, 1, 7, 256, 65_537)},
        "proofs": [{"index": index, "size": size, "file": proof_file(index, size)} for index, size in ((0, 1), (5, 7), (256, 257))],
    }  # fmt: skip


def written() -> str:
    """The file."""
    return json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it."""
    Path(__file__).with_name("log.json").write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Which rows of one file are opted out: a roaring bitmap as an Iceberg deletion vector in a Puffin file.

Blob (Iceberg Puffin spec, "deletion-vector-v1"): `u32 BE length of magic+bitmap`, magic `D1 D3 39 64`, the
64-bit
roaring bitmap in portable form, `u32 BE CRC-32 of magic+bitmap`. Around it Puffin v1: `PFA1`, blob, and a
footer.
The same rows always give the same bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from pyroaring import BitMap64

from byline.errors import Refused

MAGIC = b"PFA1"
BLOB_MAGIC = bytes.fromhex("d1d33964")
BLOB_TYPE = "deletion-vector-v1"
ROW_POSITION = 2_147_483_645  # Iceberg's reserved field id of _pos
MOST_FOOTER = 64 * 1024
_TAIL = struct.Struct("<iI")  # footer payload size, flags; then the magic


def write(rows: BitMap64, *, file_sha256: str = "") -> bytes:
    """A whole Puffin file; `file_sha256` names the data file the ordinals belong to."""
    packed = BitMap64(rows)
    packed.run_optimize()
    blob = write_blob(packed)
    footer: dict[str, Any] = {
        "blobs": [
            {
                "type": BLOB_TYPE,
                "fields": [ROW_POSITION],
                "snapshot-id": -1,
                "sequence-number": -1,
                "offset": len(MAGIC),
                "length": len(blob),
                "properties": {
                    "referenced-data-file": f"sha256:{file_sha256}",
                    "cardinality": str(len(packed)),
                },
            }
        ],
        "properties": {"created-by": "byline"},
    }
    payload = json.dumps(footer, separators=(",", ":")).encode()
    return MAGIC + blob + MAGIC + payload + _TAIL.pack(len(payload), 0) + MAGIC


def read(data: bytes) -> BitMap64:
    """The rows of a Puffin file; Refused("bad-row-feed") for anything but one whole deletion vector."""
    if len(data) < 3 * len(MAGIC) + _TAIL.size or data[:4] != MAGIC or data[-4:] != MAGIC:
        raise _bad("it is no Puffin file")
    size, flags = _TAIL.unpack(data[-12:-4])
    start = len(data) - 12 - size
    if flags != 0 or not 0 < size <= MOST_FOOTER or start < 8 or data[start - 4 : start] != MAGIC:
        raise _bad("its footer is not where it says")
    blob = _only_blob(data[start:-12])
    offset, length = blob["offset"], blob["length"]
    if offset != len(MAGIC) or length < 0 or offset + length != start - len(MAGIC):
        raise _bad("its blob is not where it says")
    rows = read_blob(data[offset : offset + length])
    if str(len(rows)) != blob["cardinality"]:
        raise _bad("it holds another number of rows than it says")
    return rows


def write_blob(rows: BitMap64) -> bytes:
    """The `deletion-vector-v1` blob alone."""
    body = BLOB_MAGIC + rows.serialize()
    return struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))


def read_blob(blob: bytes) -> BitMap64:
    """The rows of a blob; Refused("bad-row-feed") where length, magic or CRC-32 do not hold."""
    if len(blob) < 12 or struct.unpack(">I", blob[:4])[0] != len(blob) - 8 or blob[4:8] != BLOB_MAGIC:
        raise _bad("its blob is no deletion vector")
    body = blob[4:-4]
    if struct.unpack(">I", blob[-4:])[0] != zlib.crc32(body):
        raise _bad("its checksum does not hold")
    try:
        return BitMap64.deserialize(body[4:])
    except ValueError as error:
        raise _bad("its bitmap cannot be read") from error


def _only_blob(payload: bytes) -> dict[str, Any]:
    try:
        footer = json.loads(payload)
        (blob,) = footer["blobs"]
        found = {
            "offset": blob["offset"],
            "length": blob["length"],
            "cardinality": blob["properties"]["cardinality"],
        }
        kind, codec = blob["type"], blob.get("compression-codec")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad("its footer cannot be read") from error
    if (
        kind != BLOB_TYPE
        or codec is not None
        or type(found["offset"]) is not int
        or type(found["length"]) is not int
    ):
        raise _bad("its blob is of another kind")
    return found


def _bad(why: str) -> Refused:
    return Refused("bad-row-feed", f"this is no row feed: {why}")

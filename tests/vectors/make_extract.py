"""Digests of extracts and of single columns, made the long way round from docs/formats/extract.md.

`python tests/vectors/make_extract.py` writes tests/vectors/extract.json.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path

BLOCK = 65_536
NULL = 0xFFFFFFFF
Row = Sequence[int | str | None]


def extract_digest(fields: Sequence[str], rows: Sequence[Row]) -> str:
    """`rows`: file, row, then the fields' values."""
    head = b"byline extract v1\n" + json.dumps(list(fields), separators=(",", ":")).encode() + b"\n"
    return _digest(head, "IQ", rows)


def column_digest(rows: Sequence[Row]) -> str:
    """`rows`: row, value."""
    return _digest(b"byline column v1\n", "Q", rows)


def _digest(head: bytes, numbers: str, rows: Sequence[Row]) -> str:
    whole = hashlib.sha256(head)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        whole.update(struct.pack("<I", len(block)))
        for place, kind in enumerate(numbers):
            whole.update(b"".join(struct.pack(f"<{kind}", row[place]) for row in block))
        for place in range(len(numbers), len(block[0])):
            texts = [None if row[place] is None else str(row[place]).encode() for row in block]
            whole.update(b"".join(struct.pack("<I", NULL if text is None else len(text)) for text in texts))
            whole.update(b"".join(text or b"" for text in texts))
    return whole.hexdigest()


EXTRACTS: list[tuple[list[str], list[Row]]] = [
    (["url"], []),
    (["url"], [(0, 0, "https://example.org/a.jpg")]),
    (["url", "creator_name", "item_id"], [(0, 0, "https://example.org/a.jpg", "Zoë", "1"), (0, 2, None, "李", None)]),
    (["landing_url", "title"], [(0, 7, None, None), (1, 0, "https://example.org/b", "a\nb"), (1, 1, None, "🖼")]),
    (["url", "landing_url", "creator_name", "creator_url", "creator_id", "license", "title", "sha256", "item_id"],
     [(3, 9, "u", "l", "n", "c", "i", "y", "t", "s", "d")]),
]  # fmt: skip
MANY = [(at, None if at % 7 == 0 else f"item {at}") for at in range(0, 140_000, 2)]


def main() -> None:
    """Write the vectors."""
    made = {
        "extracts": [
            {"fields": fields, "rows": rows, "sha256": extract_digest(fields, rows)}
            for fields, rows in EXTRACTS
        ],
        "columns": [
            {"rows": [], "sha256": column_digest([])},
            {
                "rows": [[0, "a"], [1, None], [5, "é"]],
                "sha256": column_digest([(0, "a"), (1, None), (5, "é")]),
            },
        ],
        "more than a block": {
            "rows": "row 2n for n < 70,000: null where the row is divisible by 7, else 'item <row>'",
            "sha256": column_digest(MANY),
        },
    }
    path = Path(__file__).with_name("extract.json")
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

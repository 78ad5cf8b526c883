"""Sixteen odd CSVs, and which numbered rows they are. `python tests/vectors/make_csv.py` writes tests/vectors/csv/.

Each expectation is written down here by hand; where a common reader differs, the comment says how. A row is its fields,
or the code of what is wrong with it; its place in the list is its number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "csv"
TEN = "1234567890" * 7_000


@dataclass(frozen=True)
class Odd:
    """One file: its bytes, its columns, its rows by number."""

    name: str
    data: bytes
    rows: list[list[str] | str]
    columns: tuple[str, ...] = ("id", "url")
    delimiter: str = ","
    quoting: bool = True


ODD = [
    # Python's csv without utf-8-sig calls the first column "\ufeffid".
    Odd("01-bom", b"\xef\xbb\xbfid,url\n1,a\n2,b\n", [["1", "a"], ["2", "b"]]),
    Odd("02-mixed-line-ends", b"id,url\r\n1,a\n2,b\r\n3,c", [["1", "a"], ["2", "b"], ["3", "c"]]),
    # A line break between quotes is data, CRLF stays CRLF.
    Odd("03-quoted-line-breaks", b'id,url\n1,"a\nb"\n2,"c\r\nd"\n', [["1", "a\nb"], ["2", "c\r\nd"]]),
    Odd("04-blank-lines", b"\n\nid,url\n\n1,a\n\r\n\n2,b\n\n", [["1", "a"], ["2", "b"]]),
    # Python's csv takes it as data; DuckDB's sniffer may change the dialect.
    Odd("05-stray-quote", b'id,url\n1,a"b\n2,"c"d\n3,e\n', ["stray-quote", "stray-quote", ["3", "e"]]),
    # Python's csv swallows the rest of the file.
    Odd("06-unclosed-quote", b'id,url\n1,"a\n2,b\n3,c\n', ["unclosed-quote", ["2", "b"], ["3", "c"]]),
    Odd("07-short-row", b"id,url\n1\n2,b\n,\n", ["short-row", ["2", "b"], ["", ""]]),
    Odd("08-long-row", b'id,url\n1,a,x\n2,b,\n3,"c,d"\n', ["long-row", "long-row", ["3", "c,d"]]),
    Odd("09-nul", b"id,url\n1,a\0b\n2,b\n", ["nul-character", ["2", "b"]]),
    Odd("10-bad-utf8", b"id,url\n1,caf\xe9\n2,caf\xc3\xa9\n", ["not-utf8", ["2", "café"]]),
    # Arrow and DuckDB may skip it as a comment.
    Odd("11-comments", b"id,url\n#1,a\n# a comment\n2,#b\n", [["#1", "a"], "short-row", ["2", "#b"]]),
    # A backslash escapes nothing.
    Odd("12-backslashes", b'id,url\n1,a\\,\n2,"b\\"\n3,\\N\n', ["long-row", ["2", "b\\"], ["3", "\\N"]]),
    # Arrow ends a line there.
    Odd("13-bare-carriage-return", b"id,url\n1,a\rb\n2,b\n", ["bare-carriage-return", ["2", "b"]]),
    Odd("14-doubled-quotes", b'id,url\n1,"a""b"\n2,""\n3,""""\n', [["1", 'a"b'], ["2", ""], ["3", '"']]),
    # Longer than 64 KiB: one bad row, and reading goes on at the next line.
    Odd("15-too-long", f"id,url\n1,{TEN}\n2,b\n".encode(), ["row-too-long", ["2", "b"]]),
    Odd(
        "16-tabs-without-quoting",
        b'id\turl\n1\t"a\n2\tb"c\n\t\n',
        [["1", '"a'], ["2", 'b"c'], ["", ""]],
        delimiter="\t",
        quoting=False,
    ),
]


def main() -> None:
    """Write every file and what it holds."""
    HERE.mkdir(exist_ok=True)
    for one in ODD:
        (HERE / f"{one.name}.csv").write_bytes(one.data)
        expected = {
            "delimiter": one.delimiter,
            "quoting": one.quoting,
            "columns": list(one.columns),
            "rows": [
                {"row": at, "values": row} if isinstance(row, list) else {"row": at, "bad": row}
                for at, row in enumerate(one.rows)
            ],
        }
        (HERE / f"{one.name}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

"""The reader of CSV as one would write it from docs/formats/records.md, one character at a time."""

from __future__ import annotations

LONGEST = 64 << 10


def read(
    data: bytes, *, delimiter: str = ",", quoting: bool = True, longest: int = LONGEST
) -> list[list[str] | str]:
    """Every record in order: its fields, or the code of what is wrong with it."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    records: list[list[str] | str] = []
    at = 0
    while at < len(data):
        if data[at : at + 1] == b"\n" or data[at : at + 2] == b"\r\n":
            at += 1 if data[at : at + 1] == b"\n" else 2
            continue
        fields, end, after = _record(data, at, (delimiter.encode(), quoting, longest))
        records.append(fields if isinstance(fields, str) else _texts(fields, data[at:end]))
        at = after
    return records


def _texts(fields: list[bytes], whole: bytes) -> list[str] | str:
    if b"\0" in whole:
        return "nul-character"
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return "not-utf8"
    return [field.decode() for field in fields]


def _record(  # noqa: C901, PLR0911, PLR0912 - one character after the other, on purpose
    data: bytes, start: int, how: tuple[bytes, bool, int]
) -> tuple[list[bytes] | str, int, int]:
    delimiter, quoting, longest = how
    newline = data.find(b"\n", start)
    resume = len(data) if newline < 0 else newline + 1
    fields = []
    at = start
    while True:
        field = bytearray()
        if quoting and data[at : at + 1] == b'"':
            at += 1
            while True:
                # A closing quote may be the last byte before the longest line break, no further.
                if at >= len(data) or at >= start + longest + 2:
                    return "unclosed-quote", at, resume
                if data[at : at + 1] != b'"':
                    field += data[at : at + 1]
                    at += 1
                elif data[at + 1 : at + 2] == b'"' and at + 1 < start + longest + 2:
                    field += b'"'
                    at += 2
                else:
                    at += 1
                    break
        else:
            while (
                at < len(data)
                and data[at : at + 1] not in (delimiter, b"\n", b"\r")
                and not (quoting and data[at : at + 1] == b'"')
            ):
                field += data[at : at + 1]
                at += 1
        if at - start > longest:
            return "row-too-long", at, resume
        fields.append(bytes(field))
        if at == len(data):
            return fields, at, at
        if data[at : at + 1] == b"\n":
            return fields, at, at + 1
        if data[at : at + 2] == b"\r\n":
            return fields, at, at + 2
        if data[at : at + 1] == b"\r":
            return "bare-carriage-return", at, resume
        if data[at : at + 1] != delimiter:
            return "stray-quote", at, resume
        at += 1

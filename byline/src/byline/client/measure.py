"""Between a manifest and the files: how they are read, what is in them, and the extract made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from byline.client import describe
from byline.client.describe import Measured
from byline.client.extract import Blinds, ExtractSummary, write_extract
from byline.client.sources import Source, expand, has_tabs
from byline.errors import NotFound, Refused
from byline.formats import canonical, envelope, manifest, presets, statements, withheld
from byline.formats.manifest import FIELDS, FORMATS, ManifestPredicate, RecordFile, Withholding
from byline.formats.numbered import ReadOptions

EXTRACT = "extract"
"""The one file of an observer who does not have the files."""
_TELL_EVERY = 1.0
"""Seconds between two lines of progress."""

_DIALECT = "Where quotes mean nothing in these files, say --no-quoting"
_WIDTH = "Is --delimiter right? A file without a header line needs --header A,B,C"
_HELPS = {
    "stray-quote": _DIALECT,
    "unclosed-quote": _DIALECT,
    "short-row": _WIDTH,
    "long-row": _WIDTH,
    "not-utf8": "Files in another encoding are converted first: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW",
    "row-too-long": "A record holds at most 64 KiB; pictures as text are left out first",
    "not-an-object": "Records in a member of a JSON document are named by --array",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Reading:
    """How the files are read, and what happens to rows that cannot be."""

    options: ReadOptions
    on_bad_rows: str = "reject"


def laid_out(words: Sequence[str], format_: str | None) -> ReadOptions:
    """How files are read before anything else is said: by the format given, or by the files' names."""
    sources = expand(words)
    told = format_ or told_by_name(sources)
    tabs = told == "csv" and all(has_tabs(source.name) for source in sources)
    return ReadOptions(format=told, columns={}, delimiter="\t" if tabs else ",")


def by_preset(words: Sequence[str], name: str) -> ReadOptions:
    """How files of a known layout are read: of its candidates for each field, the column the first file has.

    Refused("unknown-preset"), Refused("wrong-preset") where the file has none of them.
    """
    with expand(words)[0].open() as file:
        return presets.fitted(name, file)


def told_by_name(sources: Sequence[Source]) -> str:
    """The format that the files' names say; Refused("unknown-format") where they say none or several."""
    by_format: dict[str | None, str] = {}
    for source in sources:
        by_format.setdefault(source.format, source.name)
    told, example = next(iter(by_format.items()))
    if len(by_format) > 1:
        examples = ", ".join(f"{name} ({format_ or '?'})" for format_, name in by_format.items())
        raise Refused(
            "unknown-format",
            f"these files are of several formats: {examples}; name those of one",
            at="--records",
        )
    if told is None:
        raise Refused(
            "unknown-format",
            f"the name {example} tells no format; if it is one of them, say --format {'|'.join(FORMATS)} or --preset",
            at="--format",
        )
    return told


def measure(
    words: Sequence[str], reading: Reading, *, whole_files: bool, say: Say, blinds: Blinds | None = None
) -> Measured:
    """Read everything once: digests, counts, bad rows. Nothing is written.

    Refused("bad-rows") with the first 100 where there are any and they are not to be skipped.
    """
    check_columns(reading.options.columns)
    sources = _distinct(expand(words))
    summary = write_extract(
        sources, options=reading.options, out=None, progress=_progress(say), blinds=blinds
    )
    if summary.bad_rows and reading.on_bad_rows == "reject":
        raise Refused(
            "bad-rows", bad_rows_told(summary.bad_codes), details=[vars(one) for one in summary.bad]
        )
    files = [RecordFile(one.name, one.sha256, one.records) for one in summary.files]
    count = sum(one.records for one in files)
    if not whole_files:
        files = [RecordFile(EXTRACT, summary.sha256, count)]
    return Measured(
        files=files,
        format=reading.options.format,
        columns=reading.options.columns,
        extract_rows=summary.rows,
        extract_sha256=summary.sha256,
        bad_rows=summary.bad_rows,
        on_bad_rows=reading.on_bad_rows,
        options=_options(reading.options),
        withheld=Withholding(withheld.commitment(blinds.key), summary.column_sha256[: len(files)])
        if blinds
        else None,
    )


def bad_rows_told(codes: Mapping[str, int]) -> str:
    """How many rows cannot be read, of which kinds, and what usually helps, commonest first."""
    kinds = ", ".join(
        f"{count:,} {code}" for code, count in sorted(codes.items(), key=lambda one: (-one[1], one[0]))
    )
    helps = dict.fromkeys(
        _HELPS[code] for code in sorted(codes, key=codes.__getitem__, reverse=True) if code in _HELPS
    )
    return (
        f"{sum(codes.values()):,} rows cannot be read ({kinds}). "
        + "".join(f"{one}. " for one in helps)
        + "Else mend them, or say --on-bad-rows skip: they are then counted in public"
    )


def extract_for(
    signed: ManifestPredicate, words: Sequence[str], folder: Path, *, say: Say, key: bytes | None = None
) -> list[Path]:
    """Write the extract a manifest describes into `folder`, and check that it is that one; its parts.

    `key`: of rows that are withheld (`withholding_key`); without it these are written as they stand, to be looked at.
    Refused: `file-changed` or `extract-differs` where the files are not those the manifest was made of.
    """
    records = signed.records
    without_files = [one.name for one in records.files] == [EXTRACT] and records.files[
        0
    ].sha256 == records.extract_sha256
    sources = (
        expand(words) if without_files else _in_order(expand(words), [one.name for one in records.files])
    )
    options = ReadOptions(format=records.format, columns=records.columns, **vars(records.options))
    out = folder / "extract.parquet"
    blinds = Blinds(key, signed.dataset.dataset) if key is not None else None
    summary = write_extract(sources, options=options, out=out, progress=_progress(say), blinds=blinds)
    if not without_files:
        _same_files(records.files, summary)
    only_looked_at = records.withheld is not None and key is None
    if not only_looked_at and (summary.rows, summary.sha256) != (
        records.extract_rows,
        records.extract_sha256,
    ):
        raise Refused(
            "extract-differs", "these files do not give the extract the manifest names; run init again"
        )
    return [out]


def withholding_key(signed: ManifestPredicate, key: bytes | None) -> bytes | None:
    """The key that goes with a manifest, None where rows are named; Refused("withheld-key") where it is not this one."""
    if signed.records.withheld is None:
        if key is not None:
            raise Refused(
                "withheld-key",
                "this manifest names its rows; it was not made with --withheld",
                at="--withheld",
            )
        return None
    if key is None or withheld.commitment(key) != signed.records.withheld.key_sha256:
        raise Refused(
            "withheld-key",
            "this manifest withholds its rows: give --withheld with the key it was made with",
            at="--withheld",
        )
    return key


def signed_manifest(data: bytes) -> ManifestPredicate:
    """Read a signed manifest; its signature is not looked at."""
    return manifest.read_manifest(statements.open_statement(envelope.open_envelope(data)))


def any_manifest(data: bytes) -> Mapping[str, Any]:
    """The statement of a signed manifest, or a draft."""
    found = canonical.loads(data, max_bytes=envelope.MAX_ENVELOPE, floats=True)
    if isinstance(found, dict) and "payloadType" in found:
        opened = envelope.open_envelope(data)
        manifest.read_manifest(statements.open_statement(opened))
        return describe.read_draft(opened.payload)
    return describe.read_draft(data)


def check_columns(columns: Mapping[str, str]) -> None:
    """Refused where nothing, or something unknown, is mapped."""
    if not columns:
        raise Refused(
            "nothing-mapped", "say which columns are what: --map url=COLUMN …, or --preset", at="--map"
        )
    unknown = next((name for name in columns if name not in FIELDS), None)
    if unknown is not None:
        raise Refused("unknown-field", f"--map {unknown}=…: the fields are {', '.join(FIELDS)}", at="--map")


def _distinct(sources: Sequence[Source]) -> list[Source]:
    names = [source.name for source in sources]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refused(
            "same-name-twice", f"two files are called {twice}; give the folder above them", at="--records"
        )
    return list(sources)


def _in_order(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources with these names, in the manifest's order; one single file may have another name by now."""
    if len(sources) == len(names) == 1:
        return list(sources)
    by_name = {source.name: source for source in sources}
    by_last = {PurePosixPath(source.name).name: source for source in sources}
    found = [by_name.get(name) or by_last.get(PurePosixPath(name).name) for name in names]
    missing = [name for name, source in zip(names, found, strict=True) if source is None]
    if missing:
        raise NotFound("missing-file", f"--records does not hold {', '.join(missing[:5])}", at="--records")
    return [source for source in found if source is not None]


def _same_files(wanted: Sequence[RecordFile], summary: ExtractSummary) -> None:
    for one, read in zip(wanted, summary.files, strict=True):
        if (one.sha256, one.records) != (read.sha256, read.records):
            raise Refused(
                "file-changed",
                f"{one.name} is not the file the manifest was made of; run init again",
                at=one.name,
            )


def _options(options: ReadOptions) -> dict[str, Any]:
    plain = ReadOptions(format=options.format, columns={})
    said = {name: getattr(options, name) for name in ("delimiter", "quoting", "header", "array")}
    changed = {name: value for name, value in said.items() if value != getattr(plain, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}


def _progress(say: Say) -> Callable[[int], None]:
    last = time.monotonic()

    def tell(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _TELL_EVERY:
            last = time.monotonic()
            say(f"read {rows:,} rows")

    return tell

"""Writing what stays: in the format it came, other columns and order untouched, nothing seen before all is done."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from byline.errors import Refused
from byline.formats.numbered import NumberedBatch, Raw
from byline.formats.unpack import HEAD, compression

_PACKING = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zstd": "zstd"}

Keep = npt.NDArray[np.bool_]


class Drafts:
    """Files that take their place together, when the context ends well; else none of them is left."""

    def __init__(self) -> None:
        """Nothing is drafted."""
        self._drafts: dict[Path, Path] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Drafts:  # noqa: PYI034 - typing.Self is of Python 3.11
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put everything in its place, or nothing."""
        try:
            self._stack.close()
            if kind is None:
                for target, draft in self._drafts.items():
                    draft.replace(target)
        finally:
            for draft in self._drafts.values():
                draft.unlink(missing_ok=True)

    def draft(self, target: Path) -> Path:
        """A path beside the target to write to; Refused("same-output-twice")."""
        if target in self._drafts:
            raise Refused("same-output-twice", f"two files would be written to {target}", at=str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        self._drafts[target] = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        return self._drafts[target]

    def later(self, close: Callable[[], object]) -> None:
        """Run this before the drafts take their places."""
        self._stack.callback(close)


class Output:
    """Where the kept records of one file go."""

    def write(self, batch: NumberedBatch, keep: Keep) -> None:
        """Write a batch's kept records; `keep` has one flag for each record from `first_row`, bad ones included."""
        raise NotImplementedError

    def close(self) -> None:
        """All is written."""


class TextOutput(Output):
    """CSV and NDJSON: the bytes of dropped records are left out, all others are as they were."""

    def __init__(self, sink: Any) -> None:
        """Write to `sink`, which compresses or not."""
        self._sink = sink
        self._kept_last = True

    def write(self, batch: NumberedBatch, keep: Keep) -> None:
        """As Output."""
        if batch.raw is None:
            raise Refused("cannot-rewrite", "this format is not written; use --mask or --report-only")
        for piece in _kept_bytes(batch.raw, keep, kept_last=self._kept_last):
            self._sink.write(piece)
        if len(keep):
            self._kept_last = bool(keep[-1])

    def close(self) -> None:
        """As Output."""
        self._sink.close()


def _kept_bytes(raw: Raw, keep: Keep, *, kept_last: bool) -> list[memoryview]:
    data, at, pieces = memoryview(raw.data), 0 if kept_last else raw.lead, []
    for dropped in np.flatnonzero(~keep).tolist():
        pieces.append(data[at : int(raw.starts[dropped])])
        at = int(raw.ends[dropped])
    pieces.append(data[at:])
    return pieces


class ParquetOutput(Output):
    """Parquet with the same schema, metadata and compression."""

    def __init__(self, path: Path, like: pq.ParquetFile) -> None:
        """Write to `path` what is like another file."""
        metadata = like.metadata
        groups = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
        self._group = max(groups, default=1 << 20) or 1 << 20
        codec = metadata.row_group(0).column(0).compression if groups and metadata.num_columns else "ZSTD"
        self._writer = pq.ParquetWriter(path, like.schema_arrow, compression=_codec(codec))

    def write(self, batch: NumberedBatch, keep: Keep) -> None:
        """As Output."""
        if batch.whole is None:
            raise AssertionError("the reader was asked for all columns")
        rows = batch.whole if keep.all() else batch.whole.filter(pa.array(keep))
        if rows.num_rows:
            self._writer.write_batch(rows, row_group_size=self._group)

    def close(self) -> None:
        """As Output."""
        self._writer.close()


def _codec(name: str) -> str:
    return {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}.get(name, name.lower())


def text_sink(path: Path, *, packed: str | None) -> Any:
    """A writer that compresses ("gzip", "bzip2", "xz", "zstd") or not."""
    if packed == "gzip":
        return _Gzip(path)
    if packed == "zstd":
        return pa.CompressedOutputStream(pa.OSFile(str(path), "wb"), "zstd")
    if packed == "bzip2":
        return bz2.open(path, "wb")
    if packed == "xz":
        return lzma.open(path, "wb")
    return path.open("wb")


class _Gzip:
    """A gzip file without name and time in its header, so that the same records give the same bytes."""

    def __init__(self, path: Path) -> None:
        self._below = path.open("wb")
        self._file = gzip.GzipFile("", "wb", 6, self._below, mtime=0)

    def write(self, data: bytes | memoryview) -> None:
        """Compress."""
        self._file.write(data)

    def close(self) -> None:
        """Close this, and the file below, which gzip leaves open."""
        self._file.close()
        self._below.close()


def packing(target: Path, source: BinaryIO, *, renamed: bool) -> str | None:
    """How a text file is compressed: as its name says where it has a new one, else as it came."""
    suffix = target.suffix.lower()
    if renamed or suffix in _PACKING:
        return _PACKING.get(suffix)
    source.seek(0)
    found = compression(source.read(HEAD))
    source.seek(0)
    return found


class Mask(Output):
    """One flag a record over all files, in order: `.npy` (bool), else Parquet with file, row, keep."""

    def __init__(self) -> None:
        """Nothing was decided yet."""
        self._parts: list[tuple[str, Keep]] = []

    def add(self, name: str, keep: Keep) -> None:
        """The next file's flags."""
        self._parts.append((name, keep))

    def save(self, path: Path, *, like: Path) -> None:
        """Write to `path`, in the format the name of `like` says."""
        whole = np.concatenate([keep for _, keep in self._parts]) if self._parts else np.zeros(0, bool)
        if like.suffix.lower() in {".parquet", ".pq"}:
            pq.write_table(self._table(whole), path, compression="zstd")
            return
        buffer = io.BytesIO()
        np.save(buffer, whole, allow_pickle=False)
        path.write_bytes(buffer.getvalue())

    def _table(self, whole: Keep) -> pa.Table:
        names = pa.array([name for name, _ in self._parts], pa.string())
        places = np.repeat(
            np.arange(len(self._parts), dtype=np.int32), [len(keep) for _, keep in self._parts]
        )
        rows = [np.arange(len(keep), dtype=np.int64) for _, keep in self._parts] or [np.zeros(0, np.int64)]
        files = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), names)
        return pa.table({"file": files, "row": np.concatenate(rows), "keep": pa.array(whole)})

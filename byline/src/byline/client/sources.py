"""Files where they lie: a file, a folder, a glob, `s3://bucket/prefix`."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from byline.errors import NotFound, Refused

_BLOCK = 1 << 20
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
}
_PACKED = (".gz", ".zst", ".zstd", ".bz2", ".xz")
_NUMBERED = re.compile(r"[0-9]{1,6}$")
"""`photos.tsv000`: how warehouses number the parts they export."""
_GLOB = frozenset("*?[")


@dataclass(frozen=True)
class Source:
    """One file: where it is (a path or s3:// URL), and its name (relative to the folder that was named)."""

    where: str
    name: str

    @property
    def format(self) -> str | None:
        """The format its name says: csv, ndjson, json, parquet; None where it says nothing."""
        return format_of(self.name)

    @property
    def path(self) -> Path | None:
        """The path, where it is a local file."""
        return None if self.where.startswith("s3://") else Path(self.where)

    def open(self) -> BinaryIO:
        """The bytes, seekable. NotFound("no-such-file"), Refused("unreadable-file")."""
        if self.path is None:
            from byline.client.s3_files import (
                open_object,
            )  # boto3 takes a tenth of a second and 10 MB to import

            return open_object(self.where)
        try:
            return self.path.open("rb")
        except FileNotFoundError as error:
            raise NotFound("no-such-file", f"there is no file {self.where}", at=self.where) from error
        except OSError as error:
            raise Refused("unreadable-file", f"{self.where}: {error.strerror}", at=self.where) from error

    def sha256(self) -> str:
        """The digest of all bytes, in hex."""
        digest = hashlib.sha256()
        with self.open() as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


def format_of(name: str) -> str | None:
    """The format a file name says, compression put aside."""
    path = PurePosixPath(name.lower())
    if path.suffix in _PACKED:
        path = path.with_suffix("")
    return _SUFFIXES.get(_NUMBERED.sub("", path.suffix))


def has_tabs(name: str) -> bool:
    """Whether a file's name says that tabs separate its columns (`.tsv`, `.tsv.gz`, `.tsv000`)."""
    return any(_NUMBERED.sub("", suffix) == ".tsv" for suffix in PurePosixPath(name.lower()).suffixes)


def expand(words: Sequence[str | Path]) -> list[Source]:
    """All files that the words name, each once, in a stable order: words as given, folders and globs sorted.

    Folders are read through, but hidden files and files of no known format in them are left out. NotFound
    ("no-such-file"), Refused("no-files") where a word names nothing to read.
    """
    found: dict[str, Source] = {}
    for word in words:
        sources = _expand(str(word))
        if not sources:
            raise Refused("no-files", f"{word} holds no CSV, NDJSON, JSON or Parquet file", at=str(word))
        for source in sources:
            found.setdefault(source.where, source)
    return list(found.values())


def _expand(word: str) -> list[Source]:
    if word.startswith("s3://"):
        from byline.client.s3_files import objects

        return [Source(where, name) for where, name in objects(word) if format_of(name) or where == word]
    if Path(word).is_dir():
        return _in_folder(Path(word))
    if not Path(word).exists() and _GLOB & set(word):
        paths = sorted(path for path in glob.glob(word, recursive=True) if Path(path).is_file())  # noqa: PTH207 - absolute patterns
        root = _fixed_part(word)
        return [Source(path, Path(path).relative_to(root).as_posix()) for path in paths]
    if not Path(word).exists():
        fetched = (
            "; nothing is fetched from the web: download it first" if re.match("https?://", word) else ""
        )
        raise NotFound("no-such-file", f"there is no file {word}{fetched}", at=word)
    return [Source(word, Path(word).name)]


def _fixed_part(pattern: str) -> Path:
    """The folder before the first wildcard: `data/*/part.csv` -> `data`, below which names differ."""
    parts = Path(pattern).parts[:-1]
    fixed = next((at for at, part in enumerate(parts) if _GLOB & set(part)), len(parts))
    return Path(*parts[:fixed])


def _in_folder(folder: Path) -> list[Source]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            path = Path(root) / name
            if not name.startswith(".") and format_of(name) and path.is_file():
                found.append(Source(str(path), path.relative_to(folder).as_posix()))
    return sorted(found, key=lambda source: source.name)

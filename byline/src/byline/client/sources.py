"""Files where they lie: a file, a folder, a glob, `s3://bucket/prefix`."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from byline.errors import NotFound, Refused, Unavailable

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # the extra `byline[s3]` brings it
    boto3 = None  # type: ignore[assignment]

_BLOCK = 1 << 20
_S3_BLOCK = 8 << 20
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
            return io.BufferedReader(_S3File(self.where), _S3_BLOCK)
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
        return _in_bucket(word)
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


def _in_bucket(word: str) -> list[Source]:
    bucket, key, _ = _s3_parts(word)
    client = _s3(word)
    query = urlsplit(word).query
    tail = f"?{query}" if query else ""
    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        keys = sorted(str(one["Key"]) for page in pages for one in page.get("Contents", []))
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("s3-failed", f"{word} cannot be listed: {error}", at=word) from error
    if key in keys:
        return [Source(word, PurePosixPath(key).name)]
    folder = key if not key or key.endswith("/") else f"{key}/"
    inside = [one for one in keys if one.startswith(folder) and format_of(one)]
    return [Source(f"s3://{bucket}/{one}{tail}", one.removeprefix(folder)) for one in inside]


def _s3_parts(word: str) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(word)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return parts.netloc, parts.path.lstrip("/"), options


def _s3(word: str) -> Any:
    if boto3 is None:
        raise Refused("s3-missing", 's3:// needs boto3: pip install "byline[s3]"', at=word)
    _, _, options = _s3_parts(word)
    return boto3.client("s3", endpoint_url=options.get("endpoint_url"))


class _S3File(io.RawIOBase):
    """A seekable reader over ranged reads of one object."""

    def __init__(self, where: str) -> None:
        self._bucket, self._key, _ = _s3_parts(where)
        self._client, self._at, self._where = _s3(where), 0, where
        try:
            self._size = int(self._client.head_object(Bucket=self._bucket, Key=self._key)["ContentLength"])
        except ClientError as error:
            raise NotFound("no-such-file", f"there is no object {where}", at=where) from error
        except BotoCoreError as error:
            raise Unavailable("s3-failed", f"{where}: {error}", at=where) from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._size - self._at)
        if length <= 0:
            return 0
        asked = f"bytes={self._at}-{self._at + length - 1}"
        try:
            data = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=asked)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise Unavailable("s3-failed", f"{self._where}: {error}", at=self._where) from error
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

"""Objects in S3: which ones a word names, and their bytes."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import parse_qs, urlsplit

from byline.errors import NotFound, Refused, Unavailable

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # the extra `byline[s3]` brings it
    boto3 = None  # type: ignore[assignment]


_BLOCK = 8 << 20


def open_object(where: str) -> BinaryIO:
    """An object's bytes, seekable. NotFound("no-such-file"), Unavailable("s3-failed")."""
    return io.BufferedReader(_S3File(where), _BLOCK)


def objects(word: str) -> list[tuple[str, str]]:
    """Every object that a word means, as URL and name: the one of this very key, else all in the folder."""
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
        return [(word, PurePosixPath(key).name)]
    folder = key if not key or key.endswith("/") else f"{key}/"
    inside = [one for one in keys if one.startswith(folder)]
    return [(f"s3://{bucket}/{one}{tail}", one.removeprefix(folder)) for one in inside]


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

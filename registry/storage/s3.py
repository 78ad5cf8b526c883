"""An object store on S3, through boto3: the plain verbs with conditions (If-None-Match, If-Match).

Every object carries a random `byline-writer`. A retry of ours can meet what our lost first try wrote and be
answered 412: then the writer says whose it is, and the 412 is not believed. A look-alike that ignores the
conditions would let two writers win; `probe` finds it out at the start.
"""

from __future__ import annotations

import datetime as dt
import io
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from byline.errors import BylineError, Refused, Unavailable
from registry.storage.store import Body, Entry, check_key, check_range, missing

PART = 16 << 20  # at most 10,000 parts: 160 GB an object
TRIES = 5
_WRITER = "byline-writer"
_GONE = {"404", "NoSuchKey", "NotFound"}
_UNMET = {"412", "PreconditionFailed"}
_AGAIN = {"409", "ConditionalRequestConflict", "OperationAborted"}


class S3Store:
    """Objects of one bucket, below a prefix. Credentials are found where boto3 looks for them."""

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint_url: str | None = None,
        region: str | None = None,
        client: Any = None,
    ) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self._client: Any = client or boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region or "us-east-1",
            config=Config(
                # boto3's own default checksums break many S3 look-alikes.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if endpoint_url else "auto"},
                retries={"mode": "standard", "max_attempts": 4},
                max_pool_connections=32,
            ),
        )

    def put_new(self, key: str, data: Body) -> bool:
        """As ObjectStore says."""
        return self._write(key, data, {"IfNoneMatch": "*"})

    def put(self, key: str, data: Body) -> None:
        """As ObjectStore says."""
        self._write(key, data, {})

    def put_file(self, key: str, path: Path) -> None:
        """As ObjectStore says."""
        with path.open("rb") as file:
            self.put(key, file)

    def get(self, key: str) -> bytes:
        """As ObjectStore says."""
        return self._get(key)[0]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """As ObjectStore says."""
        check_range(start, length)
        if length == 0:
            self.size(key)
            return b""
        try:
            return self._get(key, Range=f"bytes={start}-{start + length - 1}")[0]
        except ClientError as error:
            if _code(error) in {"416", "InvalidRange"}:
                return b""
            raise _unreachable(error) from error

    def size(self, key: str) -> int:
        """As ObjectStore says."""
        return int(self._head(key)["ContentLength"])

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        """As ObjectStore says."""
        if expected is None:
            return self.put_new(key, data)
        try:
            present, etag = self._get(key)
        except BylineError as error:
            if error.code == "no-such-object":
                return False
            raise
        return present == expected and self._write(key, data, {"IfMatch": etag})

    def delete(self, key: str) -> None:
        """As ObjectStore says."""
        self._call("delete_object", Key=self._name(key))

    def list(self, prefix: str) -> Iterator[str]:
        """As ObjectStore says."""
        return (entry.key for entry in self.entries(prefix))

    def entries(self, prefix: str) -> Iterator[Entry]:
        """As ObjectStore says."""
        token: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=self.prefix + prefix, **token)
            for found in page.get("Contents", ()):
                yield Entry(found["Key"][len(self.prefix) :], found["Size"], found["ETag"].strip('"'))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def sweep(self, *, before: dt.datetime) -> int:
        """As ObjectStore says: uploads in parts that nobody ended are paid for until somebody does."""
        page = self._call("list_multipart_uploads", Prefix=self.prefix)
        old = [found for found in page.get("Uploads", ()) if found["Initiated"] < before]
        for found in old:
            with suppress(BylineError):  # ended meanwhile
                name, upload = found["Key"], found["UploadId"]
                self._call("abort_multipart_upload", Key=name, UploadId=upload)
        return len(old)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def probe(self) -> None:
        """Refused("store-ignores-conditions") where a second creation or a wrong If-Match succeeds."""
        key = f"probe/{uuid.uuid4().hex}"
        try:
            first, second = self.put_new(key, b"1"), self.put_new(key, b"2")
            wrong = self._write(key, b"3", {"IfMatch": '"00000000000000000000000000000000"'})
            kept = self.get(key)
        finally:
            with suppress(BylineError):
                self.delete(key)
        if (first, second, wrong, kept) != (True, False, False, b"1"):
            raise Refused(
                "store-ignores-conditions",
                "this S3 store ignores If-None-Match or If-Match, so two writers could both win; use another",
                at=self.bucket,
            )

    def _write(self, key: str, data: Body, condition: Mapping[str, str]) -> bool:
        """Small bodies in one request, longer ones in parts; the condition counts when the object appears."""
        writer = uuid.uuid4().hex
        stream = io.BytesIO(data) if isinstance(data, bytes | bytearray | memoryview) else data
        first = _read_part(stream)
        if len(first) < PART:
            return self._settle(
                "put_object", key, writer, {"Body": first, "Metadata": {_WRITER: writer}, **condition}
            )
        return self._write_parts(key, writer, (first, stream), condition)

    def _write_parts(
        self, key: str, writer: str, body: tuple[bytes, Any], condition: Mapping[str, str]
    ) -> bool:
        """One part in memory at a time.

        What goes wrong leaves no object, and no parts that somebody pays for.
        """
        begun = self._call("create_multipart_upload", Key=self._name(key), Metadata={_WRITER: writer})
        upload = {"UploadId": begun["UploadId"]}
        won = False
        try:
            parts: list[dict[str, Any]] = []
            block, stream = body
            while block:
                number = len(parts) + 1
                sent = self._call("upload_part", Key=self._name(key), PartNumber=number, Body=block, **upload)
                parts.append({"PartNumber": number, "ETag": sent["ETag"]})
                block = _read_part(stream)
            won = self._settle(
                "complete_multipart_upload",
                key,
                writer,
                {"MultipartUpload": {"Parts": parts}, **upload, **condition},
            )
        finally:
            if not won:
                with suppress(BylineError):
                    self._call("abort_multipart_upload", Key=self._name(key), **upload)
        return won

    def _settle(self, verb: str, key: str, writer: str, wanted: Mapping[str, Any]) -> bool:
        """The request that makes the object appear.

        Whether it is there and ours is asked of the object, not of the answer.
        """
        for attempt in range(TRIES):
            try:
                getattr(self._client, verb)(Bucket=self.bucket, Key=self._name(key), **wanted)
            except ClientError as error:
                code = _code(error)
                if code in _UNMET | _GONE | {"NoSuchUpload"}:
                    return self._is_ours(key, writer, error)
                if code not in _AGAIN:
                    raise _unreachable(error) from error
                time.sleep(0.05 * 2**attempt)
            except BotoCoreError as error:
                raise _unreachable(error) from error
            else:
                return True
        raise Unavailable(
            "store-unreachable", "the object store was busy with this object for too long", at=key
        )

    def _is_ours(self, key: str, writer: str, error: ClientError) -> bool:
        """Whether the object that stands in our way is the one we wrote."""
        try:
            metadata = self._head(key)["Metadata"]
        except BylineError as gone:
            if gone.code == "no-such-object" and _code(error) in {"NoSuchBucket", "NoSuchUpload"}:
                raise _unreachable(error) from error
            return False
        return bool(metadata.get(_WRITER) == writer)

    def _get(self, key: str, **wanted: str) -> tuple[bytes, str]:
        """Body and ETag. A connection that breaks within the body is tried again."""
        name = self._name(key)
        for left in reversed(range(TRIES)):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=name, **wanted)
                return answer["Body"].read(), answer["ETag"]
            except ClientError as error:
                if _code(error) in _GONE:
                    raise missing(key) from error
                if "Range" in wanted:
                    raise
                raise _unreachable(error) from error
            except BotoCoreError as error:
                if not left:
                    raise _unreachable(error) from error
        raise AssertionError

    def _head(self, key: str) -> Any:
        return self._call("head_object", Key=self._name(key))

    def _call(self, verb: str, **wanted: Any) -> Any:
        try:
            return getattr(self._client, verb)(Bucket=self.bucket, **wanted)
        except ClientError as error:
            if _code(error) in _GONE:
                raise missing(str(wanted.get("Key", ""))) from error
            raise _unreachable(error) from error
        except BotoCoreError as error:
            raise _unreachable(error) from error

    def _name(self, key: str) -> str:
        return self.prefix + check_key(key)


def _read_part(stream: Any) -> bytes:
    """Up to 16 MiB, whatever sizes the stream gives; fewer bytes mean its end."""
    blocks: list[bytes] = []
    lacking = PART
    while lacking and (block := stream.read(lacking)):
        blocks.append(block)
        lacking -= len(block)
    return b"".join(blocks)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unreachable(error: Exception) -> Unavailable:
    said = _code(error) if isinstance(error, ClientError) else type(error).__name__
    return Unavailable("store-unreachable", f"the object store did not do it: {said}", retry_after=10)

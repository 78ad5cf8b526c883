"""The feed's files, brought into the state: each once, each held against its digest, those of the row feeds in packs."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from typing import BinaryIO

from byline.client.state import State, digest_of
from byline.client.transport import Transport
from byline.errors import Refused, Untrusted
from byline.formats import rowfeed
from byline.formats.feedhead import MAX_INDEX, FeedFile, Head, KeyFile, RowEntry, parse_index

ROOT = "/feed/v1/"
MOST_BITMAP = 2 << 30
MOST_MEMBERS = 1_000_000
_MEMBER = re.compile(r"([0-9a-f]{64})\.(json|puffin|parquet)")
_FEW = 4  # single files are asked for one by one

Say = Callable[[str], None]


class Fetcher:
    """Brings files into the state; what an interrupted run brought is there already."""

    def __init__(self, transport: Transport, state: State, say: Say, *, jobs: int = 8) -> None:
        """`jobs` files are asked for at once."""
        self._transport, self._state, self._say, self._jobs = transport, state, say, jobs
        self.files, self.bytes = 0, 0

    def keys(self, files: Sequence[KeyFile]) -> None:
        """Files of the key feed."""
        self._fetch([(one, one.bytes) for one in files])

    def rows(self, head: Head, *, since: int) -> set[str]:
        """All files of the row feeds; their paths. `since`: the head that was brought before, 0 for none."""
        missing = [one for one in head.index.values() if not self._state.has(one.path)]
        packs = [one for one in head.packs if one.to > since]
        unread = [one for one in packs if not self._state.has(_unpacked(one))]
        if len(missing) > _FEW or len(unread) < len(packs):  # what an interrupted run began is gone on with
            self._packs(unread)
        self._fetch([(one, MAX_INDEX) for one in head.index.values()])
        bitmaps = list(bitmaps_of(self._state, head))
        items = list(items_of(self._state, head))
        self._fetch([(one, MOST_BITMAP) for one in items])
        self._fetch([(one, MOST_BITMAP) for one in bitmaps])
        return {one.path for one in (*head.index.values(), *bitmaps, *items)}

    def _fetch(self, wanted: Sequence[tuple[FeedFile, int]]) -> None:
        missing = {one.path: (one, most) for one, most in wanted if not self._state.has(one.path)}
        if not missing:
            return
        self._say(f"fetching {len(missing):,} files of the feed")
        with ThreadPoolExecutor(self._jobs) as pool:
            for data in pool.map(lambda pair: self._one(*pair), missing.values()):
                self._count(data)

    def _one(self, file: FeedFile, most: int) -> int:
        with self._state.draft(file.path) as out:
            size = self._get(file, most, out)
            if file.path.endswith(".puffin"):
                rowfeed.read(out.read())
        return size

    def _get(self, file: FeedFile, most: int, out: BinaryIO) -> int:
        """Write a file's bytes to `out`, which is left at its beginning: how many there are."""
        size = self._transport.download(f"{ROOT}{file.path}", out, max_bytes=most)
        out.seek(0)
        if digest_of(out) != file.sha256:
            raise Untrusted("wrong-file", f"{file.path} has another digest than its name says", at=file.path)
        out.seek(0)
        return size

    def _keep(self, file: FeedFile, data: bytes) -> None:
        if file.path.endswith(".puffin"):
            rowfeed.read(data)
        self._state.put(file.path, data)

    def _packs(self, packs: Sequence[KeyFile]) -> None:
        """Many small files in one answer each. Whatever a pack does not hold is asked for by itself."""
        for pack in packs:
            with TemporaryFile(dir=self._state.folder) as out:
                self._count(self._get(pack, pack.bytes, out))
                self._unpack(pack, out)
            self._state.put(_unpacked(pack), b"")

    def _unpack(self, pack: KeyFile, data: BinaryIO) -> None:
        for name, member in _members(data):
            file = FeedFile(f"files/{name}", name.partition(".")[0])
            if hashlib.sha256(member).hexdigest() != file.sha256:
                raise Untrusted("wrong-file", f"{name} in {pack.path} has another digest", at=pack.path)
            if not self._state.has(file.path):
                self._keep(file, member)

    def _count(self, size: int) -> None:
        self.files += 1
        self.bytes += size


def bitmaps_of(state: State, head: Head) -> Iterator[FeedFile]:
    """Every bitmap that a head's index leads to; what was removed once included."""
    for _, entry in entries_of(state, head):
        bitmaps = (*entry.bitmaps.values(), *entry.removed.values())
        yield from (bitmap.file for bitmap in bitmaps if bitmap.file is not None)


def items_of(state: State, head: Head) -> Iterator[FeedFile]:
    """Every file of items that a head's index leads to."""
    for _, entry in entries_of(state, head):
        if entry.items is not None and entry.items.file is not None:
            yield entry.items.file


def entries_of(state: State, head: Head) -> Iterator[tuple[str, RowEntry]]:
    """Every entry of a head's index with its file's digest."""
    for part, file in head.index.items():
        for digest, entries in parse_index(state.bytes_of(file.path, file.sha256)).items():
            if digest[:2] != part:
                raise Refused("bad-row-index", "a file stands in the wrong part of the row index", at=digest)
            yield from ((digest, entry) for entry in entries)


def _unpacked(pack: KeyFile) -> str:
    """What lies in the state, empty, once all of a pack does; swept when the sync is through."""
    return f"files/{pack.sha256}.unpacked"


def _members(data: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """The files of a pack: no other names, no links, not too many."""
    try:
        with tarfile.open(fileobj=data, mode="r:") as pack:
            for count, member in enumerate(pack):
                file = pack.extractfile(member) if member.isreg() else None
                if file is None or count >= MOST_MEMBERS or not _MEMBER.fullmatch(member.name):
                    raise Refused("bad-pack", "a pack holds something else than files of the feed")
                yield member.name, file.read()
    except tarfile.TarError as error:
        raise Refused("bad-pack", "a pack of the feed cannot be read") from error

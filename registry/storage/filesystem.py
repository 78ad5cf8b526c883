"""An object store in a folder: durable when a call returns, and never half there.

A body is written to `.tmp`, fsynced, then linked (create-only) or renamed (replace) to its place, and the
directory is fsynced. After a crash there is the old object, the new one, or a leftover in `.tmp`, which the
next start sweeps.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from byline.errors import Refused, Unavailable
from registry.storage.store import Body, Entry, check_key, check_range, chunks, missing


class FolderStore:
    """Objects as files under `root`. Several processes of one machine may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._tmp = self.root / ".tmp"
        _make_folder(self._tmp)
        self.sweep(before=dt.datetime.now(dt.UTC))

    def put_new(self, key: str, data: Body) -> bool:
        """As ObjectStore says; link(2) makes the name only where there is none."""
        path = self._path(key)
        if path.exists() and path.is_file():
            return False  # the common answer, before anything is written
        with self._written(data) as temporary:
            _make_folder(path.parent)
            try:
                os.link(temporary, path)
            except FileExistsError:
                if path.is_dir():
                    raise _is_folder(key) from None
                return False
            _sync_folder(path.parent)
        return True

    def put(self, key: str, data: Body) -> None:
        """As ObjectStore says."""
        path = self._path(key)
        with self._written(data) as temporary, self._locked():
            _replace(temporary, path, key)

    def put_file(self, key: str, path: Path) -> None:
        """As ObjectStore says; on another disk it is copied."""
        to = self._path(key)
        with path.open("rb") as file:
            try:
                with self._linked(path, file.fileno()) as temporary, self._locked():
                    _replace(temporary, to, key)
            except OSError as error:
                if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
                    raise
                self.put(key, file)

    def get(self, key: str) -> bytes:
        """As ObjectStore says."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise missing(key) from None

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """As ObjectStore says."""
        check_range(start, length)
        try:
            with self._path(key).open("rb", buffering=0) as file:
                return _read_at(file.fileno(), start, length)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise missing(key) from None

    def size(self, key: str) -> int:
        """As ObjectStore says."""
        path = self._path(key)
        if not path.is_file():
            raise missing(key)
        return path.stat().st_size

    def replace_if(self, key: str, data: bytes, *, expected: bytes | None) -> bool:
        """As ObjectStore says; one lock file keeps writers of all processes apart."""
        if expected is None:
            return self.put_new(key, data)
        path = self._path(key)
        with self._written(data) as temporary, self._locked():
            if not path.is_file() or path.read_bytes() != expected:
                return False
            _replace(temporary, path, key)
        return True

    def delete(self, key: str) -> None:
        """As ObjectStore says."""
        path = self._path(key)
        with self._locked(), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            _sync_folder(path.parent)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """As ObjectStore says; every write makes a file of its own, so its number and time are the tag."""
        for key in self.list(prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                found = self._path(key).stat()
                yield Entry(key, found.st_size, f"{found.st_mtime_ns:x}-{found.st_ino:x}")

    def list(self, prefix: str) -> Iterator[str]:
        """As ObjectStore says."""
        folder = prefix.rpartition("/")[0]
        if folder:
            check_key(folder)
        for key in self._walk(self.root / folder, f"{folder}/" if folder else ""):
            if key.startswith(prefix):
                yield key

    def sweep(self, *, before: dt.datetime) -> int:
        """As ObjectStore says; a file that is locked is being written by a living one."""
        swept = 0
        for path in self._tmp.iterdir():
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_mtime <= before.timestamp():
                    path.unlink()
                    swept += 1
        return swept

    def _walk(self, folder: Path, before: str) -> Iterator[str]:
        """Keys below a folder in the order of their bytes.

        `a.b` comes before `a/b`, so a folder sorts with its slash.
        """
        try:
            found = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in os.scandir(folder)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in sorted(name for name in found if not name.startswith(".")):
            if name.endswith("/"):
                yield from self._walk(folder / name, before + name)
            else:
                yield before + name

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def _written(self, data: Body) -> Iterator[Path]:
        """The body in a fsynced temporary file, removed afterwards.

        Its lock tells `sweep` that somebody writes it.
        """
        handle, path = self._temporary()
        try:
            with _needing_room():
                for block in chunks(data):
                    _write_all(handle, block)
                os.fsync(handle)
            yield path
        finally:
            path.unlink(missing_ok=True)
            os.close(handle)

    @contextmanager
    def _linked(self, path: Path, handle: int) -> Iterator[Path]:
        """A second name of an open file, fsynced, in the place of temporary files; locked before it has it."""
        temporary = self._tmp / uuid.uuid4().hex
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.link(path, temporary)
        try:
            os.fchmod(handle, 0o600)
            with _needing_room():
                os.fsync(handle)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)  # rename(2) leaves it where both names are of one file already

    def _temporary(self) -> tuple[int, Path]:
        while True:
            path = self._tmp / uuid.uuid4().hex
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return handle, path
            os.close(handle)  # a sweep took it between making and locking


@contextmanager
def _needing_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable(
                "disk-full", "there is no space left where the objects lie", retry_after=600
            ) from error
        raise


def _replace(temporary: Path, path: Path, key: str) -> None:
    _make_folder(path.parent)
    try:
        temporary.replace(path)
    except IsADirectoryError:
        raise _is_folder(key) from None
    _sync_folder(path.parent)


def _write_all(handle: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(handle, view) :]


def _read_at(handle: int, start: int, length: int) -> bytes:
    """pread(2) gives at most 2 GiB a call and may give less."""
    parts: list[bytes] = []
    while length > 0 and (part := os.pread(handle, min(length, 1 << 30), start)):
        parts.append(part)
        start, length = start + len(part), length - len(part)
    return b"".join(parts)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it; each new name is fsynced into its parent."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise _is_folder(str(folder)) from None
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_folder(key: str) -> Refused:
    return Refused("bad-object-key", "a key cannot be both an object and the folder of others", at=key[-100:])

"""The files a user names: keys, drafts, envelopes; errors say which file and what to do."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from byline.cli.options import Asked
from byline.errors import Conflict, NotFound, Refused, Unavailable

if TYPE_CHECKING:  # see options.py
    from byline.client.describe import Stamp, Standing
    from byline.formats.keys import PrivateKey, PublicKey

_MOST = 8 << 20
_OURS = (b'"urn:byline:', b'"payloadType"', b"c2sp.org/tlog-proof@")
"""What drafts, signed manifests and receipts have in them."""


def file_bytes(path: Path, *, at: str | None = None, most: int = _MOST) -> bytes:
    """The bytes of a small file."""
    try:
        if path.stat().st_size > most:
            raise Refused("too-large", f"{path} is larger than {most:,} bytes", at=at)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("no-such-file", f"there is no file {path}", at=at) from error
    except OSError as error:
        raise Refused("unreadable-file", f"{path} cannot be read: {error.strerror}", at=at) from error


def never_over_others(path: Path) -> None:
    """Conflict("file-exists") where something stands that this command did not write: most often the data itself."""
    try:
        if not path.is_file() or not path.stat().st_size:
            return
        ours = path.stat().st_size <= _MOST and any(mark in path.read_bytes() for mark in _OURS)
    except OSError as error:
        raise Refused("unwritable-file", f"{path} cannot be written: {error.strerror}", at="-o") from error
    if not ours:
        raise Conflict(
            "file-exists", f"{path} is there already and no manifest; give -o another name", at="-o"
        )


def save(path: Path, data: bytes) -> None:
    """Write a file the user named with -o, over an older one of its kind at most."""
    never_over_others(path)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refused("unwritable-file", f"{path} cannot be written: {error.strerror}", at="-o") from error


def stamp() -> Stamp:
    """Now, and fresh randomness."""
    from byline.client.describe import Stamp

    return Stamp(dt.datetime.now(dt.timezone.utc), secrets.token_bytes(16))


def private_key(path: Path) -> PrivateKey:
    """The private key in a PEM file."""
    from byline.formats.keys import PrivateKey

    return PrivateKey.from_pem(file_bytes(path, at="--key"))


def public_key(path: Path) -> PublicKey:
    """The public key in a file of any form; the public half, where it is the private one."""
    from byline.formats.keys import PrivateKey, PublicKey

    data = file_bytes(path, at="--key")
    if b"PRIVATE KEY" in data[:64]:
        return PrivateKey.from_pem(data).public
    try:
        return PublicKey.parse(data.decode("ascii"))
    except UnicodeDecodeError as error:
        raise Refused("bad-key", f"{path} is not a key in text form", at="--key") from error


def withheld_key(path: Path, *, made: bool = False) -> bytes:
    """The key of withheld rows in a file; `made`: one is made there, for its owner only, where there is no file."""
    from byline.formats import withheld

    if made and not path.exists():
        try:
            _made_whole(path, (secrets.token_bytes(withheld.KEY_BYTES).hex() + "\n").encode())
        except FileExistsError:
            pass  # somebody was faster
        except OSError as error:
            raise Refused(
                "unwritable-file", f"{path} cannot be written: {error.strerror}", at="--withheld"
            ) from error
    return withheld.read_key(file_bytes(path, at="--withheld", most=1024).decode("ascii", "replace"))


def _made_whole(path: Path, data: bytes) -> None:
    """A file for its owner only that is there whole or not at all, never in place of another; FileExistsError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    finally:
        beside.unlink()


def standing(asked: Asked, dataset: str, *, offline: bool, needed: bool) -> Standing | None:
    """What the registry says; None where it is not asked, or did not answer and is not needed."""
    from byline.client import describe

    if offline:
        return None
    try:
        with asked.registry() as registry:
            return describe.standing(registry, dataset)
    except Unavailable as error:
        if needed or asked.explicit:
            raise
        asked.say(f"{error.message}; what it would say is filled in when signing")
        return None

"""C2SP signed notes v1.0.0: a text and signature lines under named keys.

Checkpoints and feed heads are such notes.
Source: https://c2sp.org/signed-note@v1.0.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from dataclasses import dataclass

from byline.errors import Refused, Untrusted
from byline.formats.keys import PrivateKey, PublicKey

ED25519 = 1
MAX_NOTE = 1 << 20
MAX_SIGNATURES = 100
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_DASH = "\N{EM DASH} "


@dataclass(frozen=True)
class NoteKey:
    """A verifier key: the signer's name and public key."""

    name: str
    public: PublicKey

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each signature."""
        return _key_id(self.name, self.public)


@dataclass(frozen=True)
class Note:
    """A note taken apart.

    The text with its final newline, and (name, key id, signature) lines in order. Unverified.
    """

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def vkey(name: str, public: PublicKey) -> str:
    """`name+hex8(id)+base64(0x01 || public)`."""
    _check_name(name)
    body = base64.b64encode(bytes([ED25519]) + public.raw).decode("ascii")
    return f"{name}+{_key_id(name, public).hex()}+{body}"


def parse_vkey(text: str) -> NoteKey:
    """Read a verifier key; only Ed25519 (type 1)."""
    found = _VKEY.fullmatch(text.strip())
    data = _base64(found[3]) if found else None
    if not found or data is None or len(data) != 33 or data[0] != ED25519:
        raise Refused("bad-vkey", "a verifier key is NAME+8 hex digits+base64, of type Ed25519")
    _check_name(found[1])
    key = NoteKey(found[1], PublicKey(data[1:]))
    if key.id.hex() != found[2]:
        raise Refused("bad-vkey", "the verifier key's id does not fit its name and key")
    return key


def sign(text: str, name: str, key: PrivateKey) -> bytes:
    """Sign `text` (it must end in a newline) and write the note."""
    _check_name(name)
    if not text.endswith("\n") or _CONTROL.search(text):
        raise Refused("bad-note", "a note's text ends in a newline and holds no other control character")
    line = base64.b64encode(_key_id(name, key.public) + key.sign(text.encode())).decode("ascii")
    return f"{text}\n{_DASH}{name} {line}\n".encode()


def parse(data: bytes) -> Note:
    """Take a note apart without believing it."""
    if len(data) > MAX_NOTE:
        raise Refused("too-large", f"a note of {len(data):,} bytes; at most {MAX_NOTE:,} are read")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("bad-note", "a note must be UTF-8") from error
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n") or _CONTROL.search(whole):
        raise Refused("bad-note", "a note is text, a blank line, and signature lines")
    lines = whole[split + 2 :].split("\n")[:-1]
    if not 0 < len(lines) <= MAX_SIGNATURES:
        raise Refused("bad-note", f"a note carries 1 to {MAX_SIGNATURES} signature lines")
    return Note(whole[: split + 1], tuple(_signature_line(line) for line in lines))


def verify(data: bytes, key: NoteKey | str) -> str:
    """The text, if the note is signed by `key`.

    Raises Untrusted("bad-signature") where the key has not signed, or where a line says it has and does not
    hold,
    whatever other lines say. Lines of unknown keys are ignored.
    """
    known = parse_vkey(key) if isinstance(key, str) else key
    note = parse(data)
    mine = [sig for name, key_id, sig in note.signatures if name == known.name and key_id == known.id]
    if not mine:
        raise Untrusted("bad-signature", f"the note is not signed by {known.name}+{known.id.hex()}")
    for signature in mine:
        known.public.verify(signature, note.text.encode())
    return note.text


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, space, body = line.removeprefix(_DASH).partition(" ")
    data = _base64(body)
    if not line.startswith(_DASH) or not space or data is None or len(data) < 5:
        raise Refused("bad-note", "a signature line is an em dash, a name and base64", at=line[:80])
    _check_name(name)
    return name, data[:4], data[4:]


def _check_name(name: str) -> None:
    if (
        not name
        or "+" in name
        or any(unicodedata.category(c).startswith(("Z", "C")) or c.isspace() for c in name)
    ):
        raise Refused(
            "bad-note",
            "a key's name is not empty and holds no space, control character or plus",
            at=name[:80],
        )


def _key_id(name: str, public: PublicKey) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public.raw).digest()[:4]


def _base64(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None

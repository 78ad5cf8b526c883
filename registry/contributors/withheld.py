"""Withheld versions: what is known here and asked for is found among their digests, and nothing is read back from them.

Each has a key of its own, sealed in the tables (registry.seal). A maker's handles, or an item's selectors, become digests
under each of these keys, and those are looked for like any others.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from byline.errors import NotFound, Refused
from byline.formats import withheld
from byline.formats.selectors import fingerprint, fingerprints
from registry.contributors.visible import select_in
from registry.models import Contributor, Manifest
from registry.seal import Seal

KIND = withheld.SCHEME
SEAL = "seal"
"""Under this name the sessions of an open registry carry its seal (`Session.info`)."""
_AT_ONCE = 65_536


@dataclass(frozen=True)
class Blind:
    """A withheld version and its key."""

    manifest_id: int
    key: bytes


def keep_key(session: Session, manifest: Manifest, key: bytes) -> None:
    """Seal a version's key; Refused("wrong-withheld-key") where the manifest names another one, or none."""
    named = manifest.withheld_sha256
    if named is None or not hmac.compare_digest(withheld.commitment(key), named):
        raise Refused("wrong-withheld-key", "the manifest names another key, or names its rows", at="key")
    manifest.withheld_key = _seal(session).seal(key.hex())


def read_blinds(session: Session, *which: ColumnElement[bool]) -> list[Blind]:
    """The withheld versions whose key is here, in the order they came."""
    statement = select(Manifest.id, Manifest.withheld_key).where(
        Manifest.withheld_sha256.is_not(None), Manifest.withheld_key.is_not(None), *which
    )
    rows = session.execute(statement.order_by(Manifest.id)).all()
    return [Blind(row.id, withheld.read_key(_seal(session).open(row.withheld_key))) for row in rows]


def known_as(session: Session, blinds: Collection[Blind], keys: Collection[str]) -> dict[str, set[int]]:
    """Contributor key -> the ids of contributors that are this one behind a digest."""
    wanted = {
        name: key
        for blind in blinds
        for key, name in zip(keys, withheld.blinded_makers(blind.key, keys), strict=True)
    }
    found: dict[str, set[int]] = defaultdict(set)
    for row in select_in(session, select(Contributor.key, Contributor.id), Contributor.key, wanted):
        found[wanted[row.key]].add(row.id)
    return found


def item_keys(blinds: Iterable[Blind], kind: str, value: str) -> set[int]:
    """The item keys of withheld rows that show a selector's item, or lie at its host."""
    if kind == "sha256":
        return {fingerprint(kind, digest) for blind in blinds for digest in _digests(blind, kind, value)}
    kinds = ("photo", "photo2") if kind == "photo" else (kind,)
    return {
        fingerprint("photo2", digest)
        for blind in blinds
        for one in kinds
        for digest in _digests(blind, one, value)
    }


def photo_keys(blind: Blind, photos: pa.Array) -> npt.NDArray[np.int64]:
    """The item keys of withheld rows that show just one of these photos each; parallel to them."""
    pieces = [np.zeros(0, np.int64)]
    for start in range(0, len(photos), _AT_ONCE):
        some = withheld.blinded(blind.key, "photo", photos.slice(start, _AT_ONCE).to_pylist())
        pieces.append(fingerprints("photo2", pa.array(some, pa.string())))
    return np.concatenate(pieces)


def one_blind(session: Session, manifest: Manifest) -> Blind:
    """That of a withheld version; NotFound("no-withheld-key")."""
    found = read_blinds(session, Manifest.id == manifest.id)
    if not found:
        raise NotFound("no-withheld-key", "the key of this version's rows is not here", at=manifest.digest)
    return found[0]


def _digests(blind: Blind, kind: str, value: str) -> list[str]:
    return withheld.blinded(blind.key, kind, [value])


def _seal(session: Session) -> Seal:
    found: Seal = session.info[SEAL]
    return found

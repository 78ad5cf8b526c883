"""Withheld versions: what is known here and asked for is found among their digests, and nothing is read back from them.

Each has a key of its own, sealed in the tables (registry.seal). A maker's handles, or an item's selectors, become digests
under each of these keys, and those are looked for like any others.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from byline.errors import Refused, Untrusted
from byline.formats import withheld
from byline.formats.selectors import fingerprint, fingerprints
from registry.contributors.sealed import seal_of
from registry.contributors.visible import select_in
from registry.models import Contributor, Manifest

KIND = withheld.SCHEME
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
    manifest.withheld_key = seal_of(session).seal(key.hex())


def read_blinds(session: Session, *which: ColumnElement[bool]) -> list[Blind]:
    """The withheld versions whose key is here and can be opened, in the order they came; `fsck` tells of the others."""
    statement = select(Manifest.id, Manifest.withheld_key).where(
        Manifest.withheld_sha256.is_not(None), Manifest.withheld_key.is_not(None), *which
    )
    found = []
    for row in session.execute(statement.order_by(Manifest.id)).all():
        with suppress(
            Untrusted
        ):  # another seal than the one it was kept under: that one version is dark, no other
            found.append(Blind(row.id, withheld.read_key(seal_of(session).open(row.withheld_key))))
    return found


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


def _digests(blind: Blind, kind: str, value: str) -> list[str]:
    return withheld.blinded(blind.key, kind, [value])

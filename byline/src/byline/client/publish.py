"""Send a signed manifest and its extract, and wait for what becomes of it. Each step may be repeated."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byline.client.api import Block, Registry
from byline.errors import Conflict, Refused, Unavailable

BLOCK = 8 << 20
_ENDED_WELL = frozenset({"published"})
_ENDED_BADLY = frozenset({"refused", "expired", "retracted", "voided"})

Say = Callable[[str], None]


@dataclass(frozen=True)
class _Part:
    path: Path
    number: int
    parts: int


def upload(registry: Registry, submission: Mapping[str, Any], parts: Sequence[Path], *, say: Say) -> None:
    """Send what a submission awaits of an extract, going on where an earlier try stopped."""
    for awaited in submission.get("awaits") or []:
        number = int(awaited["part"])
        if number >= len(parts):
            raise Conflict(
                "too-few-parts", f"the registry awaits part {number}; the extract has {len(parts)}"
            )
        part = _Part(parts[number], number, len(parts))
        _send_part(registry, str(submission["id"]), part, start=int(awaited.get("received") or 0), say=say)


def wait(
    registry: Registry, id_: str, *, say: Say, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Ask until a submission is published.

    Refused with its errors where it is not, Unavailable after `seconds`.
    """
    told, pause, waited = "", 0.1, 0.0
    while True:
        found = registry.submission(id_)
        line = _progress(found)
        if line != told:
            say(line)
            told = line
        if found.get("state") in _ENDED_WELL:
            return found
        if found.get("state") in _ENDED_BADLY:
            raise refusal(found)
        if waited >= seconds:
            raise Unavailable(
                "still-working",
                f"after {waited:,.0f} s the submission {id_} is {found.get('state')}; run the "
                "command again to go on waiting",
            )
        sleep(pause)
        waited, pause = waited + pause, min(pause * 1.5, 2.0)


def refusal(submission: Mapping[str, Any]) -> Refused:
    """The error a refused submission stands for: its first one's code, all of them as details."""
    errors = [one for one in submission.get("errors") or [] if isinstance(one, dict)]
    first = errors[0] if errors else {}
    code = str(first.get("code") or submission.get("state") or "refused")
    message = first.get("message") or first.get("reason") or f"the submission ended {submission.get('state')}"
    at = first.get("at")
    return Refused(code, str(message), at=at if isinstance(at, str) else None, details=errors or None)


def _send_part(registry: Registry, id_: str, part: _Part, *, start: int, say: Say) -> None:
    total, digest = part.path.stat().st_size, _digest(part.path)
    at, patience = (start if 0 <= start < total else 0), 10
    with part.path.open("rb") as source:
        while at < total:
            source.seek(at)
            data = source.read(BLOCK)
            whole = digest if at + len(data) == total else None
            try:
                registry.put_block(
                    id_, Block(data, part=part.number, parts=part.parts, start=at, total=total, digest=whole)
                )
                at += len(data)
            except Conflict as error:
                patience -= 1
                at = _go_on_from(error, before=at, patience=patience)
            say(f"sent {at:,} of {total:,} bytes")


def _go_on_from(error: Conflict, *, before: int, patience: int) -> int:
    # A block that arrived and whose answer was lost: the registry says how far it is.
    received = error.details.get("received") if isinstance(error.details, dict) else None
    if not isinstance(received, int) or isinstance(received, bool) or received == before or patience < 0:
        raise error
    return received


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.digest()


def _progress(found: Mapping[str, Any]) -> str:
    progress = found.get("progress") or {}
    done = f": {progress['step']}" if progress.get("step") else ""
    if progress.get("total"):
        done += f" {progress.get('done', 0):,} of {progress['total']:,}"
    return f"{found.get('state')}{done}"

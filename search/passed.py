"""How far an index stands beyond its last commit, where what came after it changed no document."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Passed:
    """A small file `{"after": N, "to": M}`: of the acts from N to M none changed a document.

    It says nothing of an index whose last commit is not at N: one made again, or put back from an older copy. It is not
    flushed to the disk: whoever loses it looks at those acts once more.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self._path = path

    def beyond(self, committed: int) -> int:
        """Where an index stands whose last commit is at `committed`."""
        try:
            found = json.loads(self._path.read_bytes())
            after, to = int(found["after"]), int(found["to"])
        except (OSError, ValueError, TypeError, KeyError):
            return committed
        return max(to, committed) if after == committed else committed

    def keep(self, *, after: int, to: int) -> None:
        """None from `after` to `to` changed a document. Whole or not at all, whoever else writes."""
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps({"after": after, "to": to}), encoding="ascii")
        beside.replace(self._path)

    def forget(self) -> None:
        """The index begins anew."""
        self._path.unlink(missing_ok=True)

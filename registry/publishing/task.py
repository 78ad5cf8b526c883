"""What the parent asks of the fenced process, and what comes back: plain values, as JSON over a pipe."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from byline.formats.withheld import FIELDS as WITHHELD


@dataclass(frozen=True)
class Task:
    """Read the extract in `parts` (Parquet files in `folder`), which must be what the manifest says it is.

    `withheld`: its rows are digests (byline.formats.withheld).
    `columns` are the mapped fields with the name each has in the real files; `files` how many records each of those has.
    """

    folder: str
    parts: tuple[str, ...]
    dataset: str
    columns: dict[str, str]
    files: tuple[int, ...]
    rows: int
    sha256: str
    max_row: int
    max_url: int
    memory: int
    seconds: int
    threads: int
    withheld: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The extract's columns beside file and row, in their order."""
        return WITHHELD if self.withheld else tuple(self.columns)

    def path(self, name: str) -> Path:
        """A file of this task's folder."""
        return Path(self.folder) / name

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def task_from_json(text: str) -> Task:
    """Read what `to_json` wrote."""
    found: dict[str, Any] = json.loads(text)
    return Task(**{**found, "parts": tuple(found["parts"]), "files": tuple(found["files"])})


# What the fenced process writes into its folder.
INDEX, ITEMS, MAKERS, LINKS = "index.parquet", "items.parquet", "makers.parquet", "links.parquet"


@dataclass(frozen=True)
class Totals:
    """What was counted over the whole extract.

    `column_sha256`: per file the digest of the column a filter recomputes; `items_sha256`: S of the items feed.
    """

    rows: int
    entries: int
    unattributed: int
    makers: int
    licenses: dict[str, int]
    platforms: dict[str, int]
    column: str | None
    column_sha256: tuple[str | None, ...]
    items_sha256: str | None = None


def totals_from_json(found: dict[str, Any]) -> Totals:
    """Read what came over the pipe."""
    return Totals(**{**found, "column_sha256": tuple(found["column_sha256"])})

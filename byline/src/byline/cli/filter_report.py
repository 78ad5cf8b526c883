"""What `byline filter` does with its report beside showing it: --report, --key, --publisher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from byline.cli.options import Asked
from byline.cli.reading import private_key, stamp
from byline.errors import Conflict, Refused

if TYPE_CHECKING:  # see options.py
    from byline.client.feed import Feed
    from byline.client.filter import Target
    from byline.client.sources import Source
    from byline.formats.keys import PrivateKey

_OURS = b'{"cannot_tell":'  # how the canonical JSON of a report begins


@dataclass(frozen=True)
class HandOn:
    """Where the report goes, who signs it, and for which publisher open notices are answered."""

    file: Path | None
    key: PrivateKey | None
    publisher: str | None

    @property
    def signed_file(self) -> Path | None:
        """Where the signature goes."""
        return self.file.with_name(f"{self.file.name}.dsse.json") if self.file and self.key else None

    def check(self, sources: Sequence[Source], target: Target | None) -> None:
        """Before anything is filtered: nothing but an older report is written over."""
        if self.file is None:
            return
        taken = {one.path for one in sources} | {target and target.mask}
        taken |= {target.of(one) for one in sources} if target else set()
        if self.file.resolve() in {path.resolve() for path in taken if path}:
            raise Refused("would-overwrite", f"{self.file} is one of the data files", at="--report")
        if self.file.exists() and not _is_report(self.file):
            raise Conflict("file-exists", f"{self.file} is there and is no report", at="--report")

    def save(self, report: Mapping[str, Any], *, origin: str) -> None:
        """Write the report, and beside it the signature."""
        if self.file is None:
            return
        from byline.client.reporting import signed_report
        from byline.formats import filter_reports

        data = filter_reports.dumps(report)
        written = {self.file: data}
        if self.key is not None and self.signed_file is not None:
            written[self.signed_file] = signed_report(data, self.key, origin=origin, stamp=stamp())
        try:
            for path, content in written.items():
                path.write_bytes(content)
        except OSError as error:
            raise Refused(
                "unwritable-file", f"{self.file} cannot be written: {error.strerror}", at="--report"
            ) from error

    def answer(self, asked: Asked, feed: Feed, report: Mapping[str, Any]) -> None:
        """Tell the registry which notices are answered by what went."""
        if self.key is None or self.publisher is None:
            return
        from byline.client.outcome import By
        from byline.client.reporting import report_suppressed

        with asked.registry() as registry:
            stamps = iter(stamp, None)
            by = By(self.publisher, self.key)
            count = report_suppressed(registry, feed, report, by=by, stamps=stamps)
        asked.say(f"{count:,} notices answered: suppressed")


def hand_on(said: Mapping[str, Any]) -> HandOn:
    """What the options say."""
    key_file, publisher, file = said["key_file"], said["publisher"], said["report"]
    if publisher and not key_file:
        raise click.UsageError("--publisher needs the --key to sign with")
    if key_file and not (publisher or file):
        raise click.UsageError("say what to sign: --report FILE, or --publisher SLUG for outcomes")
    if publisher and said["report_only"]:
        raise click.UsageError("--report-only takes nothing out, so there is no outcome to report")
    return HandOn(file, private_key(key_file) if key_file else None, publisher)


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_OURS)) == _OURS

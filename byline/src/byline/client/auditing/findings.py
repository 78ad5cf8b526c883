"""What an audit says: each check holds, does not hold, or cannot be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType

from byline.client.evidence import Keeper
from byline.errors import BylineError, NotFound, Unavailable

HOLDS, FAILS, CANNOT = "holds", "does-not-hold", "cannot-be-checked"
MOST_SHOWN = 20


@dataclass
class Finding:
    """One check: how many things were looked at, and what was wrong or missing, the first of it by name."""

    check: str
    looked_at: int = 0
    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    keeper: Keeper | None = field(default=None, repr=False)

    def tell(self, error: BylineError, before: str = "") -> None:
        """Something does not hold; where there is a folder for it, what was shown is kept as evidence."""
        told = self.keeper.told(error) if self.keeper else error
        self.wrong.append(f"{before}{told.message} [{told.code}]")

    @property
    def result(self) -> str:
        """One of HOLDS, FAILS, CANNOT."""
        if self.wrong:
            return FAILS
        return CANNOT if self.unknown and not self.looked_at else HOLDS

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "check": self.check,
            "result": self.result,
            "looked_at": self.looked_at,
            "wrong": self.wrong[:MOST_SHOWN],
            "unknown": self.unknown[:MOST_SHOWN],
            "wrong_count": len(self.wrong),
            "unknown_count": len(self.unknown),
        }


@dataclass
class Report:
    """All findings, in the order they were made."""

    findings: list[Finding] = field(default_factory=list)
    keeper: Keeper | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found wrong. What could not be checked is not clean; it is said beside."""
        return not any(one.wrong for one in self.findings)

    def checking(self, check: str) -> Checking:
        """Make a check; an error in it is what was wrong, a missing file is what is unknown."""
        finding = Finding(check, keeper=self.keeper)
        self.findings.append(finding)
        return Checking(finding)


class Checking:
    """The context of one check: it swallows the errors that say what does not hold."""

    def __init__(self, finding: Finding) -> None:
        """Of this finding."""
        self._finding = finding

    def __enter__(self) -> Finding:
        """Look."""
        return self._finding

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Note what was raised, if it says something about what was looked at."""
        if isinstance(error, (NotFound, Unavailable)):
            self._finding.unknown.append(f"{error.message} [{error.code}]")
        elif isinstance(error, BylineError):
            self._finding.tell(error)
        else:
            return False
        return True

"""What can go wrong, by what the caller can do about it.

Every error carries a stable `code` (kebab-case, listed in docs/errors.md), a sentence that says what to fix, and where
it is known the place (`at`). Anything a hostile input can cause is one of these five, never a ValueError from below.
"""

from __future__ import annotations


class BylineError(Exception):
    """The root; catch one of its five children instead."""

    def __init__(self, code: str, message: str, *, at: str | None = None, details: object = None) -> None:
        """Say what went wrong: a stable code, a sentence, the place, and what more helps (JSON-able)."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.at = at
        self.details = details

    def as_json(self) -> dict[str, object]:
        """Give `{"code", "message", "at"}` plus `details` where there are any."""
        shown: dict[str, object] = {"code": self.code, "message": self.message, "at": self.at}
        if self.details is not None:
            shown["details"] = self.details
        return shown


class Refused(BylineError):  # noqa: N818 - the five roots are named for what happened, design section 2
    """The input is wrong; change it and send it again."""


class Untrusted(BylineError):  # noqa: N818
    """A signature, digest or proof does not hold; do not believe what came with it."""


class NotFound(BylineError):  # noqa: N818
    """There is nothing of that name."""


class Conflict(BylineError):  # noqa: N818
    """It contradicts what stands already; `details` names that."""


class Unavailable(BylineError):  # noqa: N818
    """Try again after `retry_after` seconds."""

    def __init__(
        self, code: str, message: str, *, at: str | None = None, details: object = None, retry_after: int = 5
    ) -> None:
        """As BylineError, with the seconds to wait."""
        super().__init__(code, message, at=at, details=details)
        self.retry_after = retry_after

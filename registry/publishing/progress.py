"""How far an ingest is, kept where the client that waits can see it, and not more often than it looks."""

from __future__ import annotations

import time

from registry.database import Sessions, transaction
from registry.models import Submission

EVERY = 0.5  # seconds


class Progress:
    """Writes `{step, done, total}` on a submission: at each new step, then at most twice a second."""

    def __init__(self, sessions: Sessions, submission_id: str) -> None:
        """Nothing said yet."""
        self._sessions, self._id = sessions, submission_id
        self._step, self._at = "", 0.0

    def say(self, step: str, done: int, total: int | None, *, force: bool = False) -> None:
        """We are here. `force`: keep it whatever was said just now."""
        now = time.monotonic()
        if not force and step == self._step and now - self._at < EVERY:
            return
        self._step, self._at = step, now
        with transaction(self._sessions) as session:
            session.get_one(Submission, self._id).progress = {"step": step, "done": done, "total": total}

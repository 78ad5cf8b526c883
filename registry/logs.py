"""What goes into the log of the processes, and in which form: text for eyes, or one JSON object a line.

No personal data: a request is its route and never its address, a job its number and never its key, and of an error
that is not one of ours only the type and the places in the source: its message may quote what somebody sent.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from byline.errors import BylineError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Text(logging.Formatter):
    """`2026-11-23 04:00:00,123 INFO byline.requests: …`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's name
        """The error without its message, unless it is ours."""
        return "\n".join(described(ei[1])) if ei[1] is not None else ""


class Json(logging.Formatter):
    """`{"at","level","logger","message"}`, what was said with `extra=`, and `error` as a list of lines."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _USUAL}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = described(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


FORMATTERS: dict[str, type[logging.Formatter]] = {"text": Text, "json": Json}


def configure(form: str) -> None:
    """Write everything from INFO to stderr in this form; a line per request only as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("byline.requests").setLevel(logging.INFO if form == "json" else logging.WARNING)


def described(error: BaseException) -> list[str]:
    """Type and places in the source, innermost last; the causes before it."""
    lines = described(error.__cause__) if error.__cause__ is not None else []
    lines += [
        f"{frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return [*lines, named(error)]


def named(error: BaseException) -> str:
    """An error's code and message where they are ours, else its type alone."""
    if isinstance(error, BylineError):
        return f"{type(error).__name__}: {error.code}: {error.message}"
    return f"{type(error).__module__}.{type(error).__qualname__}"

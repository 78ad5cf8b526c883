"""Who runs this registry from a browser, and what visitors tell them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class OperatorSession(Base):
    """One signing in: a code that works once, and the session it opened.

    Of both only SHA-256 is kept. `ends_at` is the latest end, `seen_at` when it was last used.
    """

    __tablename__ = "operator_session"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    who: Mapped[str] = mapped_column(String(100), index=True)
    code_until: Mapped[dt.datetime]
    session_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    seen_at: Mapped[dt.datetime | None]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)


class Report(Base):
    """`That is not mine`, `that is not me`, a name that should not be read here.

    `subject` is `maker:ID` or `dataset:PUB/NAME`. `text_sealed` and `email_sealed` are gone once it is closed.
    """

    __tablename__ = "report"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(300), index=True)
    text_sealed: Mapped[bytes | None]
    email_sealed: Mapped[bytes | None]
    made_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None] = mapped_column(index=True)

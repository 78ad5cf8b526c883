"""Every BYLINE_* variable: its type, its default, what it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.config.kinds import (
    all_or_open,
    budget,
    log_form,
    loopback_url,
    nameserver,
    policy,
    seconds,
    sized,
    text,
    whole,
)
from registry.config.origins import is_loopback


def _setting(default: Any, doc: str, *, read: Callable[[str], Any] = text, shown: str | None = None) -> Any:
    """One setting: its default, what it is (for docs/settings.md), how text becomes it."""
    return field(default=default, metadata={"doc": doc, "read": read, "shown": shown})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What this registry was told. `load` reads it; tests may build one by hand from a `data_dir`."""

    data_dir: Path = field(
        metadata={
            "doc": "The folder of everything that is not said otherwise.",
            "read": Path,
            "shown": "`.byline/serve`",
        }
    )
    origin: str = _setting(
        "localhost",
        "The registry's name in every signed statement and in the log; `init` writes it once, for good.",
        shown="a random name under localhost",
    )
    public_url: str = _setting(
        "http://127.0.0.1:8080",
        "Where people reach it, as it stands in mails.",
        shown="`https://ORIGIN`, on loopback `http://127.0.0.1:8080`",
    )
    database_url: str = _setting(
        "",
        "SQLite (`sqlite:///FILE`) or PostgreSQL (`postgresql+psycopg://…`).",
        shown="`byline.sqlite` in the data folder",
    )
    object_store: str = _setting(
        "",
        "`file:///FOLDER`, or `s3://BUCKET[/PREFIX]?endpoint_url=URL&region=NAME`; boto3 finds credentials.",
        shown="`store` in the data folder",
    )
    search: str = _setting("", "The search index, `whoosh:///FOLDER`.", shown="`search` in the data folder")
    log_key: str = _setting(
        "",
        "The file of the log's private key (PEM).",
        shown="`log-key.pem` in the data folder, made by `init`",
    )
    seal_key: str = _setting(
        "",
        "The file of the key that seals mail addresses (64 hex digits).",
        shown="`seal-key.hex` in the data folder, made by `init`",
    )
    publisher_policy: str = _setting(
        "open",
        "`open` approves publishers on arrival, `approved` waits for `byline-registry publisher approve`.",
        read=policy,
        shown="`open` on loopback, else `approved`",
    )
    rows_shown: str = _setting(
        "all",
        "Answers name file, row and image address of `all` datasets' rows, or only of `open` ones: those whose files "
        "everybody may have. Beside the public feed the others' would tell who objected.",
        read=all_or_open,
        shown="`all` on loopback, else `open`",
    )
    operator_name: str = _setting(
        "", "Who runs this registry. A public origin does not start without it.", shown="asked by `init`"
    )
    operator_contact: str = _setting(
        "",
        "How to reach them: a mail address or URL. A public origin does not start without it.",
        shown="asked by `init`",
    )
    privacy_file: str = _setting(
        "",
        "The privacy text people are shown. A public origin does not start without it.",
        shown="asked by `init`",
    )
    feed_interval: int = _setting(
        0,
        "How often a feed is built; 0 = as soon as something changed.",
        read=seconds,
        shown="`0` on loopback, else `1d`",
    )
    feed_lifetime: int = _setting(
        7 * 86_400, "How long a feed's head may be believed.", read=seconds, shown="`7d`"
    )
    smtp_url: str = _setting(
        "",
        "`smtp://[USER:PASSWORD@]HOST[:PORT]`, or `smtps://`, or `smtp+starttls://`.",
        shown="mails become files in `mail` in the data folder",
    )
    mail_from: str = _setting("", "The sender of mails.", shown="`byline@` and the origin's host")
    nameserver: str = _setting(
        "",
        "The nameserver that is asked where proofs and webhooks lead, `ADDRESS:PORT`.",
        read=nameserver,
        shown="the machine's own",
    )
    stand_in_web: str = _setting(
        "",
        "`http://127.0.0.1:PORT` of a server that stands in for the whole web: a demo's platforms, on loopback only.",
        read=loopback_url,
        shown="the web itself",
    )
    budget_read: str = _setting("600/minute", "Requests a reader may make.", read=budget)
    budget_lookup: str = _setting("120/minute", "Look-ups and searches one reader may make.", read=budget)
    budget_write: str = _setting("60/minute", "Requests that change something, for one sender.", read=budget)
    senders: int = _setting(
        8,
        "Requests with a body that one server process takes at once; the other threads are left to readers.",
        read=whole,
        shown="two thirds of `serve --threads`",
    )
    trusted_proxies: int = _setting(0, "How many proxies before this server set X-Forwarded-For.", read=whole)
    log: str = _setting(
        "text",
        "What the processes write to stderr: `text`, or `json` (one object a line, also one for every request).",
        read=log_form,
    )
    max_payload: int = _setting(1 << 20, "The longest signed statement.", read=sized, shown="`1 MiB`")
    max_extract_part: int = _setting(4 << 30, "The longest part of an extract.", read=sized, shown="`4 GiB`")
    max_parts: int = _setting(64, "The most parts of one extract.", read=whole)
    max_records: int = _setting(500_000_000, "The most records of one dataset version.", read=whole)
    max_row: int = _setting(
        64 << 10, "The longest row of an extract, its columns together.", read=sized, shown="`64 KiB`"
    )
    max_url: int = _setting(8 << 10, "The longest URL.", read=sized, shown="`8 KiB`")
    publisher_quota: int = _setting(
        64 << 30, "Bytes of extracts one publisher may have waiting.", read=sized, shown="`64 GiB`"
    )
    unapproved_quota: int = _setting(
        16 << 30,
        "Bytes of extracts that all publishers without approval may have here together, waiting and published; "
        "one of them a quarter of it.",
        read=sized,
        shown="`16 GiB`",
    )
    disk_reserve: int = _setting(
        1 << 30,
        "Extracts are refused when less than this is free where the data lies, any write at an eighth of it.",
        read=sized,
        shown="`1 GiB`",
    )
    upload_hours: int = _setting(24, "How many hours an accepted manifest awaits its extract.", read=whole)
    ingest_memory: int = _setting(
        1 << 30, "Memory of the process that reads an extract.", read=sized, shown="`1 GiB`"
    )
    ingest_seconds: int = _setting(
        6 * 3600, "The longest one reading of an extract may take.", read=seconds, shown="`6h`"
    )
    ingest_threads: int = _setting(2, "Threads that read an extract.", read=whole)

    @property
    def is_public(self) -> bool:
        """Whether the origin is more than this machine's own."""
        return not is_loopback(self.origin)

    @property
    def items_url(self) -> str:
        """The database of item keys: a SQLite file of its own, or the one PostgreSQL (design section 3)."""
        if self.database_url.startswith("sqlite"):
            return f"sqlite:///{self.data_dir / 'items.sqlite'}"
        return self.database_url

    @property
    def privacy_text(self) -> str:
        """The privacy text, empty where there is none."""
        return Path(self.privacy_file).read_text(encoding="utf-8") if self.privacy_file else ""

    def __post_init__(self) -> None:
        """Fill in what follows from the data folder, so that one built by hand is whole as well."""
        folder = self.data_dir.absolute()
        derived = {
            "data_dir": folder,
            "database_url": self.database_url or f"sqlite:///{folder / 'byline.sqlite'}",
            "object_store": self.object_store or f"file://{folder / 'store'}",
            "search": self.search or f"whoosh://{folder / 'search'}",
            "log_key": self.log_key or str(folder / "log-key.pem"),
            "seal_key": self.seal_key or str(folder / "seal-key.hex"),
            "mail_from": self.mail_from or f"byline@{re.split('[:/]', self.origin)[0]}",
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

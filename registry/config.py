"""Settings: every BYLINE_* variable, typed, read once; docs/settings.md is written from here (`describe`)."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byline.errors import Refused

# The client's own variables: the two may share a shell, so the server knows and ignores them.
CLIENTS = frozenset({"BYLINE_REGISTRY", "BYLINE_VKEY", "BYLINE_STATE"})
STANDING = "registry.json"
STANDING_NAMES = frozenset({"origin", "operator_name", "operator_contact", "privacy_file"})
DEFAULT_DATA_DIR = Path(".byline/serve")
_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SIZES = {"": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_NUMBER = re.compile(r"([0-9]{1,15})\s*([A-Za-z]{0,3})", re.ASCII)
_ORIGIN = re.compile(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[a-z0-9][a-z0-9._-]{0,63})*", re.ASCII
)
_LOOPBACK = re.compile(r"(?:.+\.)?localhost|127\.[0-9.]+", re.ASCII)


def _text(said: str) -> str:
    return said


def _whole(said: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", said, re.ASCII):
        raise ValueError("give a whole number")
    return int(said)


def _sized(said: str) -> int:
    return _with_unit(said, _SIZES, "give bytes, like 1048576 or 4 GiB")


def _seconds(said: str) -> int:
    return _with_unit(said, _UNITS, "give seconds, or a number with m, h, d or w, like 0, 90 or 1d")


def _with_unit(said: str, units: Mapping[str, int], advice: str) -> int:
    found = _NUMBER.fullmatch(said.strip())
    if found is None or found[2].lower() not in units:
        raise ValueError(advice)
    return int(found[1]) * units[found[2].lower()]


def _policy(said: str) -> str:
    if said not in {"open", "approved"}:
        raise ValueError("give open or approved")
    return said


def _budget(said: str) -> str:
    if not re.fullmatch(r"[0-9]{1,7}/(second|minute|hour|day)", said, re.ASCII):
        raise ValueError("give a rate, like 600/minute")
    return said


def _setting(default: Any, doc: str, *, read: Callable[[str], Any] = _text, shown: str | None = None) -> Any:
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
        read=_policy,
        shown="`open` on loopback, else `approved`",
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
        read=_seconds,
        shown="`0` on loopback, else `1d`",
    )
    feed_lifetime: int = _setting(
        7 * 86_400, "How long a feed's head may be believed.", read=_seconds, shown="`7d`"
    )
    smtp_url: str = _setting(
        "",
        "`smtp://[USER:PASSWORD@]HOST[:PORT]`, or `smtps://`, or `smtp+starttls://`.",
        shown="mails become files in `mail` in the data folder",
    )
    mail_from: str = _setting("", "The sender of mails.", shown="`byline@` and the origin's host")
    budget_read: str = _setting("600/minute", "Requests a reader may make.", read=_budget)
    budget_lookup: str = _setting("120/minute", "Look-ups and searches one reader may make.", read=_budget)
    budget_write: str = _setting("60/minute", "Requests that change something, for one sender.", read=_budget)
    budget_upload: str = _setting("600/minute", "Parts of extracts one sender may send.", read=_budget)
    trusted_proxies: int = _setting(
        0, "How many proxies before this server set X-Forwarded-For.", read=_whole
    )
    max_payload: int = _setting(1 << 20, "The longest signed statement.", read=_sized, shown="`1 MiB`")
    max_extract_part: int = _setting(4 << 30, "The longest part of an extract.", read=_sized, shown="`4 GiB`")
    max_parts: int = _setting(64, "The most parts of one extract.", read=_whole)
    max_records: int = _setting(500_000_000, "The most records of one dataset version.", read=_whole)
    max_row: int = _setting(
        64 << 10, "The longest row of an extract, its columns together.", read=_sized, shown="`64 KiB`"
    )
    max_url: int = _setting(8 << 10, "The longest URL.", read=_sized, shown="`8 KiB`")
    publisher_quota: int = _setting(
        64 << 30, "Bytes of extracts one publisher may have waiting.", read=_sized, shown="`64 GiB`"
    )
    disk_reserve: int = _setting(
        1 << 30,
        "Uploads are refused when less than this is free where the data lies.",
        read=_sized,
        shown="`1 GiB`",
    )
    upload_hours: int = _setting(24, "How many hours an accepted manifest awaits its extract.", read=_whole)
    ingest_memory: int = _setting(
        1 << 30, "Memory of the process that reads an extract.", read=_sized, shown="`1 GiB`"
    )
    ingest_seconds: int = _setting(
        6 * 3600, "The longest one reading of an extract may take.", read=_seconds, shown="`6h`"
    )
    ingest_threads: int = _setting(2, "Threads that read an extract.", read=_whole)

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
    def budgets(self) -> Mapping[str, str]:
        """How often one address may ask, by what it asks for."""
        return {
            "read": self.budget_read,
            "lookup": self.budget_lookup,
            "write": self.budget_write,
            "upload": self.budget_upload,
        }

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


def variable(name: str) -> str:
    """`data_dir` -> `BYLINE_DATA_DIR`."""
    return f"BYLINE_{name.upper()}"


def is_loopback(origin: str) -> bool:
    """Whether an origin is under `localhost` or a 127.* address: this machine's own."""
    return _LOOPBACK.fullmatch(re.split("[:/]", origin)[0]) is not None


def check_origin(origin: str) -> str:
    """Give the origin back, or Refused("bad-origin"): a host, maybe a port and a path, in lower case."""
    if not _ORIGIN.fullmatch(origin) or ".." in origin:
        raise Refused(
            "bad-origin",
            "an origin is a host name, like byline.example.org, without https://",
            at="BYLINE_ORIGIN",
        )
    return origin


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings: the environment, then what `init` wrote into the data folder, then the defaults.

    Refused: `unknown-setting`, `bad-setting`, `not-initialised` (no origin yet), `origin-differs`.
    """
    said = read_environment(environ)
    folder = said.get("data_dir", DEFAULT_DATA_DIR)
    standing = read_standing(folder)
    check_same_origin(folder, said.get("origin"))
    values = {"data_dir": folder, **standing, **said}
    if "origin" not in values:
        raise Refused(
            "not-initialised",
            "there is no registry here yet; run `byline-registry init`",
            at=str(values["data_dir"]),
        )
    check_origin(values["origin"])
    return Settings(**{**_by_origin(values["origin"]), **values})


def _by_origin(origin: str) -> dict[str, Any]:
    """The defaults that depend on whether the registry is public."""
    if is_loopback(origin):
        return {}
    return {"publisher_policy": "approved", "feed_interval": 86_400, "public_url": f"https://{origin}"}


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The BYLINE_* variables that are set and not empty, typed, by field name."""
    fields = {variable(f.name): f for f in dataclasses.fields(Settings)}
    read: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith("BYLINE_") or name in CLIENTS:
            continue
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.0)[0]
            raise Refused("unknown-setting", f"there is no setting {name}; did you mean {near}?", at=name)
        if not text.strip():
            continue
        try:
            read[fields[name].name] = fields[name].metadata["read"](text.strip())
        except ValueError as error:
            raise Refused("bad-setting", f"{name}: {error}", at=name) from error
    return read


def read_standing(data_dir: Path) -> dict[str, Any]:
    """What `init` wrote once: the origin, and who runs the registry."""
    try:
        text = (data_dir / STANDING).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return {name: value for name, value in json.loads(text).items() if name in STANDING_NAMES}


def check_same_origin(data_dir: Path, *said: str | None) -> None:
    """Refused("origin-differs") where a data folder already belongs to another origin."""
    standing = read_standing(data_dir).get("origin")
    if standing is not None and any(origin not in {None, standing} for origin in said):
        raise Refused(
            "origin-differs",
            f"this folder is {standing}'s for good; name no other origin, or use another folder",
            at="BYLINE_ORIGIN",
        )


def check_public(settings: Settings) -> None:
    """Refuse to start a public registry that does not say who runs it (`operator-missing`)."""
    needed = {"--operator-name": settings.operator_name, "--operator-contact": settings.operator_contact}
    missing = [option for option, value in needed.items() if not value]
    if not settings.privacy_file or not Path(settings.privacy_file).is_file():
        missing.append("--privacy-file")
    if settings.is_public and missing:
        raise Refused(
            "operator-missing",
            "a public registry says who runs it and what becomes of people's data;"
            f" run `byline-registry init {' … '.join(missing)} …`",
            at=settings.origin,
        )


def describe() -> str:
    """docs/settings.md, whole."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m registry.config > docs/settings.md`; a test compares them.",
        "An unknown one is an error that names the nearest. Sizes take KiB, MiB, GiB; times s, m, h, d, w.",
        "`BYLINE_REGISTRY`, `BYLINE_VKEY`, `BYLINE_STATE` are the client's; the server ignores them.",
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    for f in dataclasses.fields(Settings):
        default = f.metadata["shown"] or f"`{f.default}`"
        lines.append(f"| `{variable(f.name)}` | {default} | {f.metadata['doc']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(describe(), end="")  # noqa: T201 - this is its whole purpose

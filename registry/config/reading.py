"""Settings from the environment and from what `init` wrote."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from byline.errors import Refused
from registry.config.origins import check_origin, is_loopback
from registry.config.settings import Settings

# The client's own variables: the two may share a shell, so the server knows and ignores them.
CLIENTS = frozenset({"BYLINE_REGISTRY", "BYLINE_VKEY", "BYLINE_STATE"})
STANDING = "registry.json"
STANDING_NAMES = frozenset({"origin", "operator_name", "operator_contact", "privacy_file"})
DEFAULT_DATA_DIR = Path(".byline/serve")


def variable(name: str) -> str:
    """`data_dir` -> `BYLINE_DATA_DIR`."""
    return f"BYLINE_{name.upper()}"


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
    return {
        "publisher_policy": "approved",
        "rows_shown": "open",
        "feed_interval": 86_400,
        "public_url": f"https://{origin}",
    }


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
    """Refuse to start a public registry that does not say who runs it (`operator-missing`).

    Nor one whose proofs come from a demo's server (`stand-in-in-public`).
    """
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
    if settings.is_public and settings.stand_in_web:
        raise Refused(
            "stand-in-in-public",
            "a public registry asks the web itself; unset BYLINE_STAND_IN_WEB",
            at="BYLINE_STAND_IN_WEB",
        )

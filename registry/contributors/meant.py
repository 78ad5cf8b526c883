"""Whom an operator means: an account of any spelling (`flickr:…`, a profile's address), or a name as datasets credit it."""

from __future__ import annotations

from byline.errors import Refused
from byline.formats.selectors import parse_selector


def account_meant(text: str) -> str | None:
    """The contributor key of an account, or of a name in one dataset; None where it is a name and no account.

    Refused("not-a-maker") for the address of a photo or of anything else that is no profile.
    """
    try:
        said = parse_selector(text.strip())
    except Refused:
        return None
    if said.kind == "maker":
        return said.value
    if said.kind in {"name", "id"}:
        return f"{said.kind}:{said.value}"
    if said.kind == "url" and "/" not in text:  # a name with a dot in it
        return None
    raise Refused(
        "not-a-maker",
        "that is nobody's account; say PLATFORM:ID, a profile's address, or name:PUBLISHER/DATASET:NAME",
    )

"""Every spelling of a licence the world's lists use -> its SPDX id, else None.

What was given is kept beside it.
Ids beyond SPDX's list are LicenseRef-…: Unsplash, Pexels, Pixabay, all rights reserved, no known
restrictions.
"""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

_NAMED = {
    "cc0": "CC0-1.0",
    "cc zero": "CC0-1.0",
    "creative commons zero": "CC0-1.0",
    "public domain dedication": "CC0-1.0",
    "pdm": "CC-PDM-1.0",
    "public domain mark": "CC-PDM-1.0",
    "pddc": "CC-PDDC",
    "mit": "MIT",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "gfdl": "GFDL-1.2-or-later",
    "gpl 2": "GPL-2.0-only",
    "gpl 2.0": "GPL-2.0-only",
    "gpl 3": "GPL-3.0-only",
    "gpl 3.0": "GPL-3.0-only",
    "afl 3.0": "AFL-3.0",
    "artistic 2.0": "Artistic-2.0",
    "wtfpl": "WTFPL",
    "unlicense": "Unlicense",
    "free art": "LAL-1.3",
    "fal": "LAL-1.3",
    "odbl": "ODbL-1.0",
    "odbl 1.0": "ODbL-1.0",
    "open database": "ODbL-1.0",
    "odc by": "ODC-By-1.0",
    "odc by 1.0": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    "odc pddl": "PDDL-1.0",
    "cdla permissive 2.0": "CDLA-Permissive-2.0",
    "cdla permissive 1.0": "CDLA-Permissive-1.0",
    "cdla sharing 1.0": "CDLA-Sharing-1.0",
    "ogl 3": "OGL-UK-3.0",
    "ogl 3.0": "OGL-UK-3.0",
    "open government 3.0": "OGL-UK-3.0",
    "unsplash": "LicenseRef-Unsplash",
    "pexels": "LicenseRef-Pexels",
    "pixabay": "LicenseRef-Pixabay",
    "all rights reserved": "LicenseRef-AllRightsReserved",
    "copyright": "LicenseRef-AllRightsReserved",
    "no known copyright restrictions": "LicenseRef-NoKnownCopyrightRestrictions",
    "flickr commons": "LicenseRef-NoKnownCopyrightRestrictions",
    "united states government work": "LicenseRef-USGovernmentWork",
    "us government work": "LicenseRef-USGovernmentWork",
}
# host and start of path -> a name from the table above
_PAGES = (
    (re.compile(r"(?:www\.)?flickr\.com/commons(?:/usage)?/?"), "flickr commons"),
    (
        re.compile(r"(?:www\.)?usa\.gov/(?:copyright|government-works|government-copyright).*"),
        "us government work",
    ),
    (re.compile(r"(?:www\.)?unsplash\.com/license/?"), "unsplash"),
    (re.compile(r"(?:www\.)?pexels\.com/(?:photo-)?license/?"), "pexels"),
    (re.compile(r"(?:www\.)?pixabay\.com/(?:service/)?(?:license|terms).*"), "pixabay"),
    (re.compile(r"(?:www\.)?gnu\.org/(?:copyleft|licenses)/fdl.*"), "gfdl"),
    (re.compile(r"(?:www\.)?opensource\.org/licenses?/mit(?:-license)?(?:\.php)?/?"), "mit"),
    (re.compile(r"(?:www\.)?apache\.org/licenses/license-2\.0(?:\.txt|\.html)?/?"), "apache 2.0"),
    (re.compile(r"(?:www\.)?opendatacommons\.org/licenses/odbl.*"), "odbl"),
    (re.compile(r"(?:www\.)?opendatacommons\.org/licenses/by.*"), "odc by"),
    (re.compile(r"(?:www\.)?opendatacommons\.org/licenses/pddl.*"), "pddl"),
    (re.compile(r"(?:www\.)?artlibre\.org/.*"), "fal"),
)
_CC_PAGE = re.compile(
    r"(?:[a-z]+\.)?creativecommons\.org/(?:licen[sc]es?|publicdomain)/(?P<code>[a-z0-9-]+)"
    r"(?:/(?P<version>\d(?:\.\d)?))?(?:/(?P<port>[a-z]{2,3}))?(?:/(?:legalcode|deed)?[a-z_.-]*)?/?"
)
_SPDX_PAGE = re.compile(r"(?:www\.)?(?:spdx\.org|choosealicense\.com)/licenses/(.+?)(?:\.html|\.json)?/?")
_CC = re.compile(
    r"(?:cc |creative commons )?(?P<code>by(?: (?:nc|sa|nd)){0,2})(?: (?P<version>\d(?:\.\d)?))?"
    r"(?: (?P<port>[a-z]{2,3}|international|unported|generic))?"
)
_ZERO = re.compile(
    r"(?:cc |creative commons )?(?P<code>cc0|cc zero|zero|0|pdm|public domain mark|pddc|publicdomain)"
    r"(?: \d(?:\.\d)?)?"
    r"(?: universal)?(?: public domain(?: dedication)?)?"
)
_ZEROS = {
    "pdm": "CC-PDM-1.0",
    "public domain mark": "CC-PDM-1.0",
    "pddc": "CC-PDDC",
    "publicdomain": "CC-PDDC",
}
_GFDL = re.compile(
    r"(?:gfdl|gnu free documentation)(?: (?P<version>1\.[123]))?(?P<later>\+| or later| only)?"
)
_SPDX_VERSIONS = {"1.0", "2.0", "2.5", "3.0", "4.0"}
# Ports SPDX has an id for; a ported licence is another text.
_PORTS = frozenset(
    [
        "CC-BY-2.5-AU",
        "CC-BY-3.0-AT",
        "CC-BY-3.0-AU",
        "CC-BY-3.0-DE",
        "CC-BY-3.0-IGO",
        "CC-BY-3.0-NL",
        "CC-BY-3.0-US",
        "CC-BY-NC-3.0-DE",
        "CC-BY-NC-ND-3.0-DE",
        "CC-BY-NC-ND-3.0-IGO",
        "CC-BY-NC-SA-2.0-DE",
        "CC-BY-NC-SA-2.0-FR",
        "CC-BY-NC-SA-2.0-UK",
        "CC-BY-NC-SA-3.0-DE",
        "CC-BY-NC-SA-3.0-IGO",
        "CC-BY-ND-3.0-DE",
        "CC-BY-SA-2.0-UK",
        "CC-BY-SA-2.1-JP",
        "CC-BY-SA-3.0-AT",
        "CC-BY-SA-3.0-DE",
        "CC-BY-SA-3.0-IGO",
    ]
)
_WORLD = {"international", "unported", "generic"}
_WORDS = (
    (re.compile(r"\bnon[ -]?commercial\b"), "nc"),
    (re.compile(r"\bno[ -]?deriv(?:ative)?(?: work)?s?\b"), "nd"),
    (re.compile(r"\bshare[ -]?alike\b"), "sa"),
    (re.compile(r"\battribution\b"), "by"),
    (re.compile(r"\bccby"), "cc by"),
    (re.compile(r"[\s_\-–—/(),:;©®]+"), " "),
    (re.compile(r"\b(?:the|licen[sc]es?d?|deed|version|under|a)\b"), " "),
    (re.compile(r"\bv(?:er)?\.? ?(?=\d)"), ""),
    (re.compile(r"\b(by|nc|sa|nd)(?=\d)"), r"\1 "),
    (re.compile(r" +"), " "),
)
_MAX = 500


def to_spdx(raw: str | None) -> str | None:
    """The SPDX id of one licence as given (a name, an abbreviation, a page), or None where it is not known.

    A Creative Commons licence that SPDX has no id for (no version given, or an unlisted port) is a
    LicenseRef: the
    family is known, the text is not (`CC-BY` -> `LicenseRef-CC-BY`).
    """
    if raw is None or not 0 < len(raw) <= _MAX:
        return None
    text = unicodedata.normalize("NFKC", raw).strip().casefold()
    page = re.sub(r"^(?:https?:)?//", "", text)
    if page != text or re.match(r"[a-z.]+\.(?:org|com|gov)/", page):
        return _from_page(re.split("[#?]", page)[0])
    return _from_words(text)


def to_spdx_array(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`to_spdx` over a column of strings.

    Each different spelling is read once. Same length, nulls where None.
    """
    joined = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = joined.dictionary_encode() if not pa.types.is_dictionary(joined.type) else joined
    known = pa.array([to_spdx(one) for one in encoded.dictionary.to_pylist()], pa.string())
    return pc.take(known, encoded.indices)


def _from_page(page: str) -> str | None:
    creative = _CC_PAGE.fullmatch(page)
    if creative:
        return _creative(creative["code"].replace("-", " "), creative["version"], creative["port"])
    listed = _SPDX_PAGE.fullmatch(page)
    if listed:
        return _from_words(listed[1])
    return next((_NAMED[name] for pattern, name in _PAGES if pattern.fullmatch(page)), None)


def _from_words(text: str) -> str | None:
    if text in _IDS:
        return _IDS[text]
    words = text
    for pattern, put in _WORDS:
        words = pattern.sub(put, words)
    words = words.strip(" .")
    creative = _CC.fullmatch(words) or _ZERO.fullmatch(words)
    if creative:
        found = creative.groupdict()
        return _creative(creative["code"], found.get("version"), found.get("port"))
    gnu = _GFDL.fullmatch(words)
    if gnu:
        # Without a version: as Wikimedia Commons means it, where nearly all of them come from.
        only = gnu["version"] and (gnu["later"] or " only") == " only"
        return f"GFDL-{gnu['version'] or '1.2'}-{'only' if only else 'or-later'}"
    if "all rights reserved" in words:
        return "LicenseRef-AllRightsReserved"
    return _NAMED.get(words)


def _creative(code: str, version: str | None, port: str | None) -> str | None:
    if _ZERO.fullmatch(code) or code in {"mark", "publicdomain"}:
        return _ZEROS.get("pdm" if code == "mark" else code, "CC0-1.0")
    parts = set(code.split())
    if "by" not in parts or parts - {"by", "nc", "sa", "nd"} or {"sa", "nd"} <= parts:
        return None
    family = "-".join(["CC", *(part.upper() for part in ("by", "nc", "sa", "nd") if part in parts)])
    if version is None:
        return f"LicenseRef-{family}"
    full = version if "." in version else f"{version}.0"
    place = "" if port is None or port in _WORLD else f"-{port.upper()}"
    name = f"{family}-{full}{place}"
    known = name in _PORTS if place else full in _SPDX_VERSIONS
    return name if known else f"LicenseRef-{name}"


LICENCES = tuple(sorted({*_NAMED.values(), *_ZEROS.values()}))
_IDS = {one.casefold(): one for one in LICENCES}

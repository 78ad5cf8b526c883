"""Selectors: from a record, from a text, to a fingerprint. One import for what stands in four files.

`makers` reads one record, `batch` a million, `selector_text` what a person types, `lookups` what a person
pastes. Source: docs/formats/selectors.md.
"""

from __future__ import annotations

from byline.formats.batch import batch_selectors
from byline.formats.lookups import candidates
from byline.formats.makers import LONGEST_KEY, RecordSelectors, digest_text, known_name, record_selectors
from byline.formats.selector_text import (
    ACCEPTED,
    KINDS,
    Selector,
    contributor_kind,
    fingerprint,
    fingerprints,
    host_name,
    parse_selector,
    public_id,
)

__all__ = [
    "ACCEPTED",
    "KINDS",
    "LONGEST_KEY",
    "RecordSelectors",
    "Selector",
    "batch_selectors",
    "candidates",
    "contributor_kind",
    "digest_text",
    "fingerprint",
    "fingerprints",
    "host_name",
    "known_name",
    "parse_selector",
    "public_id",
    "record_selectors",
]

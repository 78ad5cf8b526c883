"""A manifest, and what `check` found of it, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from byline.client import describe
from byline.formats import croissant


def as_text(found: Mapping[str, Any]) -> str:
    """The document of `check` for people."""
    resolves, public = found["resolves"], found["public"]
    makers = ", ".join(f"{count:,} by {kind}" for kind, count in resolves["makers"].items()) or "none"
    opt_outs = found["opt_outs"]
    taken = (
        f"{opt_outs['rows']:,} rows would go (by the fingerprints in your feed)"
        if opt_outs
        else "not counted; give --state DIR of a synced feed"
    )
    lines = [
        (
            f"{found['dataset']} {found['version']} ({found['role']}): {found['records']:,} records, "
            f"{found['bad_rows']:,} unreadable"
        ),
        (
            f"public: {public['title']!r}; files {', '.join(public['files'][:5])}; per row "
            f"{', '.join(public['per_row']) or 'nothing'}"
        ),
        (
            f"        purposes {', '.join(public['disclosure']['purposes'])}; access "
            f"{public['disclosure']['access']}"
        ),
        (
            "licences: "
            f"{', '.join(f'{name} {count:,}' for name, count in public['licenses'].items()) or 'none given'}"
        ),
        f"makers: {makers}; {resolves['without_maker']:,} rows name nobody",
        (
            f"photos: {resolves['one_photo']:,} rows show one known photo, "
            f"{resolves['several_photos']:,} several"
        ),
        *(
            f"{name}: {one['rows']:,} rows hold something that is no {_MEANT[name]} ({one['examples'][0]!r}); nothing is "
            "made of it"
            for name, one in resolves["unread"].items()
        ),
        _nothing(resolves, public["files"]),
        f"standing opt-outs: {taken}",
        f"shown as not stated: {', '.join(found['not_stated']) or 'nothing'}",
    ]
    return "\n".join(lines)


_MEANT = dict.fromkeys(("url", "landing_url", "creator_url"), "link") | {"sha256": "SHA-256"}


def _nothing(resolves: Mapping[str, Any], files: Sequence[str]) -> str:
    if not resolves["nothing"]:
        return "nothing: every row resolves to something"
    first = resolves["nothing_examples"][0]
    return (
        f"nothing: {resolves['nothing']:,} rows resolve to nothing, and no opt-out can reach them (the first: "
        f"{files[first['file']]}, row {first['row']})"
    )


def in_words(found: Mapping[str, Any]) -> str:
    """A draft or signed manifest for people."""
    predicate = describe.rehearse(found)
    said = predicate.disclosure
    annotations = ", ".join(f"{one.name} ({one.category}, {one.method})" for one in said.annotations)
    title = croissant.summary(predicate.croissant).title
    lines = [
        f"{predicate.dataset.label}: {title or 'no title'} ({predicate.role})",
        f"  for registry {found['predicate'].get('origin') or '(filled in when signing)'}",
        (
            f"  {predicate.records.count:,} records in {len(predicate.records.files)} files "
            f"({predicate.records.format})"
        ),
        *(
            f"    {one.name}  sha256:{one.sha256}  {one.records:,} records"
            for one in predicate.records.files[:20]
        ),
        f"  columns {', '.join(f'{name}={column}' for name, column in predicate.records.columns.items())}",
        (
            f"  purposes {', '.join(said.purposes)}; access {said.access}; contact "
            f"{said.contact or 'not-stated'}"
        ),
        f"  annotations {annotations or 'none'}",
        f"  notified {said.notified}, consented {said.consented}, revocable {said.revocable}",
        *(
            f"  derived from {one.dataset}{'@' + one.version if one.version else ''}"
            for one in predicate.derived_from
        ),
    ]
    return "\n".join(lines)

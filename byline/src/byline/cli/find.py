"""`byline search` and `byline lookup`."""

from __future__ import annotations

from typing import Any

import click

from byline.cli.options import Asked, asked

_MOST_NAMED = 10
_MEANING = {
    "yes": "yes: it stands in the datasets below",
    "no": "no registered dataset shows it",
    "cannot-tell": "cannot tell",
}


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option(
    "--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Contributors on a page."
)
@click.option("--cursor", help="The `next` of the page before.")
@asked
def search(asked: Asked, text: tuple[str, ...], limit: int, cursor: str | None) -> None:
    """Find a maker by name or handle, over all registered datasets."""
    with asked.registry() as registry:
        found = registry.search(" ".join(text), limit=limit, cursor=cursor)
    items = found.get("items", [])
    lines = [line for item in items for line in _contributor(item)] or ["nobody of that name is registered"]
    if found.get("next"):
        lines.append(f"more: --cursor {found['next']}")
    asked.show(found, "\n".join(lines))


@click.command()
@click.argument("what", metavar="URL_OR_HANDLE")
@asked
def lookup(asked: Asked, what: str) -> None:
    """Ask where a photo or a maker stands: any URL of a photo, a profile, a handle like flickr:12345@N00."""
    with asked.registry() as registry:
        found = registry.lookup(what)
    asked.show(found, "\n".join(_standing(found)))


def _standing(found: dict[str, Any]) -> list[str]:
    """Where it stands first, then where that cannot be told; of the others only how many they are."""
    lines = [_MEANING.get(str(found.get("answer")), str(found.get("answer")))]
    by_answer: dict[str, list[dict[str, Any]]] = {"yes": [], "cannot-tell": [], "no": []}
    for item in found.get("items", []):
        by_answer.setdefault(str(item.get("answer")), []).append(item)
    for item in by_answer["yes"]:
        rows = item.get("rows", [])
        lines.append(f"  {_label(item)}: yes, {len(rows)} rows shown")
        if rows:
            lines.append(
                f"    {rows[0].get('landing_url') or rows[0].get('url') or rows[0].get('title') or ''}".rstrip()
            )
    unsure = by_answer["cannot-tell"]
    if unsure:
        shown = ", ".join(_label(item) for item in unsure[:_MOST_NAMED])
        more = f" and {len(unsure) - _MOST_NAMED:,} more" if len(unsure) > _MOST_NAMED else ""
        lines.append(f"  cannot tell of {len(unsure):,} datasets: {shown}{more}")
    if found.get("need") == "photo-link":
        lines.append("    a link to one photo of this maker would decide it: byline lookup https://…")
    if by_answer["no"]:
        lines.append(f"  no in {len(by_answer['no']):,} datasets")
    return lines


def _label(item: dict[str, Any]) -> str:
    return f"{item.get('dataset')} {item.get('version')}"


def _contributor(item: dict[str, Any]) -> list[str]:
    who = item.get("contributor", {})
    handle = (
        f"{who.get('platform')}:{who.get('platform_id')}"
        if who.get("platform_id")
        else "no identity, a name only"
    )
    lines = [
        f"{who.get('display_name')} ({handle}): {item.get('records', 0):,} records [{item.get('match')}]"
    ]
    for one in item.get("datasets", []):
        purposes = ", ".join(one.get("purposes", []))
        lines.append(
            f"  {one.get('dataset')} {one.get('version')}: {one.get('records', 0):,} records; for "
            f"{purposes or 'not-stated'}"
        )
    return lines

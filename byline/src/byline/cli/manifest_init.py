"""`byline manifest init`: its many options, and the draft."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from byline.cli.options import Asked, asked, many
from byline.cli.reading import file_bytes, never_over_others, save, standing, withheld_key
from byline.errors import Refused

if TYPE_CHECKING:  # see options.py
    from byline.client.describe import Said
    from byline.client.extract import Blinds
    from byline.client.measure import Reading

_PATH = click.Path(path_type=Path)
_ROLES = ("holder", "observer")
_ANSWERS = ("yes", "no", "partly", "not-stated")


@many("--records", "--map", "--purpose", "--annotation", "--derived-from")
class _InitCommand(click.Command):
    """`--records A B C` as a shell's glob writes it."""


def _stack(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def put(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return put


_what = _stack(
    click.option("--dataset", required=True, metavar="PUB/NAME", help="Your slug and the dataset's name."),
    click.option("--version", required=True, help="A version never changes; the next one gets another name."),
    click.option(
        "--role",
        type=click.Choice(_ROLES),
        default="holder",
        show_default=True,
        help="Observer: you document a dataset you do not hold.",
    ),
    click.option("--supersedes", metavar="V", help="The newest published version, which this one replaces."),
    click.option(
        "--derived-from",
        "derived_from",
        multiple=True,
        metavar="PUB/NAME@V",
        help="What it was made from. May be repeated.",
    ),
    click.option("--croissant", type=_PATH, metavar="FILE", help="Your Croissant document (1.0 or 1.1)."),
    click.option("--title", help="Where you have no Croissant: the title."),
    click.option("--description", help="Where you have no Croissant: what it is."),
    click.option("--license", "license_", help="Where you have no Croissant: the dataset's own licence."),
)
_how_read = _stack(
    click.option(
        "--records",
        multiple=True,
        required=True,
        metavar="FILE…",
        help="Files, folders, globs, s3://…; read where they lie.",
    ),
    click.option(
        "--format",
        "format_",
        type=click.Choice(("csv", "parquet", "ndjson", "json")),
        help="Told by the files' names where not given.",
    ),
    click.option(
        "--preset",
        help=(
            "A known layout (coco, open-images, yfcc100m, ffhq, unsplash, pass, darwin-core, "
            "img2dataset): no --map needed."
        ),
    ),
    click.option(
        "--map",
        "mapped",
        multiple=True,
        metavar="FIELD=COLUMN",
        help="url, landing_url, creator_name, creator_url, creator_id, license, title, sha256, item_id.",
    ),
    click.option("--delimiter", help="Between the fields of a CSV (a tab: '\\t')."),
    click.option("--no-quoting", is_flag=True, help="Quotes in a CSV mean nothing."),
    click.option("--header", metavar="A,B,C", help="Names of the columns of a CSV without a header line."),
    click.option("--array", metavar="NAME", help="With --format json: the member that holds the records."),
    click.option(
        "--on-bad-rows",
        type=click.Choice(("reject", "skip")),
        default="reject",
        show_default=True,
        help="What happens to rows that cannot be read.",
    ),
    click.option(
        "--no-files", is_flag=True, help="As an observer without the files: name the extract instead."
    ),
    click.option(
        "--withheld",
        type=_PATH,
        metavar="KEY",
        help="Send digests in place of names, links and ids, under the key in this file (made where it is not there).",
    ),
)
_disclosed = _stack(
    click.option(
        "--purpose",
        "purposes",
        multiple=True,
        help=("What it is for: face-recognition, …. May be repeated."),
    ),
    click.option("--access", default="not-stated", help="open, registration, research-only, on-request, …"),
    click.option("--contact", default="not-stated", metavar="URI", help="mailto:… or https://…"),
    click.option(
        "--annotation",
        "annotations",
        multiple=True,
        metavar="CATEGORY:NAME[:METHOD]",
        help="What was added to the items: biometric:face mesh:machine. May be repeated.",
    ),
    click.option(
        "--notified", type=click.Choice(_ANSWERS), default="not-stated", help="Were the makers told?"
    ),
    click.option("--consented", type=click.Choice(_ANSWERS), default="not-stated", help="Did they agree?"),
    click.option(
        "--revocable",
        type=click.Choice(("yes", "no", "by-request", "not-stated")),
        default="not-stated",
        help="Can they take it back?",
    ),
    click.option(
        "--personal-data",
        type=click.Choice(("yes", "no", "not-stated")),
        default="not-stated",
        help="Does it hold personal data?",
    ),
)


@click.command(cls=_InitCommand)
@_what
@_how_read
@_disclosed
@click.option("--offline", is_flag=True, help="Ask no registry; what it would say is filled in when signing.")
@click.option(
    "-o", "--out", type=_PATH, required=True, metavar="manifest.json", help="The draft, to look at and edit."
)
@asked
def init(asked: Asked, out: Path, *, offline: bool, **said: Any) -> None:
    """Read the files and write a draft of the manifest.

    Nothing is sent and nothing is signed. What you do not say stands in it as `not-stated`, and is shown so.
    """
    from byline.client import describe, measure

    never_over_others(out)  # before hours of reading
    reading = _reading(said)
    told = standing(asked, said["dataset"], offline=offline, needed=bool(said["supersedes"]))
    supersedes = None
    if said["supersedes"]:
        if told is None:
            raise click.UsageError("--supersedes is looked up at the registry; it does not go with --offline")
        supersedes = describe.superseded(told, said["supersedes"])
    elif told is not None and told.newest_version not in {None, said["version"]}:
        asked.say(
            f"{said['dataset']} {told.newest_version} is published already; --supersedes {told.newest_version} says that "
            "this version replaces it"
        )
    measured = measure.measure(
        said["records"], reading, whole_files=not said["no_files"], say=asked.say, blinds=_blinds(said)
    )
    draft = describe.draft(_said(said), measured, registry_says=told, supersedes=supersedes)
    save(out, (json.dumps(draft, indent=2, ensure_ascii=False) + "\n").encode())
    summary = {
        "manifest": str(out),
        "dataset": said["dataset"],
        "version": said["version"],
        "records": measured.extract_rows + measured.bad_rows,
        "bad_rows": measured.bad_rows,
        "files": len(measured.files),
        "extract_sha256": measured.extract_sha256,
    }
    lines = [
        f"{out}: {summary['records']:,} records in {summary['files']} files",
        f"  {measured.bad_rows:,} of them unreadable",
        f"  next: byline manifest check {out} --records …",
        f"        byline manifest sign {out} --key KEY.pem -o manifest.dsse.json",
    ]
    if said["withheld"]:
        lines.append(f"  keep {said['withheld']}: `byline publish` needs it, and so does your next version")
    asked.show(summary, "\n".join(lines))


def _blinds(said: Mapping[str, Any]) -> Blinds | None:
    from byline.client.extract import Blinds

    return Blinds(withheld_key(said["withheld"], made=True), said["dataset"]) if said["withheld"] else None


def _said(said: Mapping[str, Any]) -> Said:
    from byline.client.describe import Said
    from byline.formats import canonical

    document = None
    if said["croissant"] is not None:
        document = canonical.loads(file_bytes(said["croissant"], at="--croissant"), floats=True)
        if not isinstance(document, dict):
            raise Refused("bad-croissant", "a Croissant document is a JSON object", at="--croissant")
    own = {field.name: said[field.name] for field in fields(Said) if field.name in said}
    return Said(**{**own, "license": said["license_"], "croissant": document})


def _reading(said: Mapping[str, Any]) -> Reading:
    """The preset, if any, with what is said besides put over it."""
    from byline.client import measure

    words, preset = said["records"], said["preset"]
    base = measure.by_preset(words, preset) if preset else measure.laid_out(words, said["format_"])
    changed = {
        "format": said["format_"],
        "delimiter": said["delimiter"].replace("\\t", "\t") if said["delimiter"] else None,
        "quoting": False if said["no_quoting"] else None,
        "header": tuple(said["header"].split(",")) if said["header"] else None,
        "array": said["array"],
    }
    given = {name: value for name, value in changed.items() if value is not None}
    columns = {**base.columns, **_pairs(said["mapped"])}
    return measure.Reading(replace(base, columns=columns, **given), said["on_bad_rows"])


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    wrong = next(
        (
            word
            for word, (name, equals, column) in zip(words, pairs, strict=True)
            if not (name and equals and column)
        ),
        None,
    )
    if wrong is not None:
        raise click.UsageError(f"--map {wrong}: say FIELD=COLUMN, for example url=OriginalURL")
    return {name: column for name, _, column in pairs}

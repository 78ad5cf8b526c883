"""`byline filter`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from byline.cli.ages import AGE
from byline.cli.filter_report import hand_on
from byline.cli.options import Asked, asked

if TYPE_CHECKING:  # see options.py
    from byline.client.filter import Target
    from byline.client.sources import Source

_PATH = click.Path(path_type=Path)
_WORTH_IT = 64 << 20


@click.command(name="filter")
@click.argument("inputs", metavar="IN…", nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    metavar="OUT|DIR",
    help="A file for one input; a folder (it may not exist yet) for several.",
)
@click.option(
    "--mask", type=_PATH, metavar="FILE", help="Write one flag a row instead, True = keep: .npy or .parquet."
)
@click.option("--report-only", is_flag=True, help="Write nothing; report what would go.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="What `byline sync` keeps.",
)
@click.option(
    "--url-column",
    "url_columns",
    multiple=True,
    metavar="URL",
    help="A column of URLs; guessed by name where not given. May be repeated.",
)
@click.option("--dataset", metavar="PUB/NAME@V", help="Go by this dataset's row feed.")
@click.option(
    "--id-column",
    metavar="ID",
    help="Go by the ids of --dataset in this column instead: of files that nobody registered, with all of its ids.",
)
@click.option(
    "--for",
    "use",
    metavar="CATEGORY",
    help="What it is for: train-generative, train-other, data-mining, ai-search. Default, and for unknown ones: any.",
)
@click.option(
    "--pin", type=click.IntRange(1), metavar="SEQ", help="Go by this head, so that a run can be repeated."
)
@click.option("--max-age", type=AGE, metavar="D", help="The oldest head to go by: 45d, 12h, 30m.")
@click.option(
    "--on-unreadable",
    type=click.Choice(("drop", "keep")),
    default="drop",
    show_default=True,
    help="What becomes of rows that nothing can be asked about.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("csv", "parquet", "ndjson", "json")),
    help="Where the names do not tell it.",
)
@click.option("--preset", metavar="NAME", help="A known layout: coco, yfcc100m, open-images, …")
@click.option("--delimiter", metavar="CHAR", help="Between CSV fields; \\t is a tab.")
@click.option("--no-quoting", is_flag=True, help="CSV without quotes: a quote is a letter.")
@click.option("--header", metavar="A,B,…", help="The columns of a CSV that does not name them.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Processes that ask. Default: one a core."
)
@click.option("--array", metavar="NAME", help="The member of a JSON document that holds the records.")
@click.option("--report", type=_PATH, metavar="FILE", help="Keep the report as JSON, too.")
@click.option(
    "--key",
    "key_file",
    type=_PATH,
    metavar="KEY.pem",
    help="Sign the report: FILE.dsse.json beside it.",
)
@click.option(
    "--publisher",
    metavar="SLUG",
    help="With --key: answer `suppressed` to your open notices whose rows went.",
)
@asked
def filter(asked: Asked, inputs: tuple[str, ...], **said: Any) -> None:  # noqa: A001 - it is the command's name
    """Take opted-out rows out of files, folders, globs or s3://; `- -o -` filters URLs, a line each, from stdin to stdout.

    Formats stay as they are. Fails closed: without a believed, fresh feed nothing is written. Exits 0 also when rows
    were dropped.
    """
    from byline.client.feed import Feed, use_of
    from byline.client.filter import Wish, filter_files
    from byline.client.lines import filter_lines
    from byline.client.reporting import with_written
    from byline.client.sources import expand

    if sum((said["out"] is not None, said["mask"] is not None, said["report_only"])) != 1:
        raise click.UsageError("say where to: one of -o, --mask, --report-only")
    has_lines = _has_lines(inputs, said["out"])
    if said["id_column"] and (has_lines or not said["dataset"]):
        raise click.UsageError("--id-column goes with --dataset PUB/NAME@V, and with files")
    then = hand_on(said)
    feed = Feed.open(said["state"], pin=said["pin"], max_age=said["max_age"])
    use = use_of(said["use"])
    if use.label != use.asked:
        asked.say(f"{use.asked!r} is no category this feed knows; it is read as any use")
    wish = Wish(
        use=use,
        layout=_layout(said),
        dataset=said["dataset"],
        on_unreadable=said["on_unreadable"],
        id_column=said["id_column"],
    )
    if has_lines:
        then.check((), None)
        document = filter_lines(sys.stdin.buffer, sys.stdout.buffer, feed, wish)
        then.save(document, origin=feed.head.origin)
        then.answer(asked, feed, document)
        asked.say(json.dumps(document) if asked.json else in_words(document))
        return
    sources = expand(inputs)
    target = _target(inputs, sources, said)
    then.check(sources, target)
    document = filter_files(sources, feed, wish, target=target, jobs=said["jobs"] or _jobs(sources))
    if then.key is not None:
        document = with_written(document, sources, target)
    then.save(document, origin=feed.head.origin)
    then.answer(asked, feed, document)
    asked.show(document, in_words(document))


def _has_lines(inputs: Sequence[str], out: str | None) -> bool:
    """Whether lines are meant: what comes from stdin goes to stdout."""
    if "-" not in inputs and out != "-":
        return False
    if tuple(inputs) != ("-",) or out != "-":
        raise click.UsageError("lines come from stdin and go to stdout: byline filter - -o -")
    return True


def _jobs(sources: Sequence[Source]) -> int:
    """One a core where there is much to do; starting them takes longer than filtering a few megabytes."""
    sizes = [source.path.stat().st_size for source in sources if source.path is not None]
    is_small = len(sizes) == len(sources) and sum(sizes) < _WORTH_IT
    return 1 if is_small else min(os.cpu_count() or 1, 16)


def _layout(said: Mapping[str, Any]) -> Any:
    from byline.client.layout import Asked as Layout

    return Layout(
        format=said["format_"],
        delimiter=said["delimiter"].replace("\\t", "\t") if said["delimiter"] else None,
        quoting=not said["no_quoting"],
        header=tuple(said["header"].split(",")) if said["header"] else None,
        array=said["array"],
        preset=said["preset"],
        url_columns=said["url_columns"],
    )


def _target(inputs: Sequence[str], sources: Sequence[Source], said: Mapping[str, Any]) -> Target:
    """One input that is a file goes to a file, unless the output is, or is written as, a folder."""
    from byline.client.filter import Target

    out = said["out"]
    if out is None:
        return Target(mask=said["mask"])
    is_folder = out.endswith("/") or Path(out).is_dir() or len(sources) > 1 or Path(inputs[0]).is_dir()
    return Target(folder=Path(out)) if is_folder else Target(file=Path(out))


def in_words(document: Mapping[str, Any]) -> str:
    """The report for people."""
    feed = document["feed"]
    dropped = ", ".join(f"{count:,} by {kind}" for kind, count in document["dropped"].items()) or "none"
    lines = [
        (
            f"{document['rows_in']:,} rows in, {document['rows_out']:,} out; opted out: {dropped}; "
            f"unreadable: {document['unreadable']:,} ({document['on_unreadable']})"
        ),
        f"feed {feed['origin']} {feed['seq']} of {feed['time']}; for {document['for']['read_as']}",
    ]
    lines += [f"  {one['name']}: {_tier_in_words(one)}" for one in document["files"][:20]]
    lines += [f"cannot tell: {sentence}" for sentence in document["cannot_tell"]]
    return "\n".join(lines)


def _tier_in_words(one: Mapping[str, Any]) -> str:
    if one["tier"] == "row":
        return f"by its rows, as {', '.join(one['datasets'])} registered it"
    if one["tier"] == "item":
        return f"by the ids of {', '.join(dict.fromkeys(one['datasets']))}"
    return f"by fingerprints of {', '.join(one['columns'] or ())}: {one['why']}"

"""Known layouts: how the files of well-known datasets are read, and which of their columns are what.

A field may have several candidate columns; `fitted` takes the first that a file has, and leaves out what it has not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from byline.errors import Refused
from byline.formats.columns import parse_expression
from byline.formats.names import column_names, first_width
from byline.formats.numbered import ReadOptions

_YFCC_FIRST = (
    "ID", "UserNSID", "UserNickname", "DateTaken", "DateUploaded", "CaptureDevice", "Title",
    "Description", "UserTags", "MachineTags", "Longitude", "Latitude", "LongLatAcc", "PageURL", "DownloadURL",
    "LicenseName", "LicenseURL", "ServerIdentifier", "FarmIdentifier", "Secret", "OriginalSecret", "OriginalExtension",
    "Video",
)  # fmt: skip
_YFCC = ("LineNumber", "ID", "Hash", *_YFCC_FIRST[1:])


_WHOSE = frozenset({"url", "landing_url", "creator_name", "creator_url", "creator_id", "sha256"})


@dataclass(frozen=True)
class Preset:
    """A layout: what it is, how it is read, candidates for each field in order."""

    title: str
    reading: ReadOptions
    fields: Mapping[str, Sequence[str]]
    headers: Sequence[tuple[str, ...]] = ()
    """Of files without a header: what the columns of other editions are called, told apart by their number."""

    @property
    def options(self) -> ReadOptions:
        """The first candidates."""
        return _with(self.reading, {field: columns[0] for field, columns in self.fields.items()})

    def edition(self, width: int) -> Preset:
        """The edition whose records have `width` fields; Refused("wrong-preset") where none has."""
        known = [header for header in (self.reading.header, *self.headers) if header is not None]
        found = next((header for header in known if len(header) == width), None)
        if found is None:
            widths = " or ".join(str(len(header)) for header in known)
            raise Refused(
                "wrong-preset",
                f"the first record has {width} fields; {self.title} has {widths}",
                at="--preset",
            )
        return replace(self, reading=replace(self.reading, header=found))

    def fitted(self, names: Collection[str]) -> ReadOptions:
        """For a file with these columns; Refused("wrong-preset") where it has none of a preset's."""
        found = {field: _first(columns, names) for field, columns in self.fields.items()}
        columns = {field: column for field, column in found.items() if column is not None}
        # An id or a title alone is in many a file: keywords, captions, boxes of the same dataset.
        if not columns.keys() & _WHOSE & self.fields.keys():
            wanted = {column for field in self.fields.keys() & _WHOSE for column in self.fields[field]}
            raise Refused(
                "wrong-preset",
                f"the file has none of the columns of {self.title} that say whose an item is: "
                f"{', '.join(sorted(wanted))}; it has {', '.join(list(names)[:20])}",
                at="--preset",
            )
        return _with(self.reading, columns)


PRESETS: Mapping[str, Preset] = {
    # image_info_*.json and instances_*.json; the licence is a number that the document's own table explains.
    "coco": Preset(
        "COCO image lists",
        ReadOptions("json", {}, array="images"),
        {
            "url": ("coco_url",),
            "landing_url": ("flickr_url",),
            "license": ("license->licenses.url",),
            "title": ("file_name",),
            "item_id": ("id",),
        },
    ),
    "open-images": Preset(
        "Open Images image lists",
        ReadOptions("csv", {}),
        {
            "url": ("OriginalURL",),
            "landing_url": ("OriginalLandingURL",),
            "creator_name": ("Author",),
            "creator_url": ("AuthorProfileURL",),
            "license": ("License",),
            "title": ("Title",),
            "item_id": ("ImageID",),
        },
    ),
    # Tab-separated without a header or quotes; names and titles are form-encoded.
    "yfcc100m": Preset(
        "yfcc100m_dataset",
        ReadOptions("csv", {}, delimiter="\t", quoting=False, header=_YFCC),
        {
            "url": ("DownloadURL",),
            "landing_url": ("PageURL",),
            "creator_name": ("{UserNickname|form}",),
            "creator_id": ("UserNSID",),
            "license": ("LicenseURL",),
            "title": ("{Title|form}",),
            "item_id": ("ID",),
        },
        headers=(_YFCC_FIRST,),
    ),
    # ffhq-dataset-v2.json: an object of records by number.
    "ffhq": Preset(
        "ffhq-dataset-v2.json",
        ReadOptions("json", {}),
        {
            "landing_url": ("metadata.photo_url",),
            "creator_name": ("metadata.author",),
            "license": ("metadata.license_url", "metadata.license"),
            "title": ("metadata.photo_title",),
            "item_id": ("$key",),
        },
    ),
    # photos.tsv of the Unsplash dataset (Lite and Full).
    "unsplash": Preset(
        "Unsplash photos.tsv",
        ReadOptions("csv", {}, delimiter="\t"),
        {
            "url": ("photo_image_url",),
            "landing_url": ("photo_url",),
            "creator_name": ("{photographer_first_name} {photographer_last_name}",),
            "creator_url": ("https://unsplash.com/@{photographer_username}",),
            "title": ("photo_description",),
            "item_id": ("photo_id",),
        },
    ),
    # pass_metadata.csv has no URL; the hash is an MD5 without its leading zeros.
    "pass": Preset(
        "pass_metadata.csv",
        ReadOptions("csv", {}),
        {"creator_name": ("{unickname|form}",), "license": ("licensename",), "item_id": ("hash",)},
    ),
    # multimedia.txt of a Darwin Core Archive (GBIF): tab-separated, not quoted.
    "darwin-core": Preset(
        "a Darwin Core Archive's multimedia.txt",
        ReadOptions("csv", {}, delimiter="\t", quoting=False),
        {
            "url": ("identifier", "dcterms:identifier", "dc:identifier", "accessURI", "ac:accessURI"),
            "landing_url": (
                "references",
                "dcterms:references",
                "furtherInformationURL",
                "ac:furtherInformationURL",
            ),
            "creator_name": (
                "creator",
                "dcterms:creator",
                "dc:creator",
                "rightsHolder",
                "dcterms:rightsHolder",
            ),
            "license": ("license", "dcterms:license", "dcterms:rights", "rights", "dc:rights"),
            "title": ("title", "dcterms:title", "dc:title"),
        },
    ),
    # What img2dataset writes beside its shards, and what LAION's lists give it.
    "img2dataset": Preset(
        "img2dataset's or LAION's Parquet",
        ReadOptions("parquet", {}),
        {
            "url": ("url", "URL"),
            "creator_name": ("creator", "author"),
            "license": ("license", "LICENSE"),
            "title": ("caption", "TEXT"),
            "sha256": ("sha256",),
            "item_id": ("key", "SAMPLE_ID"),
        },
    ),
}


def preset(name: str) -> ReadOptions:
    """The options of a known layout; Refused("unknown-preset") names those that are known."""
    return layout(name).options


def layout(name: str) -> Preset:
    """A known layout by name."""
    if name not in PRESETS:
        raise Refused(
            "unknown-preset", f"the presets are {', '.join(PRESETS)}, not {name[:40]!r}", at="--preset"
        )
    return PRESETS[name]


def fitted(name: str, file: BinaryIO) -> ReadOptions:
    """How this file of a known layout is read: its edition, and of each field's candidates the column it has.

    Refused("unknown-preset"), Refused("wrong-preset") where it is another file.
    """
    known = layout(name)
    if known.reading.header is not None:
        known = known.edition(first_width(file, known.reading))
        file.seek(0)
    return known.fitted(column_names(file, known.reading))


def _first(columns: Sequence[str], names: Collection[str]) -> str | None:
    return next((column for column in columns if _is_there(column, names)), None)


def _is_there(column: str, names: Collection[str]) -> bool:
    paths = parse_expression(column, names).paths
    return all(path.startswith("$") or path.partition("->")[0] in names for path in paths)


def _with(reading: ReadOptions, columns: Mapping[str, str]) -> ReadOptions:
    return replace(reading, columns=columns)

"""The manifest predicate.

What a dataset version is, whose, made of which files, and what its publisher discloses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byline.errors import Refused
from byline.formats import statements
from byline.formats.fields import HEX64, Fields
from byline.formats.statements import DATASET_NAME, SLUG, VERSION, Claimed, Statement

FIELDS = (
    "url",
    "landing_url",
    "creator_name",
    "creator_url",
    "creator_id",
    "license",
    "title",
    "sha256",
    "item_id",
)
ROLES = ("holder", "observer")
FORMATS = ("parquet", "csv", "ndjson", "json")
VISIBILITIES = ("named", "withheld")
ON_BAD_ROWS = ("reject", "skip")
NOT_STATED = "not-stated"
PURPOSES = (
    "face-recognition",
    "face-analysis",
    "person-tracking",
    "surveillance",
    "classification",
    "object-detection",
    "segmentation",
    "pose-estimation",
    "captioning",
    "retrieval",
    "image-text-pretraining",
    "generative-training",
    "text-recognition",
    "medical",
    "geolocation",
    "evaluation",
    "research",
    "archive",
    "other",
    NOT_STATED,
)
ACCESS = (
    "open",
    "registration",
    "research-only",
    "on-request",
    "commercial",
    "internal",
    "discontinued",
    "other",
    NOT_STATED,
)
RESTRICTED = frozenset(
    {"registration", "research-only", "on-request", "commercial", "internal", "discontinued"}
)
"""What says that not everybody has the files."""
ANNOTATION_CATEGORIES = (
    "biometric",
    "demographic",
    "identity",
    "emotion",
    "health",
    "location",
    "pose",
    "caption",
    "label",
    "region",
    "transcript",
    "quality",
    "other",
    NOT_STATED,
)
METHODS = ("human", "machine", "mixed", NOT_STATED)
YES_NO = ("yes", "no", "partly", NOT_STATED)
REVOCABLE = ("yes", "no", "by-request", NOT_STATED)
MAX_PARENTS = 100
WITHHELD = "withheld"
IDENTIFYING = ("item_id", "url", "landing_url")
"""By the first of these that is mapped a file is known again, row by row: the column whose digest stands beside a row feed."""
_DATASET = re.compile(f"{SLUG.pattern}/{DATASET_NAME.pattern}", re.ASCII)


@dataclass(frozen=True)
class DatasetVersion:
    """`publisher/name@version`; `supersedes` is a manifest digest in hex."""

    publisher: str
    name: str
    version: str
    supersedes: str | None

    @property
    def dataset(self) -> str:
        """`publisher/name`."""
        return f"{self.publisher}/{self.name}"

    @property
    def label(self) -> str:
        """`publisher/name@version`."""
        return f"{self.dataset}@{self.version}"


@dataclass(frozen=True)
class RecordFile:
    """A real file by digest, and how many records it has (bad ones included: they take their number)."""

    name: str
    sha256: str
    records: int


@dataclass(frozen=True)
class Options:
    """What the strict reader needs besides the format; the same defaults as records.ReadOptions."""

    delimiter: str = ","
    quoting: bool = True
    header: tuple[str, ...] | None = None
    array: str | None = None


@dataclass(frozen=True)
class Withholding:
    """Of rows that are withheld: the key by its SHA-256, and of each file the digest of its identifying column.

    Nobody but the publisher can make those digests, as the values stay with the files; None where no such column is mapped.
    """

    key_sha256: str
    column_sha256: tuple[str | None, ...]


@dataclass(frozen=True)
class Records:
    """The records of all files together. `extract_rows` = `count` - `bad_rows`. `withheld`: None where rows are named."""

    count: int
    format: str
    columns: Mapping[str, str]
    files: tuple[RecordFile, ...]
    bad_rows: int
    on_bad_rows: str
    options: Options
    extract_rows: int
    extract_sha256: str
    withheld: Withholding | None = None

    @property
    def identifying(self) -> str | None:
        """The field whose column tells a file from a shuffled copy, if one is mapped."""
        return next((name for name in IDENTIFYING if name in self.columns), None)


@dataclass(frozen=True)
class Annotation:
    """What was added to the items, of which kind, by whom or what."""

    name: str
    category: str
    method: str


@dataclass(frozen=True)
class Disclosure:
    """What the publisher says about use and people.

    `not-stated` where it says nothing (`personal_data`: None).
    """

    purposes: tuple[str, ...]
    access: str
    contact: str | None
    annotations: tuple[Annotation, ...]
    notified: str
    consented: str
    revocable: str
    personal_data: bool | None

    @property
    def consent(self) -> dict[str, str]:
        """The three answers as they stand in the predicate."""
        return {"notified": self.notified, "consented": self.consented, "revocable": self.revocable}


@dataclass(frozen=True)
class Parent:
    """What a dataset was made from; it need not be registered."""

    dataset: str
    version: str | None
    digest: str | None


@dataclass(frozen=True)
class ManifestPredicate(Claimed):
    """A manifest, read."""

    dataset: DatasetVersion
    role: str
    croissant: Mapping[str, Any]
    records: Records
    disclosure: Disclosure
    derived_from: tuple[Parent, ...]
    visibility: str


def read_manifest(statement: Statement) -> ManifestPredicate:
    """Read a manifest statement whole; every refusal names the place."""
    if statement.predicate_type != statements.MANIFEST:
        raise Refused(
            "wrong-predicate-type",
            f"a statement of type {statements.MANIFEST} is needed here",
            at="predicateType",
        )
    fields = Fields(statement.predicate, "predicate")
    croissant = fields.take("croissant")
    if not isinstance(croissant, dict):
        raise fields.wrong("croissant", "an object: the Croissant document as you have it")
    predicate = ManifestPredicate(
        **vars(statements.claimed(fields)),
        dataset=_dataset(fields.inner("dataset")),
        role=fields.choice("role", ROLES),
        croissant=croissant,
        records=_records(fields.inner("records")),
        disclosure=_disclosure(fields.inner("disclosure")),
        derived_from=tuple(
            _parent(one) for one in fields.objects("derived_from", most=MAX_PARENTS, missing=[])
        ),
        visibility=fields.choice("visibility", VISIBILITIES, missing="named"),
    )
    fields.done()
    _check(statement, predicate)
    return predicate


def _check(statement: Statement, predicate: ManifestPredicate) -> None:
    records = predicate.records
    if [(one.name, one.sha256) for one in statement.subject] != [
        (one.name, one.sha256) for one in records.files
    ]:
        raise Refused(
            "wrong-subject",
            "records.files must name the subjects, in the same order",
            at="predicate.records.files",
        )
    if sum(one.records for one in records.files) != records.count:
        raise Refused(
            "counts-disagree",
            "records.count must be the sum over records.files",
            at="predicate.records.count",
        )
    if records.extract_rows + records.bad_rows != records.count:
        raise Refused(
            "counts-disagree",
            "extract.rows and bad_rows must add up to records.count",
            at="predicate.records.extract.rows",
        )
    _check_withheld(predicate)
    if records.bad_rows and records.on_bad_rows == "reject":
        raise Refused(
            "counts-disagree",
            'bad_rows may be above 0 only with on_bad_rows "skip"',
            at="predicate.records.bad_rows",
        )


def _check_withheld(predicate: ManifestPredicate) -> None:
    records, at = predicate.records, "predicate.records.withheld"
    if (predicate.visibility == WITHHELD) is not (records.withheld is not None):
        raise Refused(
            "withheld-disagrees",
            'records.withheld stands with visibility "withheld", and only with it: `byline manifest init --withheld KEY` writes both',
            at=at,
        )
    if records.withheld is None:
        return
    found = records.withheld.column_sha256
    if len(found) != len(records.files) or any(bool(one) is not bool(records.identifying) for one in found):
        raise Refused(
            "withheld-disagrees",
            f"column_sha256 has one digest for each file where one of {', '.join(IDENTIFYING)} is mapped, else one null",
            at=f"{at}.column_sha256",
        )


def _dataset(fields: Fields) -> DatasetVersion:
    made = DatasetVersion(
        publisher=fields.text("publisher", longest=64, pattern=SLUG),
        name=fields.text("name", longest=100, pattern=DATASET_NAME),
        version=fields.text("version", longest=64, pattern=VERSION),
        supersedes=fields.digest_or_none("supersedes"),
    )
    fields.done()
    return made


def _records(fields: Fields) -> Records:
    columns = fields.inner("columns")
    mapped = {
        name: columns.text(name, longest=200)
        for name in FIELDS
        if columns.take(name, missing=None) is not None
    }
    columns.done()
    if not mapped:
        raise fields.wrong("columns", f"a mapping of at least one of {', '.join(FIELDS)}")
    extract = fields.inner("extract")
    made = Records(
        count=fields.count("count"),
        format=fields.choice("format", FORMATS),
        columns=mapped,
        files=tuple(_file(one) for one in fields.objects("files", most=statements.MAX_SUBJECTS)),
        bad_rows=fields.count("bad_rows", missing=0),
        on_bad_rows=fields.choice("on_bad_rows", ON_BAD_ROWS, missing="reject"),
        options=_options(Fields(fields.take("options", missing={}), fields.place("options"))),
        extract_rows=extract.count("rows"),
        extract_sha256=extract.hex64("sha256"),
        withheld=_withheld(fields),
    )
    extract.done()
    fields.done()
    return made


def _withheld(fields: Fields) -> Withholding | None:
    if fields.take("withheld", missing=None) is None:
        return None
    inner = fields.inner("withheld")
    found = inner.items("column_sha256", most=statements.MAX_SUBJECTS)
    if not all(one is None or (isinstance(one, str) and HEX64.fullmatch(one)) for one in found):
        raise inner.wrong("column_sha256", "a list of 64 hex digits or null for each file")
    made = Withholding(inner.hex64("key_sha256"), tuple(found))
    inner.done()
    return made


def _file(fields: Fields) -> RecordFile:
    made = RecordFile(fields.text("name", longest=1024), fields.hex64("sha256"), fields.count("records"))
    fields.done()
    return made


def _options(fields: Fields) -> Options:
    delimiter = fields.take("delimiter", missing=",")
    quoting = fields.take("quoting", missing=True)
    header = fields.take("header", missing=None)
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise fields.wrong("delimiter", "one character, no quote and no line break")
    if not isinstance(quoting, bool):
        raise fields.wrong("quoting", "true or false")
    if header is not None:
        header = tuple(fields.items("header", most=10_000))
        if not all(isinstance(name, str) and 0 < len(name) <= 200 for name in header) or len(
            set(header)
        ) != len(header):
            raise fields.wrong("header", "different names of 1 to 200 characters")
    array = fields.text_or_none("array", longest=200)
    fields.done()
    return Options(delimiter, quoting, header, array)


def _disclosure(fields: Fields) -> Disclosure:
    purposes = fields.items("purposes", most=len(PURPOSES))
    if not purposes or any(one not in PURPOSES for one in purposes) or len(set(purposes)) != len(purposes):
        raise fields.wrong("purposes", f"different ones of {', '.join(PURPOSES)}")
    annotations = tuple(_annotation(one) for one in fields.objects("annotations", most=200))
    for name, stated in (("purposes", purposes), ("annotations", [one.category for one in annotations])):
        if NOT_STATED in stated and len(stated) > 1:
            raise fields.wrong(name, f"either stated or {NOT_STATED}, not both")
    consent = fields.inner("consent")
    contact = fields.text("contact", longest=500)
    personal_data = fields.take("personal_data")
    if not isinstance(personal_data, bool) and personal_data != NOT_STATED:
        raise fields.wrong("personal_data", f"true, false or {NOT_STATED}")
    made = Disclosure(
        purposes=tuple(purposes),
        access=fields.choice("access", ACCESS),
        contact=None if contact == NOT_STATED else contact,
        annotations=annotations,
        notified=consent.choice("notified", YES_NO),
        consented=consent.choice("consented", YES_NO),
        revocable=consent.choice("revocable", REVOCABLE),
        personal_data=None if personal_data == NOT_STATED else personal_data,
    )
    consent.done()
    fields.done()
    return made


def _annotation(fields: Fields) -> Annotation:
    made = Annotation(
        name=fields.text("name", longest=200),
        category=fields.choice("category", ANNOTATION_CATEGORIES),
        method=fields.choice("method", METHODS, missing=NOT_STATED),
    )
    fields.done()
    return made


def _parent(fields: Fields) -> Parent:
    made = Parent(
        dataset=fields.text("dataset", longest=165, pattern=_DATASET),
        version=fields.text_or_none("version", longest=64, pattern=VERSION),
        digest=fields.digest_or_none("digest"),
    )
    fields.done()
    return made

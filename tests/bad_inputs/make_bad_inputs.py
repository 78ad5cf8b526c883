"""Writes the bad inputs beside this script, and expected.json: what each must be answered with.

    python -m tests.bad_inputs.make_bad_inputs

`manifests/` are posted to a registry as `prepared` leaves it; `extracts/` are sent after their manifest; `files/` are read
as a publisher's own tools read them. `code` null: ugly, and taken all the same. The codes are a contract.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from byline.formats import envelope, statements
from byline.formats.keys import PrivateKey
from byline.formats.statements import Subject
from registry.database import transaction
from registry.models import Publisher
from tests.registry.publishing.desk import Desk, Extract, Registry, extract_of, records, registry_in, spoiled

HERE = Path(__file__).parent
LONG = "https://example.org/" + "a" * 6000


def seeded(number: int) -> PrivateKey:
    """The same key every time."""
    return PrivateKey(bytes([number]) * 32)


def good() -> Extract:
    """What is published before the bad ones come."""
    page = "https://www.flickr.com/photos/12345678@N00/{}/"
    return extract_of(records(*({"landing_url": page.format(n), "title": f"T{n}"} for n in range(5))))


def prepared(registry: Registry) -> Desk:
    """A publisher with a published dataset and a revoked key, and one that is suspended."""
    desk = Desk(registry, key=seeded(1))
    desk.register()
    added = desk.change_key("add", seeded(2))
    desk.change_key("revoke", seeded(2), previous=added)
    desk.publish(good())
    suspended = Desk(registry, slug="suspended-labs", key=seeded(3))
    suspended.register()
    with transaction(registry.sessions) as session:
        session.scalars(select(Publisher).where(Publisher.slug == "suspended-labs")).one().suspended = True
    return desk


@dataclass
class Folder:
    """Where the inputs go, and what is expected of them."""

    root: Path
    desk: Desk
    expected: list[dict[str, Any]] = field(default_factory=list)

    def write(self, name: str, data: bytes, code: str | None, why: str, **more: Any) -> None:
        """One file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.expected.append({"file": name, "code": code, "why": why, **more})

    def manifest(self, name: str, data: bytes, code: str, why: str) -> None:
        """An envelope to be refused on arrival."""
        self.write(f"manifests/{name}.dsse.json", data, code, why)

    def spoiled_manifest(
        self, name: str, code: str, why: str, change: Callable[[dict[str, Any]], None]
    ) -> None:
        """A manifest signed well over a spoiled predicate."""
        desk = self.desk
        sent = json.loads(base64.b64decode(json.loads(desk.manifest(good(), name="spoiled"))["payload"]))
        change(sent)
        self.manifest(name, envelope.sign(json.dumps(sent).encode(), desk.key), code, why)

    def payload(self, name: str, payload: bytes, code: str, why: str) -> None:
        """Any bytes, signed well."""
        self.manifest(name, envelope.sign(payload, self.desk.key), code, why)

    def extract(self, name: str, extract: Extract, code: str | None, why: str) -> None:
        """A manifest that is accepted, and the extract that is not."""
        self.write(
            f"extracts/{name}.parquet", extract.parts[0], code, why, manifest=f"extracts/{name}.dsse.json"
        )
        manifest = self.desk.manifest(extract, name=name)
        (self.root / f"extracts/{name}.dsse.json").write_bytes(manifest)

    def file(self, name: str, data: bytes, code: str, why: str, **options: Any) -> None:
        """A file as it lies at a publisher's; `row` where only a row of it is bad."""
        told = {"format": "csv", "columns": {"url": "URL"}, **options}
        self.write(f"files/{name}", data, code, why, **told)


def text_of(desk: Desk) -> dict[str, Any]:
    """A good envelope, opened."""
    found: dict[str, Any] = json.loads(desk.manifest(good(), name="envelope"))
    return found


def envelopes(to: Folder) -> None:
    """What is wrong before the predicate is read."""
    desk = to.desk
    fine = desk.manifest(good(), name="envelope")
    opened = text_of(desk)
    to.manifest("empty", b"", "not-json", "nothing at all")
    to.manifest("cut-short", fine[: len(fine) // 2], "not-json", "half an envelope")
    to.manifest("html-page", b"<html><body>502 Bad Gateway</body></html>", "not-json", "a proxy's page")
    to.manifest("byte-order-mark", b"\xef\xbb\xbf" + fine, "not-json", "a BOM before JSON")
    to.manifest(
        "not-base64",
        json.dumps({**opened, "payload": "%%%"}).encode(),
        "bad-envelope",
        "the payload is not base64",
    )
    to.manifest(
        "no-signatures", json.dumps({**opened, "signatures": []}).encode(), "bad-envelope", "nobody signed"
    )
    to.manifest(
        "many-signatures",
        json.dumps({**opened, "signatures": opened["signatures"] * 99}).encode(),
        "bad-envelope",
        "99 signatures",
    )
    to.manifest(
        "wrong-payload-type",
        envelope.sign(base64.b64decode(opened["payload"]), desk.key, "application/json"),
        "wrong-payload-type",
        "signed as something else",
    )
    changed = base64.b64decode(opened["payload"]).replace(b"research-only", b"open")
    again = {**opened, "payload": base64.b64encode(changed).decode()}
    to.manifest("changed-after-signing", json.dumps(again).encode(), "bad-signature", "one word was changed")
    to.manifest(
        "unknown-key",
        Desk(desk.registry, key=seeded(9)).manifest(good()),
        "unknown-key",
        "signed by a stranger",
    )
    to.manifest(
        "revoked-key",
        Desk(desk.registry, key=seeded(2)).manifest(good()),
        "revoked-key",
        "signed by a key that was revoked",
    )
    nobody = Desk(desk.registry, slug="nobody", key=seeded(9))
    to.manifest(
        "unknown-publisher", nobody.manifest(good()), "unknown-publisher", "nobody of that slug is registered"
    )
    suspended = Desk(desk.registry, slug="suspended-labs", key=seeded(3))
    to.manifest(
        "suspended-publisher",
        suspended.manifest(good()),
        "publisher-suspended",
        "the operator suspended them",
    )


def payloads(to: Folder) -> None:
    """Well signed, and not a statement that can be read in one way only."""
    fine = base64.b64decode(text_of(to.desk)["payload"])
    to.payload(
        "duplicate-member",
        fine.replace(b'"role"', b'"role":"observer","role"', 1),
        "duplicate-key",
        "one member twice",
    )
    to.payload("not-a-number", fine.replace(b'"count":5', b'"count":NaN', 1), "number-out-of-range", "NaN")
    to.payload(
        "integer-too-large",
        fine.replace(b'"count":5', b'"count":9007199254740993', 1),
        "number-out-of-range",
        "beyond 2^53-1",
    )
    to.payload(
        "fraction",
        fine.replace(b'"count":5', b'"count":5.0', 1),
        "float-not-allowed",
        "a count with a fraction",
    )
    to.payload(
        "too-deep",
        fine.replace(b'"croissant":{', b'"croissant":{"x":' + b"[" * 200 + b"]" * 200 + b",", 1),
        "too-deep",
        "200 brackets",
    )
    to.payload("not-utf8", fine.replace(b"Street", b"Stre\xff\xfe", 1), "not-utf8", "Latin-1 in JSON")
    to.payload(
        "nul-character", fine.replace(b"Street", b"Str\\u0000", 1), "nul-character", "U+0000 in a title"
    )
    to.payload("half-surrogate", fine.replace(b"Street", b"Str\\ud800", 1), "not-utf8", "half a character")
    filler = json.loads(fine)
    filler["predicate"]["croissant"]["description"] = "x" * 1_100_000
    packed = json.dumps(filler).encode()
    signed = json.dumps(
        {
            "payload": base64.b64encode(packed).decode(),
            "payloadType": envelope.PAYLOAD_TYPE,
            "signatures": [
                {"keyid": "", "sig": base64.b64encode(to.desk.key.sign(envelope.pae(packed))).decode()}
            ],
        }
    )
    # Packed only to lie here; what is posted is the JSON.
    packed = gzip.compress(signed.encode(), mtime=0)
    to.write("manifests/payload-too-large.dsse.json.gz", packed, "too-large", "more than 1 MiB")


def predicates(to: Folder) -> None:
    """Statements that say what cannot be."""
    spoil = to.spoiled_manifest

    def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
        def change(statement: dict[str, Any]) -> None:
            *way, last = path.split(".")
            place: Any = statement["predicate"]
            for step in way:
                place = place[int(step)] if step.isdigit() else place[step]
            if value is ...:
                del place[last]
            else:
                place[last] = value

        return change

    spoil(
        "from-another-registry",
        "replayed-from-another-registry",
        "made for another origin",
        put("origin", "registry.example.org"),
    )
    spoil("from-the-future", "made-in-the-future", "dated in 2099", put("made_at", "2099-01-01T00:00:00Z"))
    spoil("unknown-member", "unknown-member", "a member nobody asked for", put("disclosure.color", "red"))
    spoil("missing-disclosure", "missing-member", "says nothing about use", put("disclosure", ...))
    spoil(
        "unknown-purpose",
        "bad-member",
        "a purpose out of no list",
        put("disclosure.purposes", ["world-domination"]),
    )
    spoil(
        "name-climbs-out",
        "bad-member",
        "a dataset named ../../etc/passwd",
        put("dataset.name", "../../etc/passwd"),
    )
    spoil("name-in-capitals", "bad-member", "a name that is not a slug", put("dataset.name", "Faces"))
    spoil("count-is-text", "bad-member", "a count in quotes", put("records.count", "5"))
    spoil("count-is-true", "bad-member", "true is no number", put("records.count", True))
    spoil("counts-disagree", "counts-disagree", "the files do not add up", put("records.count", 6))
    spoil(
        "bad-rows-in-secret",
        "counts-disagree",
        "rows missing that nobody declared",
        put("records.extract.rows", 4),
    )
    spoil("no-columns", "bad-member", "nothing is mapped", put("records.columns", {}))
    spoil("unknown-column", "unknown-member", "a field that is none", put("records.columns.email", "Email"))
    spoil(
        "subject-is-another",
        "wrong-subject",
        "the files are not the subject",
        put("records.files.0.sha256", "0" * 64),
    )
    spoil("withheld", "withheld-disagrees", "withheld, and no key is named", put("visibility", "withheld"))
    spoil(
        "unknown-superseded",
        "unknown-superseded",
        "supersedes what was never here",
        put("dataset.supersedes", "sha256:" + "0" * 64),
    )
    spoil(
        "stale-previous",
        "stale-previous",
        "follows what was never said",
        put("previous", "sha256:" + "0" * 64),
    )

    def huge(statement: dict[str, Any]) -> None:
        found = statement["predicate"]["records"]
        found["count"] = found["extract"]["rows"] = found["files"][0]["records"] = 10**12

    spoil("a-trillion-records", "too-many-records", "more than is taken", huge)
    to.manifest("same-version-twice", to.desk.manifest(good()), "version-exists", "1.0.0 is here already")
    retraction = {
        **to.desk.common(),
        "dataset": {"publisher": "lumen-labs", "name": "street-portraits", "version": "1.0.0"},
    }
    subject = [Subject("lumen-labs/street-portraits@1.0.0", "0" * 64)]
    to.manifest(
        "retraction-as-manifest",
        to.desk.signed(statements.RETRACTION, subject, retraction),
        "wrong-predicate-type",
        "a retraction sent as a manifest",
    )


def written(table: pa.Table, **options: Any) -> bytes:
    """Parquet, plain unless said."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "zstd", "use_dictionary": False, **options})
    return sink.getvalue()


def rows_of(
    urls: pa.Array, *, file: list[int] | None = None, row: list[int | None] | None = None
) -> pa.Table:
    """An extract's table with a `url` column."""
    count = len(urls)
    return pa.table(
        {
            "file": pa.array(file if file is not None else np.zeros(count, np.int32), pa.int32()),
            "row": pa.array(row if row is not None else np.arange(count), pa.int64()),
            "url": urls,
        }
    )


def sent(table: pa.Table, *, said: int | None = None, **options: Any) -> Extract:
    """An extract a manifest says `said` rows of."""
    rows = table.num_rows if said is None else said
    return Extract((written(table, **options),), {"url": "URL"}, rows, "0" * 64, (rows,))


def extracts(to: Folder) -> None:
    """What comes after a manifest that was accepted."""
    fine = extract_of(records(*({"url": f"https://example.org/{n}.jpg"} for n in range(5))))
    three = pa.array(["a", "b", "c"])
    to.extract(
        "wrong-digest",
        spoiled(fine, sha256="0" * 64),
        "extract-digest-mismatch",
        "other records than the manifest names",
    )
    to.extract("fewer-rows", sent(rows_of(three), said=4), "wrong-row-count", "a row less than said")
    to.extract("more-rows", sent(rows_of(three), said=2), "wrong-row-count", "a row more than said")
    to.extract(
        "missing-column",
        sent(rows_of(three).drop_columns("url")),
        "wrong-columns",
        "the mapped column is not there",
    )
    to.extract(
        "other-column",
        sent(rows_of(three).rename_columns(["file", "row", "link"])),
        "wrong-columns",
        "another name",
    )
    to.extract(
        "unmapped-column",
        sent(rows_of(three).append_column("email", three)),
        "too-many-columns",
        "more than was mapped",
    )
    to.extract(
        "wrong-typed-column",
        sent(rows_of(pa.array([1, 2, 3]))),
        "wrong-column-type",
        "numbers where strings belong",
    )
    to.extract("rows-out-of-order", sent(rows_of(three, row=[0, 2, 1])), "bad-rows", "2 before 1")
    to.extract("row-twice", sent(rows_of(three, row=[0, 1, 1])), "bad-rows", "1 twice")
    to.extract("row-beyond-its-file", sent(rows_of(three, row=[0, 1, 99])), "bad-rows", "row 99 of 3")
    to.extract("unknown-file", sent(rows_of(three, file=[0, 0, 7])), "bad-rows", "file 7 of 1")
    to.extract("row-without-number", sent(rows_of(three, row=[0, 1, None])), "bad-rows", "no row number")
    to.extract(
        "huge-string", sent(rows_of(pa.array(["x" * 70_000, "b", "c"]))), "bad-rows", "a URL of 70,000 bytes"
    )
    to.extract("nul-in-a-url", sent(rows_of(pa.array(["a\0b", "b", "c"]))), "bad-rows", "U+0000")
    latin = pa.array([b"caf\xe9", b"b", b"c"])
    to.extract(
        "not-utf8", sent(rows_of(pa.StringArray.from_buffers(3, *latin.buffers()[1:]))), "bad-rows", "Latin-1"
    )
    to.extract(
        "csv-as-extract",
        replace(fine, parts=(b"file,row,url\n0,0,https://example.org/a.jpg\n",)),
        "not-parquet",
        "a CSV",
    )
    to.extract(
        "cut-short",
        replace(fine, parts=(fine.parts[0][:200],)),
        "not-parquet",
        "the upload was cut at its source",
    )
    to.extract(
        "thousands-of-columns",
        Extract(
            (written(pa.table({f"c{n}": three for n in range(1000)})),), {"url": "URL"}, 3, "0" * 64, (3,)
        ),
        "too-many-columns",
        "1,000 columns",
    )
    flat = {"row": "DELTA_BINARY_PACKED", "file": "DELTA_BINARY_PACKED"}
    one = pa.DictionaryArray.from_arrays(pa.array(np.zeros(400_000, np.int32)), pa.array([LONG]))
    to.extract(
        "six-kilobytes-of-gigabytes",
        sent(rows_of(one), use_dictionary=["url"], store_schema=False, column_encoding=flat),
        "extract-unfolds-too-far",
        "2.4 GB of strings in a dictionary of one",
    )
    to.extract(
        "millions-of-empty-rows",
        sent(rows_of(pa.nulls(3_000_000, pa.string())), column_encoding=flat),
        "extract-unfolds-too-far",
        "3 M rows in nothing",
    )
    to.extract(
        "compressed-a-thousandfold",
        sent(rows_of(pa.array([LONG] * 60_000))),
        "extract-unfolds-too-far",
        "a zip bomb in pages",
    )
    to.extract(
        "shared-prefixes",
        sent(rows_of(pa.array([LONG] * 500)), column_encoding={"url": "DELTA_BYTE_ARRAY"}),
        "unread-encoding",
        "an encoding that unfolds",
    )
    ugly = [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://x","y")',
        "@SUM(A1)",
        "Robert'); DROP TABLE contributor;--",
        "{{7*7}}",
        "\u202egpj.exe",
        "../../etc/passwd",
    ]
    to.extract(
        "html-and-formulas-in-names",
        extract_of(
            records(
                *({"creator_name": name, "url": f"https://example.org/{n}"} for n, name in enumerate(ugly))
            )
        ),
        None,
        "names are data; they are escaped where they are shown",
    )


def files(to: Folder) -> None:
    """What a publisher's own files may be like."""
    many = b"URL\n" + b"".join(b"https://example.org/%d.jpg\n" % n for n in range(20_000))
    packed = gzip.compress(many, mtime=0)
    to.file("cut-short.csv.gz", packed[: len(packed) // 2], "broken-compression", "half a gzip")
    to.file("spoiled.csv.gz", packed[:-8] + b"\0" * 8, "broken-compression", "the checksum is another")
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = (
        bomb.compress(b"URL\n") + b"".join(bomb.compress(b"a" * (1 << 20)) for _ in range(300)) + bomb.flush()
    )
    to.file("one-line-of-300-MB.csv.gz", data, "row-too-long", "a zip bomb", row=0)
    to.file(
        "no-such-column.csv",
        b"Link\nhttps://example.org/a.jpg\n",
        "missing-column",
        "the mapped column is not there",
    )
    to.file("empty.csv", b"", "no-header", "no header")
    to.file("column-twice.csv", b"URL,URL\na,b\n", "duplicate-column", "which one is meant?")
    to.file(
        "million-columns.csv.gz",
        gzip.compress(b"URL" + b",c" * 1_000_000 + b"\n", mtime=0),
        "bad-header",
        "a million columns",
    )
    to.file("not-utf8.csv", b"URL\ncaf\xe9\n", "not-utf8", "Latin-1", row=0)
    to.file("nul.csv", b"URL\na\0b\n", "nul-character", "U+0000", row=0)
    to.file(
        "unclosed-quote.csv",
        b'URL\n"https://example.org/a.jpg\n',
        "unclosed-quote",
        "a quote that never ends",
        row=0,
    )
    to.file("short-row.csv", b"URL,Title\nhttps://example.org/a.jpg\n", "short-row", "a field too few", row=0)
    to.file(
        "huge-value.csv", b"URL\n" + b"x" * 70_000 + b"\n", "row-too-long", "70,000 bytes in one field", row=0
    )
    to.file(
        "not-an-object.ndjson",
        b'["https://example.org/a.jpg"]\n',
        "not-an-object",
        "an array on a line",
        format="ndjson",
        row=0,
    )
    to.file(
        "member-twice.ndjson",
        b'{"URL":"a","URL":"b"}\n',
        "duplicate-key",
        "one member twice",
        format="ndjson",
        row=0,
    )
    to.file(
        "wrong-typed.parquet",
        written(pa.table({"URL": pa.array([[1], [2]])})),
        "wrong-column-type",
        "a list column",
        format="parquet",
    )
    to.file(
        "cut-short.parquet",
        written(pa.table({"URL": pa.array(["a"] * 100)}))[:150],
        "not-parquet",
        "half a Parquet",
        format="parquet",
    )


def make(root: Path, registry: Registry) -> list[dict[str, Any]]:
    """Write everything; what is expected."""
    to = Folder(root, prepared(registry))
    for group in (envelopes, payloads, predicates, extracts, files):
        group(to)
    return to.expected


def expected(root: Path = HERE) -> list[Mapping[str, Any]]:
    """As it was written last."""
    found: list[Mapping[str, Any]] = json.loads((root / "expected.json").read_text())
    return found


def main() -> None:
    """Write the folder anew."""
    for folder in ("manifests", "extracts", "files"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch, registry_in(Path(scratch) / "data") as registry:
        found = make(HERE, registry)
    (HERE / "expected.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

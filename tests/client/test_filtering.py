"""Filtering files: by the rows of a registered file, by fingerprints else; other bytes untouched, nothing half done."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from byline.cli.app import byline as command
from byline.client.feed import Feed, use_of
from byline.client.filter import Target, Wish, filter_files
from byline.client.layout import is_digest_name, is_url_name
from byline.client.sources import expand
from byline.errors import BylineError
from byline.formats.extract import ColumnDigest
from byline.formats.records import DEFAULT
from byline.formats.selectors import fingerprint
from byline.formats.unpack import unpacked
from tests.client.served import NOW, Served, every, row_entry

GONE = (2, 5)
URLS = [f"https://cdn.example.net/{at}.jpg" for at in range(7)]
PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    "bz2": bz2.compress,
    ".xz": lzma.compress,
    "zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
}
CSV = "id,url,note\r\n" + "".join(f'{at},{url},"a\n""{at}"""\r\n' for at, url in enumerate(URLS))


def table() -> pa.Table:
    """Seven rows with columns that must come through untouched."""
    return pa.table(
        {
            "id": pa.array(range(7), pa.int32()),
            "url": URLS,
            "tags": [["a"], [], None, ["b", "c"], ["d"], ["e"], ["f"]],
            "blob": [b"\0\xff"] * 7,
        }
    ).replace_schema_metadata({"made": "by hand"})


def column_digest(values: Sequence[str]) -> str:
    """As a registry finds it in an extract."""
    digest = ColumnDigest()
    digest.update(pa.array(range(len(values)), pa.int64()), pa.array(values))
    return digest.hexdigest()


class Desk:
    """Files to filter, and a feed that is made and synced when the first is filtered."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows, self.keys = folder, {}, every([fingerprint("u", URLS[at][8:]) for at in GONE])

    rows: dict[str, list[dict[str, Any]]]

    def file(self, name: str, data: bytes | pa.Table) -> Path:
        """A file with these bytes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            pq.write_table(data, path, compression="zstd")
        return path

    def register(self, path: Path, **more: Any) -> None:
        """Put a file into the row index: GONE by id goes."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows = more.pop("rows", {"any": GONE, "train-other": [2]})
        column = {"records": 7, "column": "id", "column_sha256": column_digest([str(at) for at in range(7)])}
        self.rows.setdefault(digest, []).append(row_entry(rows, **(column | more)))

    @property
    def state(self) -> Path:
        """The synced state."""
        folder = self.folder / "state"
        if not folder.exists():
            served = Served()
            served.publish(self.keys, rows=self.rows)
            served.sync(folder)
        return folder

    def filter(self, *words: Path | str, target: Target, **wish: Any) -> dict[str, Any]:
        """Filter, and give the report."""
        how = Wish(**{"use": use_of(None), **wish})
        return filter_files(expand(words), Feed.open(self.state, now=NOW), how, target=target)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty desk."""
    return Desk(tmp_path)


def kept_ids(path: Path) -> list[int]:
    """Ids in a filtered Parquet."""
    return [int(one) for one in pq.read_table(path)["id"].to_pylist()]


def test_a_registered_file_goes_by_its_rows(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.parquet", table())
    desk.register(path, rows={"any": [0, 6]})
    report = desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    assert kept_ids(tmp_path / "out.parquet") == [1, 2, 3, 4, 5]
    assert report["files"][0]["tier"] == "row"
    assert report["dropped"] == {"row": 2}


def test_another_copy_goes_by_its_fingerprints_and_says_what_they_cannot_express(
    desk: Desk, tmp_path: Path
) -> None:
    registered = desk.file("set.parquet", table())
    desk.register(registered)
    path = desk.file("copy.parquet", table().take(pa.array([6, 5, 4, 3, 2, 1, 0])))
    report = desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    assert kept_ids(tmp_path / "out.parquet") == [6, 4, 3, 1, 0]
    assert (report["files"][0]["tier"], report["files"][0]["reason"]) == ("key", "not-registered")
    assert report["dropped"] == {"u": 2}
    assert any("1 of 5 opt-outs" in sentence for sentence in report["cannot_tell"])


def test_rows_that_no_fingerprint_fits_are_counted_and_never_called_clean(desk: Desk, tmp_path: Path) -> None:
    pages = [f"https://www.flickr.com/photos/12345678@N00/5123456789{n}/" for n in range(3)]
    static = ["https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg"]
    path = desk.file("pages.parquet", pa.table({"url": pages + static}))
    report = desk.filter(path, target=Target())
    assert report["files"][0]["sampled"] == {"rows": 4, "no_fingerprint_fits": 3}
    assert any(
        "3 show only addresses that no fingerprint may stand for" in one for one in report["cannot_tell"]
    )
    held = desk.file("files.parquet", pa.table({"url": static}))
    assert not any("of the first rows" in one for one in desk.filter(held, target=Target())["cannot_tell"])


def test_an_object_where_a_link_stands_elsewhere_is_one_unreadable_row(desk: Desk) -> None:
    lines = [
        b'{"url": "https://e.example/1.jpg"}',
        b'{"url": {"a": "https://e.example/2.jpg"}}',
        b'{"url": ["x"]}',
    ]
    report = desk.filter(desk.file("mixed.ndjson", b"\n".join(lines)), target=Target())
    assert (report["rows_in"], report["unreadable"]) == (3, 2)


def test_lists_and_bytes_are_named_where_no_column_says_that_it_holds_links(desk: Desk) -> None:
    nested = {"urls": [["u"]], "images": [[{"src": "u"}]], "raw": [b"u"], "n": [1]}
    with pytest.raises(BylineError, match=r"'n'; also, when named, 'urls\.0', 'images\.0\.src', 'raw'"):
        desk.filter(desk.file("set.parquet", pa.table(nested)), target=Target())
    line = b'{"n": 1, "urls": ["u"], "meta": {"images": [{"src": "u"}]}}\n'
    with pytest.raises(BylineError, match=r"'n'; also, when named, 'urls\.0', 'meta\.images\.0\.src'"):
        desk.filter(desk.file("set.ndjson", line), target=Target())


@pytest.mark.parametrize("name", ["empty.csv", "empty.ndjson", "blank.jsonl", "empty.tsv", "empty.jsonl.gz"])
def test_a_shard_of_nothing_is_filtered_to_nothing(desk: Desk, tmp_path: Path, name: str) -> None:
    data = b"\n\n" if "blank" in name else b""
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    desk.file("full.parquet", pa.table({"url": URLS}))
    report = desk.filter(tmp_path / name, target=Target(file=tmp_path / f"out.{name}"))
    assert (report["rows_in"], report["rows_out"]) == (0, 0)
    assert (tmp_path / f"out.{name}").exists()


def test_other_columns_order_schema_and_metadata_stay(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.parquet", table())
    desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    keep = [at for at in range(7) if at not in GONE]
    assert pq.read_table(tmp_path / "out.parquet").equals(
        pq.read_table(path).take(pa.array(keep)), check_metadata=True
    )


def test_compression_and_dictionaries_stay(desk: Desk, tmp_path: Path) -> None:
    coded = pa.table({"url": pa.array(URLS).dictionary_encode(), "id": range(7)})
    path = desk.file("set.parquet", coded)
    desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    made = pq.ParquetFile(tmp_path / "out.parquet")
    assert made.schema_arrow == coded.schema
    assert made.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("registered", [True, False])
def test_a_csv_keeps_every_other_byte(desk: Desk, tmp_path: Path, registered: bool) -> None:  # noqa: FBT001
    data = b"\xef\xbb\xbf" + CSV.replace("\r\n3", "\r\n\r\n3").encode()
    path = desk.file("set.csv", data)
    if registered:
        desk.register(path)
    report = desk.filter(path, target=Target(file=tmp_path / "out.csv"))
    expected = data
    for at in GONE:
        expected = expected.replace(f'{at},{URLS[at]},"a\n""{at}"""\r\n'.encode(), b"")
    assert (tmp_path / "out.csv").read_bytes() == expected
    assert report["files"][0]["tier"] == ("row" if registered else "key")


def test_ndjson_keeps_every_other_byte(desk: Desk, tmp_path: Path) -> None:
    lines = [json.dumps({"meta": {"image_url": url}, "n": at}) + "\n" for at, url in enumerate(URLS)]
    path = desk.file("set.jsonl", "".join(lines).encode())
    desk.filter(path, target=Target(file=tmp_path / "out.jsonl"))
    expected = [line for at, line in enumerate(lines) if at not in GONE]
    assert (tmp_path / "out.jsonl").read_text() == "".join(expected)


@pytest.mark.parametrize("name", ["set.csv.gz", "set.csv.bz2", "set.csv.xz", "set.csv.zst", "set.tsv000"])
def test_a_packed_file_stays_packed(desk: Desk, tmp_path: Path, name: str) -> None:
    plain = CSV.replace(",", "\t") if "tsv" in name else CSV
    path = desk.file(name, PACK.get(name[-3:], bytes)(plain.encode()))
    desk.filter(path, target=Target(folder=tmp_path / "out"))
    data = (tmp_path / "out" / name).read_bytes()
    assert (data[:3] == plain.encode()[:3]) == (name == "set.tsv000")
    assert b"".join(unpacked(io.BytesIO(data), DEFAULT)).count(b"cdn.example.net") == 5


def test_a_bad_row_is_dropped_or_kept_whole_as_asked(desk: Desk, tmp_path: Path) -> None:
    data = f'id,url\n0,{URLS[0]}\n1,"{URLS[1]}\n2,{URLS[2]}\n3,\n'.encode()
    path = desk.file("set.csv", data)
    dropped = desk.filter(path, target=Target(file=tmp_path / "a.csv"))
    kept = desk.filter(path, target=Target(file=tmp_path / "b.csv"), on_unreadable="keep")
    assert (tmp_path / "a.csv").read_text() == f"id,url\n0,{URLS[0]}\n"
    assert (tmp_path / "b.csv").read_text() == f'id,url\n0,{URLS[0]}\n1,"{URLS[1]}\n3,\n'
    assert (dropped["unreadable"], kept["unreadable"]) == (2, 2)
    assert (dropped["rows_out"], kept["rows_out"]) == (1, 3)


def test_a_bad_row_of_several_blocks_is_dropped_whole(desk: Desk, tmp_path: Path) -> None:
    long = b"x" * 6_000_000
    path = desk.file("set.csv", b"id,url\n1," + long + b"\n2," + URLS[0].encode() + b"\n")
    desk.filter(path, target=Target(file=tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_bytes() == b"id,url\n2," + URLS[0].encode() + b"\n"


def test_a_registered_csv_with_bad_rows_is_still_known_by_its_rows(desk: Desk, tmp_path: Path) -> None:
    data = b"id,url\n0,a\nbad\n2,b\n"
    path = desk.file("set.csv", data)
    digest = ColumnDigest()
    digest.update(pa.array([0, 2]), pa.array(["0", "2"]))
    desk.register(path, records=3, column_sha256=digest.hexdigest(), rows={"any": [2]})
    report = desk.filter(path, target=Target(file=tmp_path / "out.csv"), on_unreadable="keep")
    assert (tmp_path / "out.csv").read_bytes() == b"id,url\n0,a\nbad\n"
    assert (report["files"][0]["tier"], report["unreadable"]) == ("row", 1)


@pytest.mark.parametrize("wrong", [{"records": 8}, {"column_sha256": "0" * 64}, {"column": "nope"}])
def test_a_file_whose_records_are_others_than_registered_goes_by_fingerprints(
    desk: Desk, tmp_path: Path, wrong: Any
) -> None:
    path = desk.file("set.parquet", table())
    desk.register(path, **wrong)
    report = desk.filter(path, target=Target(mask=tmp_path / "m.npy"))
    assert report["files"][0]["reason"] == "records-differ"


def test_rows_beyond_the_file_are_refused(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.parquet", table())
    desk.register(path, rows={"any": [7]})
    with pytest.raises(BylineError) as caught:
        desk.filter(path, target=Target(mask=tmp_path / "m.npy"))
    assert caught.value.code == "bad-row-feed"
    assert not (tmp_path / "m.npy").exists()


@pytest.mark.parametrize("name", ["set.txt", "yfcc100m_dataset", "urls.list"])
def test_a_headerless_file_is_read_as_its_publisher_read_it(desk: Desk, tmp_path: Path, name: str) -> None:
    """Whatever it is called: its digest says how."""
    path = desk.file(name, "".join(f'{at}\t"{url}\n' for at, url in enumerate(URLS)).encode())
    options = {"delimiter": "\t", "quoting": False, "header": ["id", "url"]}
    desk.register(path, format="csv", options=options, columns={"item_id": "id", "url": "url"})
    desk.filter(path, target=Target(file=tmp_path / "out.txt"))
    assert [line[0] for line in (tmp_path / "out.txt").read_text().splitlines()] == ["0", "1", "3", "4", "6"]


@pytest.mark.parametrize(
    ("entries", "dataset", "tier", "reason"),
    [
        ([{}, {"dataset": "other/set"}], None, "key", "several-holders"),
        ([{}, {"dataset": "other/set"}], "other/set@1", "row", None),
        ([{}, {"dataset": "other/set"}], "other/set", "row", None),
        ([{}], "other/set@1", "key", "not-in-dataset"),
        ([{"holder_approved": False, "role": "observer"}], None, "key", "observers-only"),
        ([{"holder_approved": False, "role": "observer"}], "pub/set@1", "row", None),
        ([{}, {"dataset": "watch/set", "holder_approved": False}], None, "row", None),
        ([{}, {"version": "2"}], None, "row", None),
    ],
)
def test_a_row_feed_applies_where_one_approved_holder_names_the_file(
    desk: Desk,
    tmp_path: Path,
    entries: list[dict[str, Any]],
    dataset: str | None,
    tier: str,
    reason: str | None,
) -> None:
    path = desk.file("set.parquet", table())
    for entry in entries:
        desk.register(path, **entry)
    report = desk.filter(path, target=Target(mask=tmp_path / "m.npy"), dataset=dataset)
    assert (report["files"][0]["tier"], report["files"][0]["reason"]) == (tier, reason)


def test_versions_of_one_holder_are_joined(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.parquet", table())
    desk.register(path, rows={"any": [1]})
    desk.register(path, version="2", rows={"any": [3]})
    desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    assert kept_ids(tmp_path / "out.parquet") == [0, 2, 4, 5, 6]


@pytest.mark.parametrize(
    ("use", "kept"),
    [("train-other", [0, 1, 3, 4, 5, 6]), ("ai-search", list(range(7))), ("what?", [0, 1, 3, 4, 6])],
)
def test_rows_go_by_use_and_an_unknown_use_is_any(
    desk: Desk, tmp_path: Path, use: str, kept: list[int]
) -> None:
    path = desk.file("set.parquet", table())
    desk.register(path)
    desk.filter(path, target=Target(file=tmp_path / "out.parquet"), use=use_of(use))
    assert kept_ids(tmp_path / "out.parquet") == kept


@pytest.mark.parametrize("registered", [True, False])
def test_a_mask_has_a_flag_for_every_row_of_all_files(desk: Desk, tmp_path: Path, registered: bool) -> None:  # noqa: FBT001
    first, second = desk.file("a/1.parquet", table()), desk.file("a/2.csv", CSV.encode())
    if registered:
        desk.register(first)
        desk.register(second)
    desk.filter(tmp_path / "a", target=Target(mask=tmp_path / "m.npy"))
    assert np.flatnonzero(~np.load(tmp_path / "m.npy")).tolist() == [2, 5, 9, 12]


def test_a_mask_may_be_a_table(desk: Desk, tmp_path: Path) -> None:
    desk.file("a/1.parquet", table())
    desk.filter(tmp_path / "a", target=Target(mask=tmp_path / "m.parquet"))
    rows = pq.read_table(tmp_path / "m.parquet").to_pylist()
    assert rows[2] == {"file": "1.parquet", "row": 2, "keep": False}


def test_a_folder_is_filtered_into_a_folder(desk: Desk, tmp_path: Path) -> None:
    desk.file("in/a/1.parquet", table())
    desk.file("in/2.csv", CSV.encode())
    desk.file("in/.hidden.csv", b"x")
    desk.file("in/readme.md", b"x")
    report = desk.filter(tmp_path / "in", target=Target(folder=tmp_path / "out"))
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert made == ["2.csv", "a/1.parquet"]
    assert (report["rows_in"], report["rows_out"]) == (14, 10)


def test_one_file_that_fails_leaves_no_output_at_all(desk: Desk, tmp_path: Path) -> None:
    desk.file("in/1.csv", CSV.encode())
    desk.file("in/2.parquet", b"rubbish")
    with pytest.raises(BylineError):
        desk.filter(tmp_path / "in", target=Target(folder=tmp_path / "out"))
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda desk: desk.file("x.csv", b"id,name\n1,a\n"), "no-url-column"),
        (lambda desk: desk.file("x.csv", b"id;url\n1;https://a.example/\n"), "no-url-column"),
        (lambda desk: desk.file("x.bin", b"id,url\n"), "unknown-format"),
        (lambda desk: desk.file("x.json", b'[{"url":"https://a.example/"}]'), "cannot-rewrite"),
    ],
)
def test_what_cannot_be_filtered_is_refused(
    desk: Desk, tmp_path: Path, make: Callable[[Desk], Path], code: str
) -> None:
    path = make(desk)
    with pytest.raises(BylineError) as caught:
        desk.filter(path, target=Target(folder=tmp_path / "out"))
    assert caught.value.code == code


def test_an_input_is_never_written_over(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    with pytest.raises(BylineError) as caught:
        desk.filter(path, target=Target(folder=tmp_path))
    assert caught.value.code == "would-overwrite"
    assert path.read_bytes() == CSV.encode()


def test_another_format_is_not_written(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    with pytest.raises(BylineError) as caught:
        desk.filter(path, target=Target(file=tmp_path / "out.parquet"))
    assert caught.value.code == "other-format"


def test_no_report_says_clean(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    report = desk.filter(path, target=Target(mask=tmp_path / "m.npy"))
    assert "clean" not in json.dumps(report)
    assert report["coverage"]["opt_outs"] == 5


def test_several_processes_answer_as_one(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.parquet", pa.concat_tables([table()] * 30_000))
    sources, feed = expand([path]), Feed.open(desk.state, now=NOW)
    wish = Wish(use=use_of(None))
    reports = [
        filter_files(sources, feed, wish, target=Target(mask=tmp_path / f"{jobs}.npy"), jobs=jobs)
        for jobs in (1, 2)
    ]
    assert reports[0] == reports[1]
    assert (tmp_path / "1.npy").read_bytes() == (tmp_path / "2.npy").read_bytes()


@pytest.mark.parametrize(
    "name",
    ["url", "URL", "URLs", "image_url", "flickr_url", "OriginalURL", "OriginalLandingURL", "landing", "identifier",
     "photo_image_url", "metadata.photo_url", "Thumbnail300KURL", "PageURL", "references", "imageUrl"],
)  # fmt: skip
def test_a_column_of_addresses_is_known_by_its_name(name: str) -> None:
    assert is_url_name(name)


@pytest.mark.parametrize(
    "name", ["license_url", "AuthorProfileURL", "creator_url", "title", "source", "surly", "id"]
)
def test_a_column_of_something_else_is_not_taken_for_addresses(name: str) -> None:
    assert not is_url_name(name)


@pytest.mark.parametrize(
    ("name", "is_one"), [("sha256", True), ("image_SHA256", True), ("sha_256", True), ("hash", False)]
)
def test_a_column_of_digests_is_known_by_its_name(name: str, is_one: bool) -> None:  # noqa: FBT001
    assert is_digest_name(name) == is_one


def run(*words: str) -> Any:
    """`byline …` in this process."""
    return CliRunner().invoke(command, list(words))


def test_without_a_feed_the_command_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    done = run(
        "filter", str(path), "-o", str(tmp_path / "out.csv"), "--state", str(tmp_path / "none"), "--json"
    )
    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, "no-state")
    assert not (tmp_path / "out.csv").exists()


def test_with_a_stale_feed_the_command_writes_nothing(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    done = run(
        "filter",
        str(path),
        "-o",
        str(tmp_path / "out.csv"),
        "--state",
        str(desk.state),
        "--max-age",
        "1s",
        "--json",
    )
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] in {"feed-stale", "feed-expired"}
    assert not (tmp_path / "out.csv").exists()


def test_the_command_exits_0_also_when_rows_were_dropped(desk: Desk, tmp_path: Path) -> None:
    path = desk.file("set.csv", CSV.encode())
    out = tmp_path / "out.csv"
    done = run("filter", str(path), "-o", str(out), "--state", str(desk.state), "--pin", "1", "--json")
    assert (done.exit_code, json.loads(done.stdout)["rows_out"]) == (0, 5)


@pytest.mark.parametrize(
    "words", [[], ["--report-only", "--mask", "m.npy"], ["--max-age", "soon", "--report-only"]]
)
def test_the_command_wants_to_know_where_to(desk: Desk, words: list[str]) -> None:
    path = desk.file("set.csv", CSV.encode())
    assert run("filter", str(path), "--state", str(desk.state), *words).exit_code == 2


def test_the_report_reads_like_sentences(desk: Desk) -> None:
    path = desk.file("set.csv", CSV.encode())
    done = run(
        "filter", str(path), "--report-only", "--state", str(desk.state), "--pin", "1", "--for", "nonsense"
    )
    assert "7 rows in, 5 out; opted out: 2 by u; unreadable: 0 (drop)" in done.stdout
    assert "cannot tell: 1 of 1 files were asked about by fingerprints only" in done.stdout
    assert "'nonsense' is no category this feed knows" in done.stderr

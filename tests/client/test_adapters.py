"""The tools people train with, as they are: docs/guides/downstream.md shows these lines, and this runs the real libraries."""

from __future__ import annotations

import gc
import io
import json
import pickle
import tarfile
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import byline
from byline.cli.app import byline as command
from byline.client.feed import Feed
from byline.formats.selectors import fingerprint
from tests.client.served import NOW, Served, every

GONE = {2, 5}
URLS = [f"https://cdn.example.net/{at}.jpg" for at in range(7)]
LEFT = [url for at, url in enumerate(URLS) if at not in GONE]
DIGESTS = [f"{at:064x}" for at in range(7)]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synced feed that names two of seven URLs and one digest; good for ten years."""
    folder = tmp_path_factory.mktemp("state")
    served = Served()
    keys = [*(fingerprint("u", URLS[at][8:]) for at in GONE), fingerprint("sha256", DIGESTS[3])]
    served.publish(every(keys), lifetime=NOW.resolution * 10**6 * 86_400 * 3_650)
    served.sync(folder)
    return folder


@pytest.fixture
def feed(state: Path) -> Feed:
    return byline.Feed.open(state, pin=1)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of two Parquet files."""
    (tmp_path / "shards").mkdir()
    for at, rows in enumerate((slice(0, 4), slice(4, 7))):
        table = pa.table({"url": URLS[rows], "sha256": ["f" * 64] * len(URLS[rows])})
        pq.write_table(table, tmp_path / "shards" / f"{at}.parquet")
    return tmp_path / "shards"


def test_pandas(feed: Feed) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"url": URLS})
    frame = frame[feed.mask(frame["url"])]
    assert frame["url"].tolist() == LEFT


def test_pandas_with_missing_urls(feed: Feed) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"url": [*URLS, None, float("nan")]})
    assert frame[feed.mask(frame["url"])]["url"].tolist() == LEFT


def test_polars(feed: Feed) -> None:
    frame = pl.DataFrame({"url": [*URLS, None]})
    frame = frame.filter(feed.mask(frame["url"]))
    assert frame["url"].to_list() == LEFT


def test_polars_lazily(feed: Feed, shards: Path) -> None:
    keep = pl.col("url").map_batches(lambda urls: pl.Series(feed.mask(urls)), return_dtype=pl.Boolean)
    assert pl.scan_parquet(shards / "*.parquet").filter(keep).collect()["url"].to_list() == LEFT


def test_duckdb(feed: Feed, shards: Path) -> None:
    con = duckdb.connect()
    con.create_function(  # type: ignore[call-overload]
        "may_use", lambda urls: pa.array(feed.mask(urls)), ["VARCHAR"], "BOOLEAN", type="arrow"
    )
    found = con.sql(f"SELECT url FROM '{shards}/*.parquet' WHERE may_use(url) ORDER BY url").fetchall()
    assert [url for (url,) in found] == LEFT


def test_a_parquet_folder_batch_by_batch(feed: Feed, shards: Path) -> None:
    batches = [batch.filter(pa.array(feed.mask(batch["url"]))) for batch in ds.dataset(shards).to_batches()]
    assert pa.Table.from_batches(batches)["url"].to_pylist() == LEFT


def test_a_parquet_folder_as_a_mask(state: Path, shards: Path, tmp_path: Path) -> None:
    words = [
        "filter",
        str(shards),
        "--mask",
        str(tmp_path / "keep.npy"),
        "--state",
        str(state),
        "--url-column",
        "url",
    ]
    assert CliRunner().invoke(command, [*words, "--pin", "1"], catch_exceptions=False).exit_code == 0
    assert np.load(tmp_path / "keep.npy").tolist() == [at not in GONE for at in range(7)]


def test_hugging_face_datasets(feed: Feed) -> None:
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_dict({"url": URLS, "id": list(range(7))})
    dataset = dataset.filter(lambda urls: feed.mask(urls).tolist(), batched=True, input_columns="url")
    assert dataset["url"][:] == LEFT


def test_hugging_face_datasets_knows_a_filter_it_did_before(feed: Feed, tmp_path: Path) -> None:
    """The same feed, the same fingerprint: the second run takes what the first one kept."""
    fingerprints = pytest.importorskip("datasets.fingerprint")
    assert fingerprints.Hasher.hash(feed) == fingerprints.Hasher.hash(pickle.loads(pickle.dumps(feed)))  # noqa: S301 - made here


def test_hugging_face_datasets_as_a_stream(feed: Feed) -> None:
    datasets = pytest.importorskip("datasets")
    stream = datasets.Dataset.from_dict({"url": URLS}).to_iterable_dataset()
    stream = stream.filter(lambda urls: feed.mask(urls).tolist(), batched=True, input_columns="url")
    assert [row["url"] for row in stream] == LEFT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves its files open
def test_webdataset_drops_before_it_decodes(feed: Feed, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for at, url in enumerate(URLS):
            for ending, data in (("jpg", b"no picture"), ("json", json.dumps({"url": url}).encode())):
                member = tarfile.TarInfo(f"{at:05}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    found = wds.WebDataset(str(tmp_path / "0.tar"), shardshuffle=False, empty_check=False)
    found = found.select(lambda sample: feed.mask([json.loads(sample["json"])["url"]])[0])
    samples = list(found)
    assert [json.loads(sample["json"])["url"] for sample in samples] == LEFT
    del found, samples
    gc.collect()


def test_img2dataset_gets_a_list_without_them(state: Path, tmp_path: Path) -> None:
    """Its input is a list of URLs in a file."""
    pq.write_table(pa.table({"url": URLS, "caption": list("abcdefg")}), tmp_path / "list.parquet")
    words = [
        "filter",
        str(tmp_path / "list.parquet"),
        "-o",
        str(tmp_path / "kept.parquet"),
        "--state",
        str(state),
    ]
    assert CliRunner().invoke(command, [*words, "--pin", "1"], catch_exceptions=False).exit_code == 0
    assert pq.read_table(tmp_path / "kept.parquet")["url"].to_pylist() == LEFT


def test_what_img2dataset_has_downloaded_is_asked_by_its_digests_too(state: Path, tmp_path: Path) -> None:
    """Its Parquet beside each shard has the columns it had, and `sha256` of each file as it came."""
    table = pa.table({"url": URLS, "key": DIGESTS, "status": ["success"] * 7, "sha256": DIGESTS})
    pq.write_table(table, tmp_path / "00000.parquet")
    words = [
        "filter",
        str(tmp_path / "00000.parquet"),
        "-o",
        str(tmp_path / "kept.parquet"),
        "--state",
        str(state),
    ]
    done = CliRunner().invoke(command, [*words, "--pin", "1", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["dropped"] == {"u": 2, "sha256": 1}
    assert pq.read_table(tmp_path / "kept.parquet")["url"].to_pylist() == [
        url for url in LEFT if url != URLS[3]
    ]


def test_datacomp_gets_its_list_of_uids(feed: Feed, tmp_path: Path) -> None:
    """A sorted .npy of 128-bit uids as `u8,u8`: what its resharder takes as --subset-file."""
    uids = [f"{at * 7919 % 8191:016x}{at:016x}" for at in range(7)]
    table = pa.table({"uid": uids, "url": URLS})
    kept = table["uid"].filter(pa.array(feed.mask(table["url"]))).to_pylist()
    np.save(
        tmp_path / "keep.npy", np.sort(np.array([(int(u[:16], 16), int(u[16:], 16)) for u in kept], "u8,u8"))
    )
    found = np.load(tmp_path / "keep.npy")
    assert found.dtype == np.dtype("u8,u8")
    assert {f"{a:016x}{b:016x}" for a, b in found.tolist()} == {uids[at] for at in range(7) if at not in GONE}
    assert found.tolist() == sorted(found.tolist())


def test_lines_go_from_stdin_to_stdout_byte_for_byte(state: Path) -> None:
    lines = "".join(f"{url}\r\n" for url in URLS) + "no url\n\xff\n\nhttps://example.org/last"
    words = ["filter", "-", "-o", "-", "--state", str(state), "--pin", "1", "--json"]
    done = CliRunner().invoke(command, words, input=lines.encode("latin-1"), catch_exceptions=False)
    assert done.stdout_bytes == "".join(f"{url}\r\n" for url in LEFT).encode() + b"https://example.org/last"
    report = json.loads(done.stderr)
    assert (report["rows_in"], report["rows_out"], report["unreadable"]) == (11, 6, 3)


@pytest.mark.parametrize(
    "words", [["-", "-o", "x"], ["a", "-o", "-"], ["-", "a", "-o", "-"], ["-", "--report-only"]]
)
def test_lines_are_for_pipes_only(state: Path, words: list[str]) -> None:
    assert CliRunner().invoke(command, ["filter", *words, "--state", str(state)]).exit_code == 2


def test_without_a_feed_no_line_comes_through(tmp_path: Path) -> None:
    words = ["filter", "-", "-o", "-", "--state", str(tmp_path / "nothing")]
    done = CliRunner().invoke(command, words, input="https://example.org/\n")
    assert (done.exit_code, done.stdout) == (1, "")


def test_a_feed_goes_into_other_processes(feed: Feed) -> None:
    other = pickle.loads(pickle.dumps(feed))  # noqa: S301 - made here
    assert other.mask(URLS).tolist() == feed.mask(URLS).tolist()

"""img2dataset itself, in an environment of its own (`make outsiders`): it fetches what the filter left, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from byline.cli.app import byline
from byline.formats.selectors import fingerprint
from byline.formats.urls import canonical_url
from tests.client.served import NOW, Served, every

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv/img2dataset/bin/img2dataset"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs img2dataset (make outsiders)")
GONE, RETRACTED, COUNT = 2, 4, 6


def png(shade: int) -> bytes:
    """A picture of 8 by 8 in one shade of grey (PNG, 8 bits)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * 8) * 8
    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    """Where the pictures are, and the paths somebody asked for."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """A picture in the shade its name says."""
            asked.append(self.path)
            body = png(int(self.path.strip("/").partition(".")[0]) * 20)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def filtered(words: list[str]) -> dict[str, object]:
    done = CliRunner().invoke(byline, ["filter", *words, "--pin", "1", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_it_fetches_what_the_filter_left_and_its_digests_are_asked_about(
    site: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = site
    urls = [f"{address}/{at}.png" for at in range(COUNT)]
    digest = hashlib.sha256(png(RETRACTED * 20)).hexdigest()
    served = Served()
    keys = [fingerprint("u", canonical_url(urls[GONE]) or ""), fingerprint("sha256", digest)]
    served.publish(every(keys), lifetime=NOW.resolution * 10**6 * 86_400 * 3_650)
    served.sync(tmp_path / "state")
    pq.write_table(pa.table({"url": urls, "caption": list("abcdef")}), tmp_path / "list.parquet")
    kept, out = tmp_path / "kept.parquet", tmp_path / "out"
    state = ["--state", str(tmp_path / "state")]
    assert filtered([str(tmp_path / "list.parquet"), "-o", str(kept), *state])["dropped"] == {"u": 1}

    done = subprocess.run(
        [str(PROGRAM), "--url_list", str(kept), "--input_format", "parquet", "--url_col", "url", "--caption_col", "caption",
         "--output_folder", str(out), "--output_format", "webdataset", "--processes_count", "1", "--thread_count", "2",
         "--resize_mode", "no", "--skip_reencode", "True", "--compute_hash", "sha256", "--enable_wandb", "False"],
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1", "HOME": str(tmp_path)},
        check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    assert sorted(set(asked)) == sorted(f"/{at}.png" for at in range(COUNT) if at != GONE)

    shard = pq.read_table(out / "00000.parquet")
    assert (
        dict(zip(shard["url"].to_pylist(), shard["sha256"].to_pylist(), strict=True))[urls[RETRACTED]]
        == digest
    )
    report = filtered([str(out / "00000.parquet"), "-o", str(tmp_path / "left.parquet"), *state])
    assert report["dropped"] == {"sha256": 1}
    left = set(pq.read_table(tmp_path / "left.parquet")["url"].to_pylist())
    assert left == {url for at, url in enumerate(urls) if at not in {GONE, RETRACTED}}

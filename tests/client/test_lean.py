"""The command's own processes do without pandas; a process of somebody else's keeps it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_RUN = """
import sys
from byline.cli import main
try:
    main()
finally:
    print("pandas" in sys.modules, file=sys.stderr)
"""


def test_a_command_that_reads_columns_does_without_pandas(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("id,url\n1,https://example.org/1.jpg\n2,\n")
    words = [
        "manifest",
        "init",
        "--dataset",
        "lab/set",
        "--version",
        "1",
        "--records",
        str(tmp_path / "set.csv"),
    ]
    words += ["--map", "url=url", "--map", "item_id=id", "--offline", "-o", str(tmp_path / "draft.json")]
    done = subprocess.run([sys.executable, "-c", _RUN, *words], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr.split()[-1]) == (0, "False"), done.stderr


def test_whoever_asks_a_feed_in_a_program_keeps_pandas() -> None:
    program = "import byline, pandas, pyarrow; print(pyarrow.array([1]).to_pandas().sum())"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["1"]

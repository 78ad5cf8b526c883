"""What the docs name exists, and what exists is named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from byline.client.evidence import TO_DO
from tests.house.error_codes import page


def test_the_map_of_the_house_names_only_folders_that_exist(root: Path) -> None:
    named = re.findall(r"^\| `([a-z/]+)` \|", (root / "docs/architecture.md").read_text(), re.MULTILINE)
    assert named
    assert [folder for folder in named if not (root / folder).is_dir()] == []


def test_every_room_of_the_registry_is_on_the_map(root: Path) -> None:
    text = (root / "docs/architecture.md").read_text()
    rooms = [path.parent.name for path in (root / "registry").glob("*/__init__.py")]
    assert [room for room in rooms if f"`registry/{room}`" not in text] == []


def test_the_page_of_error_codes_is_what_the_source_says(root: Path) -> None:
    assert (root / "docs/errors.md").read_text(encoding="utf-8") == page()


def test_every_dependency_has_its_reason(root: Path) -> None:
    text = (root / "docs/dependencies.md").read_text().lower()
    lines = (root / "requirements/server.in").read_text().splitlines()
    names = [re.split(r"[\[>=<,]", line)[0].strip().lower() for line in lines if line and line[0].isalnum()]
    assert [name for name in names if name.replace("_", "-") not in text.replace("_", "-")] == []


def test_no_file_names_a_package_registry(root: Path) -> None:
    git = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    hosts = re.compile(r"https?://[a-z.]*(?:py" + r"pi|pythonhosted|npm" + r"js|deb" + r"ian)\b")
    kinds = {".py", ".md", ".toml", ".txt", ".in", ".yaml", ".sh", ""}
    texts = [root / name for name in git.stdout.splitlines() if Path(name).suffix in kinds]
    assert [str(path) for path in texts if hosts.search(path.read_text(errors="replace"))] == []


def test_what_security_md_calls_proved_is_proved_somewhere(root: Path) -> None:
    named = re.findall(r"`(tests/[^`]+)`", (root / "SECURITY.md").read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (root / path).is_file()] == []


def test_every_page_that_is_named_is_there(root: Path) -> None:
    git = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    missing = []
    for name in git.stdout.splitlines():
        path = root / name
        if path.suffix not in {".md", ".py", ".yaml", ".html", ".toml"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        named = [root / found for found in re.findall(r"\bdocs/[a-z-]+(?:/[a-z-]+)*\.md", text)]
        if path.suffix == ".md":
            links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", text)
            named += [path.parent / found for found in links]
        missing += [f"{name}: {one}" for one in named if not one.exists()]
    assert missing == []


def test_every_error_that_leaves_evidence_is_in_the_guide(root: Path) -> None:
    text = (root / "docs/guides/not-believed.md").read_text(encoding="utf-8")
    table = text.partition("## What each error means")[2].partition("## ")[0]
    codes = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([a-z-]+)`", " ".join(codes))) == sorted(TO_DO)

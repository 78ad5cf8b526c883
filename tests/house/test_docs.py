"""What the docs name exists, and what exists is named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

LITERAL = re.compile(
    r"\b(?:Refused|Untrusted|NotFound|Conflict|Unavailable|BadRow)\(\s*(?:row=[^,]+,\s*column=[^,]+,\s*code=)?\"([a-z0-9-]+)\""
)


def sources(root: Path) -> list[Path]:
    """Every Python file of the five packages."""
    folders = ("byline/src", "registry", "search", "api", "web")
    return [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]


def test_the_map_of_the_house_names_only_folders_that_exist(root: Path) -> None:
    named = re.findall(r"^\| `([a-z/]+)` \|", (root / "docs/architecture.md").read_text(), re.MULTILINE)
    assert named
    assert [folder for folder in named if not (root / folder).is_dir()] == []


def test_every_room_of_the_registry_is_on_the_map(root: Path) -> None:
    text = (root / "docs/architecture.md").read_text()
    rooms = [path.parent.name for path in (root / "registry").glob("*/__init__.py")]
    assert [room for room in rooms if f"`registry/{room}`" not in text] == []


def test_every_error_code_is_in_the_docs(root: Path) -> None:
    codes = {code for path in sources(root) for code in LITERAL.findall(path.read_text())}
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (root / "docs/errors.md").read_text(), re.MULTILINE))
    assert codes - listed == set()
    assert listed - codes == set()


def test_every_dependency_has_its_reason(root: Path) -> None:
    text = (root / "docs/dependencies.md").read_text().lower()
    lines = (root / "requirements/server.in").read_text().splitlines()
    names = [re.split(r"[\[>=<,]", line)[0].strip().lower() for line in lines if line and line[0].isalnum()]
    assert [name for name in names if name.replace("_", "-") not in text.replace("_", "-")] == []


def test_no_file_names_a_package_registry_or_this_machine(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout.split()
    hosts = re.compile(r"https?://[a-z.]*(?:py" + r"pi|pythonhosted|npm" + r"js|deb" + r"ian)\b")
    texts = (path for name in listed if (path := root / name).is_file() and path.suffix in {".py", ".md", ".toml", ".txt", ".in", ".yaml", ".sh", ""})
    assert [str(path) for path in texts if hosts.search(path.read_text(errors="replace"))] == []

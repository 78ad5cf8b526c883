"""docs/errors.md, made from the source: every stable code, what the caller can do, and its sentence.

Run `make docs` after adding an error; tests/house/test_docs.py fails where the page and the source differ.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {
    "Refused": "change the input",
    "Untrusted": "do not believe it",
    "NotFound": "nothing of that name",
    "Conflict": "see what stands already",
    "Unavailable": "try again later",
    "BadRow": "mend the row",
}
FOLDERS = ("byline/src", "registry", "search", "api", "web")
HEAD = """# Error codes

Made from the source by `make docs`. Over REST an error is an RFC 9457 problem whose `code` is one of these;
the `byline` command prints the same code with `--json`. `{…}` stands for what the place knows.

| code | what you can do | sentence |
|---|---|---|
"""


def codes() -> dict[str, tuple[str, str]]:
    """Every code -> (root, sentence), over all packages."""
    found: dict[str, tuple[str, str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _name(node.func) in ROOTS:
                    _note(node, found)
    return found


def page() -> str:
    """The whole page."""
    found = sorted(codes().items())
    rows = (f"| `{code}` | {ROOTS[root]} | {sentence} |" for code, (root, sentence) in found)
    return HEAD + "\n".join(rows) + "\n"


def _note(call: ast.Call, found: dict[str, tuple[str, str]]) -> None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    name = _name(call.func)
    first = named.get("code") or (call.args[2 if name == "BadRow" else 0] if call.args else None)
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        at = 3 if name == "BadRow" else 1
        third = call.args[at] if len(call.args) > at else None
        sentence = _text(named.get("message") or named.get("reason") or third)
        found.setdefault(first.value, (name, sentence))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value).replace("|", "\\|").replace("\n", " ")
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "{…}" for part in node.values)
    return ""


if __name__ == "__main__":
    (ROOT / "docs/errors.md").write_text(page(), encoding="utf-8")

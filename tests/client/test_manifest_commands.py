"""`byline manifest …` and `byline retract`, without a registry where none is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from byline.cli.app import byline
from byline.client import measure
from byline.formats import envelope, statements
from byline.formats.keys import PrivateKey


def run(*words: str, code: int = 0) -> Any:
    """The JSON document of a command."""
    result = CliRunner().invoke(byline, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if result.stdout else None


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with two files and a key."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"link,who\nhttps://example.org/{name},Zoë\n", encoding="utf-8")
    run("keygen", "--out", str(tmp_path / "KEY.pem"))
    return tmp_path


def init(here: Path, *more: str, code: int = 0) -> Any:
    """A draft of both files."""
    return run(
        "manifest",
        "init",
        "--dataset",
        "ibm-research/dif",
        "--version",
        "1.0.0",
        "--records",
        str(here / "a.csv"),
        str(here / "b.csv"),
        "--map",
        "url=link",
        "creator_name=who",
        "--purpose",
        "face-recognition",
        "--offline",
        "-o",
        str(here / "m.json"),
        *more,
        code=code,
    )


def test_a_draft_is_never_written_over_the_data(here: Path) -> None:
    (here / "m.json").write_text('{"images": []}')
    refused = init(here, code=1)
    assert (refused["error"]["code"], refused["error"]["at"]) == ("file-exists", "-o")
    assert (here / "m.json").read_text() == '{"images": []}'
    (here / "m.json").unlink()
    init(here)
    init(here)  # over the older draft
    (here / "m.dsse.json").write_bytes((here / "KEY.pem").read_bytes())
    assert sign(here, code=1)["error"]["code"] == "file-exists"


def test_a_header_that_cannot_be_read_leads_to_the_options_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('a "tower" at dusk\thttps://example.org/a.jpg\n')
    words = ["manifest", "init", "--dataset", "a/b", "--version", "1", "--records", str(tmp_path / "a.tsv")]
    result = CliRunner().invoke(
        byline, [*words, "--map", "url=url", "--offline", "-o", str(tmp_path / "m.json")]
    )
    assert result.exit_code == 1
    assert "[bad-header]" in result.stderr
    assert "next: a file without a header line: name its columns, --header" in result.stderr


def sign(here: Path, *more: str, code: int = 0) -> Any:
    """The draft, signed for a registry that nobody asks."""
    words = ("--key", str(here / "KEY.pem"), "--origin", "registry.test", "-o", str(here / "m.dsse.json"))
    return run("manifest", "sign", str(here / "m.json"), *words, *more, code=code)


def test_a_manifest_is_made_signed_and_verified_offline(here: Path) -> None:
    assert init(here)["records"] == 2
    digest = sign(here)["digest"]
    found = run("manifest", "verify", str(here / "m.dsse.json"), "--key", str(here / "KEY.pem.pub"))
    assert (found["valid"], found["digest"], found["dataset"]) == (True, digest, "ibm-research/dif")
    signed = measure.signed_manifest((here / "m.dsse.json").read_bytes())
    assert (signed.origin, signed.previous, len(signed.records.files)) == ("registry.test", None, 2)


def test_the_private_half_verifies_too_and_another_key_does_not(here: Path) -> None:
    init(here)
    sign(here)
    assert run("manifest", "verify", str(here / "m.dsse.json"), "--key", str(here / "KEY.pem"))["valid"]
    run("keygen", "--out", str(here / "OTHER.pem"))
    found = run("manifest", "verify", str(here / "m.dsse.json"), "--key", str(here / "OTHER.pem.pub"), code=1)
    assert found["error"]["code"] == "bad-signature"


def test_a_manifest_changed_after_signing_does_not_verify(here: Path) -> None:
    init(here)
    sign(here)
    whole = json.loads((here / "m.dsse.json").read_bytes())
    other = statements.parse(envelope.open_envelope((here / "m.dsse.json").read_bytes()).payload)
    predicate = {**other.predicate, "role": "observer"}
    whole["payload"] = json.loads(
        envelope.sign(statements.build(statements.MANIFEST, other.subject, predicate), _key(here))
    )["payload"]
    (here / "m.dsse.json").write_text(json.dumps(whole))
    assert run("manifest", "verify", str(here / "m.dsse.json"), "--key", str(here / "KEY.pem.pub"), code=1)


def test_a_draft_and_a_signed_manifest_are_shown(here: Path) -> None:
    init(here)
    sign(here)
    for name in ("m.json", "m.dsse.json"):
        shown = (
            CliRunner().invoke(byline, ["manifest", "show", str(here / name)], catch_exceptions=False).stdout
        )
        assert "ibm-research/dif@1.0.0" in shown
        assert "face-recognition" in shown
        assert "Zoë" not in shown


def test_the_check_before_signing_counts_what_would_be_public(here: Path) -> None:
    init(here)
    found = run("manifest", "check", str(here / "m.json"), "--records", str(here))
    assert (found["resolves"]["rows"], found["public"]["files"]) == (2, ["a.csv", "b.csv"])


def test_a_croissant_is_carried_and_read(here: Path) -> None:
    document = {"@type": "sc:Dataset", "name": "Diversity in Faces", "version": "1.0.0", "score": 0.25}
    (here / "croissant.json").write_text(json.dumps(document))
    init(here, "--croissant", str(here / "croissant.json"))
    assert run("manifest", "show", str(here / "m.json"))["predicate"]["croissant"] == document


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--map", "colour=who"), "unknown-field"),
        (("--annotation", "nonsense"), "bad-annotation"),
        (("--purpose", "fun"), "bad-member"),
        (("--croissant", "no such file"), "no-such-file"),
        (("--map", "title=no such column"), "missing-column"),
    ],
)
def test_a_bad_description_says_what_is_wrong(more: tuple[str, ...], code: str, here: Path) -> None:
    assert init(here, *more, code=1)["error"]["code"] == code


@pytest.mark.parametrize(
    "more", [("--map", "url"), ("--role", "king"), ("--supersedes", "0.9"), ("--personal-data", "maybe")]
)
def test_wrong_words_are_wrong_usage(more: tuple[str, ...], here: Path) -> None:
    result = CliRunner().invoke(
        byline,
        [
            "manifest",
            "init",
            "--dataset",
            "a/b",
            "--version",
            "1",
            "--records",
            str(here / "a.csv"),
            "--map",
            "url=link",
            "--offline",
            "-o",
            str(here / "x"),
            *more,
        ],
    )
    assert result.exit_code == 2


def test_a_file_that_is_not_there_or_cannot_be_written_is_said(here: Path) -> None:
    assert run("manifest", "show", str(here / "nothing"), code=1)["error"]["code"] == "no-such-file"
    init(here)
    (here / "m.dsse.json").mkdir()
    assert sign(here, code=1)["error"]["code"] == "unwritable-file"


def test_a_retraction_names_a_version() -> None:
    result = CliRunner().invoke(byline, ["retract", "ibm-research/dif", "--key", "k"])
    assert result.exit_code == 2


def _key(here: Path) -> PrivateKey:
    return PrivateKey.from_pem((here / "KEY.pem").read_bytes())

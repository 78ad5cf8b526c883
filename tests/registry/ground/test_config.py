from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from byline.errors import Refused
from registry.config import Settings, check_public, describe, load, read_environment


def test_the_settings_page_is_what_the_code_says(root: Path) -> None:
    assert (root / "docs/settings.md").read_text() == describe()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("BYLINE_ORIGN", "BYLINE_ORIGIN"),
        ("BYLINE_DATABASE", "BYLINE_DATABASE_URL"),
        ("BYLINE_FEED_INTERVALL", "BYLINE_FEED_INTERVAL"),
    ],
)
def test_an_unknown_variable_is_an_error_that_names_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(Refused, match=f"did you mean {near}") as caught:
        load({wrong: "x", "BYLINE_ORIGIN": "localhost"})
    assert caught.value.code == "unknown-setting"


def test_the_clients_variables_are_ignored(tmp_path: Path) -> None:
    said = {"BYLINE_REGISTRY": "http://x", "BYLINE_VKEY": "v", "BYLINE_STATE": "s", "HOME": "/", "PORT": "80"}
    assert read_environment(said) == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("BYLINE_FEED_INTERVAL", "0", 0),
        ("BYLINE_FEED_INTERVAL", "90", 90),
        ("BYLINE_FEED_INTERVAL", "1d", 86_400),
        ("BYLINE_MAX_PAYLOAD", "2 MiB", 2 << 20),
        ("BYLINE_MAX_PAYLOAD", "2mib", 2 << 20),
        ("BYLINE_MAX_RECORDS", "5", 5),
        ("BYLINE_DATA_DIR", "/x", Path("/x")),
        ("BYLINE_BUDGET_READ", "5/second", "5/second"),
    ],
)
def test_a_setting_is_typed(name: str, text: str, value: object) -> None:
    assert read_environment({name: text}) == {name.removeprefix("BYLINE_").lower(): value}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BYLINE_FEED_INTERVAL", "-1"),
        ("BYLINE_FEED_INTERVAL", "soon"),
        ("BYLINE_MAX_PAYLOAD", "1 potato"),
        ("BYLINE_MAX_RECORDS", "1.5"),
        ("BYLINE_MAX_RECORDS", "\u0663"),
        ("BYLINE_PUBLISHER_POLICY", "anybody"),
        ("BYLINE_BUDGET_READ", "lots"),
    ],
)
def test_a_setting_of_the_wrong_type_is_an_error_with_its_name(name: str, text: str) -> None:
    with pytest.raises(Refused, match=name) as caught:
        read_environment({name: text})
    assert caught.value.code == "bad-setting"


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert read_environment({"BYLINE_SMTP_URL": "", "BYLINE_MAX_RECORDS": " "}) == {}


def test_a_folder_without_a_registry_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="byline-registry init") as caught:
        load({"BYLINE_DATA_DIR": str(tmp_path)})
    assert caught.value.code == "not-initialised"


def test_the_origin_is_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text(json.dumps({"origin": "byline.example.org"}))
    assert load({"BYLINE_DATA_DIR": str(tmp_path)}).origin == "byline.example.org"


def test_the_origin_never_changes(tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text(json.dumps({"origin": "byline.example.org"}))
    with pytest.raises(Refused) as caught:
        load({"BYLINE_DATA_DIR": str(tmp_path), "BYLINE_ORIGIN": "other.example.org"})
    assert caught.value.code == "origin-differs"


def test_the_origin_does_not_depend_on_the_port() -> None:
    said = {"BYLINE_ORIGIN": "localhost"}
    assert load({**said, "PORT": "1"}) == load({**said, "PORT": "2"})


@pytest.mark.parametrize(
    "origin", ["https://example.org", "Example.org", "a b", "", "example.org/", "x..y", "a\nb", "a+b"]
)
def test_an_origin_that_is_no_name_is_refused(origin: str) -> None:
    with pytest.raises(Refused):
        load({"BYLINE_ORIGIN": origin})


@pytest.mark.parametrize(
    ("origin", "policy", "interval"),
    [
        ("localhost", "open", 0),
        ("ab12.localhost", "open", 0),
        ("127.0.0.1:8080", "open", 0),
        ("byline.example.org", "approved", 86_400),
        ("localhost.example.org", "approved", 86_400),
    ],
)
def test_a_public_origin_starts_careful(origin: str, policy: str, interval: int) -> None:
    settings = load({"BYLINE_ORIGIN": origin})
    assert (settings.publisher_policy, settings.feed_interval) == (policy, interval)


def test_what_was_said_goes_before_the_defaults_of_an_origin() -> None:
    settings = load(
        {
            "BYLINE_ORIGIN": "byline.example.org",
            "BYLINE_PUBLISHER_POLICY": "open",
            "BYLINE_FEED_INTERVAL": "0",
        }
    )
    assert (settings.publisher_policy, settings.feed_interval) == ("open", 0)


def test_everything_lies_in_the_data_folder_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/byline.sqlite"
    assert settings.items_url == f"sqlite:///{tmp_path}/items.sqlite"
    assert settings.object_store == f"file://{tmp_path}/store"
    assert settings.search == f"whoosh://{tmp_path}/search"


def test_item_keys_stand_beside_the_rest_on_postgresql(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://h/db")
    assert settings.items_url == settings.database_url


@pytest.mark.parametrize("missing", ["operator_name", "operator_contact", "privacy_file"])
def test_a_public_registry_does_not_start_without_its_operator(tmp_path: Path, missing: str) -> None:
    privacy = tmp_path / "privacy.txt"
    privacy.write_text("We keep little.")
    given: dict[str, Any] = {
        "operator_name": "Us",
        "operator_contact": "mailto:us@example.org",
        "privacy_file": str(privacy),
    }
    check_public(Settings(data_dir=tmp_path, origin="byline.example.org", **given))
    with pytest.raises(Refused) as caught:
        check_public(Settings(data_dir=tmp_path, origin="byline.example.org", **{**given, missing: ""}))
    assert caught.value.code == "operator-missing"

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import Refused
from byline.formats.urls import canonical_url, host_of, require_url

VECTORS = Path(__file__).parents[1] / "vectors"
CASES = [(case["input"], case["b1"]) for case in json.loads((VECTORS / "urls.json").read_text())["canonical"]]
PIECES = st.sampled_from(
    [
        "http://",
        "HTTPS://",
        "//",
        "user:pw@",
        "example.com",
        "EXAMPLE.com.",
        "a.b",
        "münchen.de",
        "xn--a",
        "1.2",
        ":443",
        ":80",
        ":8080",
        "/",
        "//",
        "/./",
        "/../",
        "..",
        ".",
        "%",
        "%2",
        "%2e",
        "%7E",
        "%2f",
        "%36",
        "%%36%31",
        "3",
        "a",
        "~",
        "é",
        "?",
        "&x=1",
        "#",
        " ",
        "\t",
        "\\",
        "|",
        "'",
        "[::1]",
        "@",
        "_-",
        "jpg",
    ]
)
MESSY = st.lists(PIECES, max_size=12).map("".join)


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_each_vector_of_the_canonical_form_holds(text: str, expected: str | None) -> None:
    assert canonical_url(text) == expected


@given(st.one_of(MESSY, MESSY.map("https://x.org/".__add__), st.text(max_size=60)))
def test_the_canonical_form_of_a_canonical_form_is_itself(text: str) -> None:
    once = canonical_url(text)
    assert once is None or canonical_url("https://" + once) == once


@given(MESSY)
def test_http_and_https_mean_one_place(rest: str) -> None:
    plain, secure = canonical_url("http://example.org/" + rest), canonical_url("https://example.org/" + rest)
    assert plain == secure


@given(MESSY)
def test_a_canonical_form_is_ascii_with_a_host_and_a_slash(text: str) -> None:
    found = canonical_url(text)
    assert found is None or (found.isascii() and "/" in found[1:] and "#" not in found and " " not in found)


def whatwg(shared: Path) -> list[dict[str, str]]:
    cases = json.loads((shared / "vectors" / "whatwg_url" / "urltestdata.json").read_text())
    return [case for case in cases if isinstance(case, dict) and not case.get("base")]


def test_what_the_url_standard_reads_alike_is_one_canonical_form(shared: Path) -> None:
    for case in whatwg(shared):
        if case.get("href", "").startswith(("http://", "https://")):
            assert canonical_url(case["input"]) == canonical_url(case["href"]), case["input"]


def test_what_the_url_standard_refuses_is_no_url(shared: Path) -> None:
    refused = [case["input"] for case in whatwg(shared) if case.get("failure")]
    assert [text for text in refused if text.lower().startswith("http") and canonical_url(text)] == []


def test_escapes_behind_stray_percent_signs_are_decoded_to_the_end() -> None:
    assert canonical_url("https://x.org/" + "%3" * 2000 + "%36") == "x.org/6"


@pytest.mark.parametrize("text", [None, "", " ", "x" * 9000, "https://x.org/" + "ü" * 4000])
def test_nothing_and_the_endless_are_no_urls(text: str | None) -> None:
    assert canonical_url(text) is None


def test_a_lone_surrogate_is_no_url() -> None:
    assert canonical_url("https://x.org/\ud800") is None


def test_what_must_be_a_url_and_is_not_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        require_url("not a url")
    assert caught.value.code == "not-a-url"


@pytest.mark.parametrize(
    ("canonical", "host"), [("example.com:8080/x", "example.com"), ("[::1]/x", "[::1]"), ("a.b/c:d", "a.b")]
)
def test_the_host_of_a_canonical_form_is_without_its_port(canonical: str, host: str) -> None:
    assert host_of(canonical) == host

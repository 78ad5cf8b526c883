from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.errors import BylineError, Refused
from byline.formats import canonical, envelope, statements
from byline.formats.keys import PrivateKey
from byline.formats.statements import Subject
from tests.vectors import make_core

JSON_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)


def made(kind: str = "publisher", **changed: Any) -> bytes:
    """A good statement with members of the predicate changed (`...` takes one out)."""
    whole = json.loads(make_core.payloads()[kind])
    predicate = {**whole["predicate"], **changed}
    whole["predicate"] = {name: value for name, value in predicate.items() if value is not ...}
    return canonical.dumps(whole)


def code(payload: bytes, kind: str = "publisher") -> str:
    """The code a reader refuses with."""
    readers = {
        "publisher": statements.read_publisher,
        "key": statements.read_key,
        "retraction": statements.read_retraction,
    }
    with pytest.raises(Refused) as refused:
        readers[kind](statements.parse(payload))
    return refused.value.code


@given(JSON_TEXT, HEX, st.dictionaries(JSON_TEXT, JSON_TEXT, max_size=3))
def test_what_is_built_parses_back(name: str, digest: str, predicate: dict[str, str]) -> None:
    read = statements.parse(statements.build(statements.OUTCOME, [Subject(name, digest)], predicate))
    assert (read.subject, dict(read.predicate)) == ((Subject(name, digest),), predicate)


def test_each_short_kind_reads_whole() -> None:
    read = {kind: statements.parse(payload) for kind, payload in make_core.payloads().items()}
    publisher = statements.read_publisher(read["publisher"])
    key = statements.read_key(read["key"])
    retraction = statements.read_retraction(read["retraction"])
    assert (publisher.slug, publisher.public_key) == ("ibm-research", make_core.KEY.public)
    assert (key.action, key.key_id, key.public_key) == ("revoke", make_core.KEY.public.key_id, None)
    assert (retraction.name, retraction.version, retraction.reason) == ("dif", "1.0.0", "asked to")
    assert publisher.previous == make_core.FILE
    assert publisher.made_at == make_core.NOW


def test_a_key_is_added_with_its_roles() -> None:
    other = PrivateKey(bytes(31) + b"\x07").public
    predicate = {
        **statements.common(origin="o", now=make_core.NOW, nonce=bytes(16)),
        "publisher": "ibm-research",
        "action": "add",
        "public_key": other.to_pem(),
        "roles": ["outcome"],
    }
    payload = statements.build(statements.KEY, [Subject("ibm-research", other.key_id)], predicate)
    change = statements.read_key(statements.parse(payload))
    assert (change.public_key, change.roles) == (other, ("outcome",))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"slug": "IBM"}, "bad-member"),
        ({"slug": "a\n"}, "bad-member"),
        ({"slug": "x" * 65}, "bad-member"),
        ({"slug": ...}, "missing-member"),
        ({"name": ""}, "bad-member"),
        ({"name": "a\x1b[2J"}, "bad-member"),
        ({"name": "IBM\nbad  approved"}, "bad-member"),
        ({"name": 1}, "bad-member"),
        ({"public_key": "x"}, "bad-key"),
        ({"nonce": "00"}, "bad-member"),
        ({"made_at": "today"}, "bad-timestamp"),
        ({"origin": None}, "bad-member"),
        ({"previous": "0" * 64}, "bad-member"),
        ({"extra": 1}, "unknown-member"),
        ({"slug": "somebody-else"}, "wrong-subject"),
    ],
)
def test_a_bad_publisher_statement_says_where(changed: dict[str, Any], expected: str) -> None:
    assert code(made(**changed)) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "add"},
        {"action": "add", "roles": ["manifest"]},
        {"roles": ["manifest"]},
        {"action": "steal"},
    ],
)
def test_a_bad_key_statement_is_refused(changed: dict[str, Any]) -> None:
    assert code(made("key", **changed), "key") == "bad-member"


@pytest.mark.parametrize("roles", [[], ["manifest", "manifest"], ["king"], [1]])
def test_a_key_is_not_added_without_sound_roles(roles: list[Any]) -> None:
    changed = {"action": "add", "public_key": make_core.KEY.public.to_pem(), "roles": roles}
    assert code(made("key", **changed), "key") == "bad-member"


def test_a_retraction_is_of_the_manifest_it_names() -> None:
    other = {"publisher": "ibm-research", "name": "dif", "version": "1.0.1"}
    assert code(made("retraction", dataset=other), "retraction") == "wrong-subject"


def test_a_reader_takes_its_own_kind_only() -> None:
    assert code(make_core.payloads()["key"], "publisher") == "wrong-predicate-type"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "bad-member"),
        ({"predicateType": "urn:byline:manifest:v2"}, "unknown-predicate-type"),
        ({"predicateType": []}, "unknown-predicate-type"),
        ({"subject": []}, "bad-member"),
        ({"subject": {}}, "bad-member"),
        ({"subject": [{"name": "x", "digest": {"sha1": "0"}}]}, "missing-member"),
        ({"predicate": []}, "bad-member"),
        ({"more": 1}, "unknown-member"),
        ({"subject": [{"name": "x", "digest": {"sha256": "0" * 64, "md5": "0"}}]}, "unknown-member"),
    ],
)
def test_a_bad_statement_says_where(changed: dict[str, Any], expected: str) -> None:
    whole = {**json.loads(make_core.payloads()["publisher"]), **changed}
    assert code(canonical.dumps(whole)) == expected


def test_a_fraction_stands_in_croissant_and_nowhere_else() -> None:
    assert statements.parse(made("manifest")).predicate["croissant"]["score"] == 0.5
    for name in ("role", "croissant2", "croissant.x"):
        with pytest.raises(Refused) as refused:
            statements.parse(made("manifest", **{name: 0.5}))
        assert refused.value.code == "float-not-allowed"


def test_another_payload_type_is_no_statement() -> None:
    sealed = envelope.sign(make_core.payloads()["key"], make_core.KEY, payload_type="application/json")
    with pytest.raises(Refused) as refused:
        statements.open_statement(envelope.open_envelope(sealed))
    assert refused.value.code == "wrong-payload-type"


@given(
    st.recursive(
        st.none() | st.integers(-9, 9) | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from(["_type", "subject", "predicate", "predicateType", "name"]), x)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with pytest.raises(BylineError):
        statements.parse(json.dumps(value).encode())

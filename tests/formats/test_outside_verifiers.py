"""Our envelopes, verified by tools nobody here wrote: securesystemslib (in-toto's own library) and openssl."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from byline.formats import envelope
from byline.formats.keys import PrivateKey

KEY = PrivateKey(bytes(range(32)))
PAYLOAD = '{"_type":"https://in-toto.io/Statement/v1","name":"Žofie"}'.encode()


def test_securesystemslib_verifies_what_we_sign() -> None:
    key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(KEY.public.raw), keyid=KEY.public.key_id)
    found = Envelope.from_dict(json.loads(envelope.sign(PAYLOAD, KEY)))
    assert list(found.verify([key], 1)) == [KEY.public.key_id]
    assert found.payload == PAYLOAD


def test_securesystemslib_refuses_what_another_signed() -> None:
    other = PrivateKey(bytes(32)).public
    key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(other.raw), keyid=KEY.public.key_id)
    found = Envelope.from_dict(json.loads(envelope.sign(PAYLOAD, KEY)))
    with pytest.raises(VerificationError):
        found.verify([key], 1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
@pytest.mark.parametrize(("changed", "code"), [(b"", 0), (b"x", 1)])
def test_openssl_verifies_the_bytes_we_sign(tmp_path: Path, changed: bytes, code: int) -> None:
    opened = envelope.open_envelope(envelope.sign(PAYLOAD, KEY))
    (tmp_path / "key.pem").write_text(KEY.public.to_pem())
    (tmp_path / "signed").write_bytes(envelope.pae(PAYLOAD + changed))
    (tmp_path / "sig").write_bytes(opened.signatures[0].sig)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "sig",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == code

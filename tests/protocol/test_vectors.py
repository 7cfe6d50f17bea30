"""The standards' own examples, typed from their text: tests/vectors names the section.

Each is seen to fail when a single bit of it is another.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.client.keys import parse_client_key, thumbprint
from oauth_login.protocol.client.pkce import code_challenge
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.jose.jwks import VerifyingKey, find_keys, parse_key_set
from oauth_login.protocol.jose.jws import TokenContext, _is_signed_with, verified_jws

VECTORS = Path(__file__).parent.parent / "vectors"
SIGNED = [
    "rfc7515_a2_rs256",
    "rfc7515_a3_es256",
    "rfc7515_a4_es512",
    "rfc8037_a4_eddsa",
]


def vector(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def flipped(segment: str, bit: int) -> str:
    """The segment with one bit of what it encodes flipped."""
    data = bytearray(decoded(segment))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def outcome(jws: str, alg: str, jwk: dict[str, Any]) -> object:
    """The claims, or the code of the error."""
    key_set = parse_key_set(json.dumps({"keys": [jwk]}))

    def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
        return find_keys(key_set, alg=alg, kid=kid)

    metadata = ServerMetadata(
        issuer="joe",
        authorization_endpoint="https://a.example",
        token_endpoint="https://a.example",
        id_token_signing_alg_values_supported=(alg,),
    )
    client = Client(client_id="site")
    try:
        return verified_jws(
            jws,
            TokenContext(client=client, metadata=metadata, find_keys=find, now=0),
            document="id_token",
        ).claims
    except InvalidProviderResponse as error:
        return error.code


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_of_the_standard_is_verified(name: str) -> None:
    given = vector(name)
    seen = outcome(given["jws"], given["alg"], given["jwk"])
    payload = decoded(given["jws"].split(".")[1])
    if payload.startswith(b"{"):
        assert seen == json.loads(payload)
    else:
        # Its signature is right, and what it signs is a text: no claims for us.
        assert seen == "id_token.not_json"


@pytest.mark.parametrize("bit", [0, 7, 100, 255, -1])
@pytest.mark.parametrize("segment", [1, 2])
@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_with_one_bit_flipped_is_not(
    name: str, segment: int, bit: int
) -> None:
    # T87
    given = vector(name)
    parts = given["jws"].split(".")
    parts[segment] = flipped(parts[segment], bit)
    seen = outcome(".".join(parts), given["alg"], given["jwk"])
    assert seen == "id_token.signature"


@pytest.mark.parametrize("bit", [0, 7, 100, 255, -1])
@pytest.mark.parametrize("name", SIGNED)
def test_a_key_with_one_bit_flipped_verifies_nothing(name: str, bit: int) -> None:
    given = vector(name)
    member = "n" if "n" in given["jwk"] else "x"
    jwk = {**given["jwk"], member: flipped(given["jwk"][member], bit)}
    # A point that is not on the curve is no key at all.
    assert outcome(given["jws"], given["alg"], jwk) in (
        "id_token.signature",
        "id_token.key_not_found",
    )


@pytest.mark.parametrize("bit", [None, 0, 7, 100, 255, -1])
@pytest.mark.parametrize("part", ["key", "payload", "signature"])
def test_the_mac_of_the_standard_is_verified(part: str, bit: int | None) -> None:
    # Its key is no text, as client secrets are: so below verified_jws.
    given = vector("rfc7515_a1_hs256")
    header, payload, signature = given["jws"].split(".")
    parts = {"key": given["jwk"]["k"], "payload": payload, "signature": signature}
    if bit is not None:
        parts[part] = flipped(parts[part], bit)
    signed = f"{header}.{parts['payload']}"
    key = decoded(parts["key"])
    assert _is_signed_with("HS256", key, signed, parts["signature"]) is (bit is None)


@pytest.mark.parametrize("name", ["rfc7638_3_1_thumbprint", "rfc8037_a3_thumbprint"])
def test_a_key_is_called_by_its_thumbprint(name: str) -> None:
    given = vector(name)
    alg = given["alg"]

    def name_of(jwk: dict[str, Any]) -> str:
        key_set = parse_key_set(json.dumps({"keys": [jwk]}))
        (key,) = find_keys(key_set, alg=alg, kid=None)
        return thumbprint(key.public_key, alg=alg)

    assert name_of(given["jwk"]) == given["thumbprint"]
    for member in {"n", "x"} & given["jwk"].keys():
        for bit in (8, 100, 255):
            jwk = {**given["jwk"], member: flipped(given["jwk"][member], bit)}
            assert name_of(jwk) != given["thumbprint"]


def test_our_own_key_is_called_by_its_thumbprint() -> None:
    given = vector("rfc8037_a3_thumbprint")
    key = Ed25519PrivateKey.from_private_bytes(decoded(given["d"]))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ours = parse_client_key(pem)
    assert ours.kid == given["thumbprint"]
    assert ours.public_jwk() == {**given["jwk"], "kid": given["thumbprint"]}


@pytest.mark.parametrize("position", [None, 0, 20, 42])
def test_the_challenge_is_that_of_rfc_7636_appendix_b(position: int | None) -> None:
    given = vector("rfc7636_b_challenge")
    verifier = list(given["code_verifier"])
    if position is not None:
        verifier[position] = chr(ord(verifier[position]) ^ 1)
    same = code_challenge("".join(verifier)) == given["code_challenge"]
    assert same is (position is None)

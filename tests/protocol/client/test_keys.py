"""Our own keys: which will do, what they are called, and what of them is public."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from oauth_login.protocol.client.keys import (
    parse_client_key,
    public_key_set,
    signed_jwt,
)
from oauth_login.protocol.jose.jwks import PRIVATE, find_keys, parse_key_set
from tests.keys import new_key, new_pem, public_pem
from tests.our_keys import pem_of

RSA_ALGS = ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512")


@pytest.mark.usefixtures("without_key_validation")
@pytest.mark.parametrize(
    ("kind", "algs"),
    [
        ("RSA-2048", RSA_ALGS),
        ("RSA-8192", RSA_ALGS),
        ("P-256", ("ES256",)),
        ("P-384", ("ES384",)),
        ("P-521", ("ES512",)),
        ("Ed25519", ("EdDSA",)),
    ],
)
def test_a_key_that_will_do_signs_what_others_can_verify(
    kind: str, algs: tuple[str, ...]
) -> None:
    # T71; pains 30, 33
    key = parse_client_key(new_pem(kind))
    assert key.algs == algs
    # As an attacker finds it who has nothing but our key set.
    key_set = parse_key_set(json.dumps(public_key_set([key])))
    # The largest takes its time.
    for alg in algs[:1] if kind == "RSA-8192" else algs:
        token = signed_jwt({"a": 1}, alg=alg, key=key.private_key, kid=key.kid)
        assert jwt.get_unverified_header(token)["kid"] == key.kid
        (found,) = find_keys(key_set, alg=alg, kid=key.kid)
        assert jwt.decode(token, found.public_key, algorithms=[alg]) == {"a": 1}


@pytest.mark.parametrize(
    "form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL]
)
def test_a_key_may_be_in_any_form_of_pem(form: PrivateFormat) -> None:
    for kind in ("RSA", "P-256"):
        pem = new_key(kind).private_bytes(Encoding.PEM, form, NoEncryption()).decode()
        assert parse_client_key(pem).kid == parse_client_key(new_pem(kind)).kid


@pytest.mark.parametrize(
    ("pem", "cause"),
    [
        (new_pem("RSA-1024"), "2048 to 8192"),
        (new_pem("RSA-2047"), "2048 to 8192"),
        (new_pem("RSA-8193"), "2048 to 8192"),
        (new_pem("P-256K"), "must be RSA, P-256"),
        (new_pem("Ed448"), "must be RSA, P-256"),
        (new_pem("DSA"), "must be RSA, P-256"),
        (new_pem("RSA", password=b"canary"), "not a private key"),
        (public_pem("RSA"), "not a private key"),
        (public_pem("P-256"), "not a private key"),
        ("", "not a private key"),
        ("canary", "not a private key"),
        ("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", "not a"),
        ("-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----", "not a"),
        ("ü\ud800", "not a private key"),
    ],
    ids=range(14),
)
@pytest.mark.usefixtures("without_key_validation")
def test_a_key_that_will_not_do_says_why_and_not_what_it_is(
    pem: str, cause: str
) -> None:
    # T71, T122, T127
    with pytest.raises(ValueError, match=cause) as caught:
        parse_client_key(pem)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_key_set_holds_no_private_member() -> None:
    # T71, T127
    kinds = ("RSA", "P-256", "P-384", "P-521", "Ed25519")
    keys = [parse_client_key(new_pem(kind)) for kind in kinds]
    document = public_key_set(keys)
    assert [entry["kid"] for entry in document["keys"]] == [key.kid for key in keys]
    for entry in document["keys"]:
        assert PRIVATE.isdisjoint(entry)
        assert entry["use"] == "sig"
        assert "alg" not in entry
        assert set(entry) <= {"kty", "crv", "n", "e", "x", "y", "kid", "use"}


def test_a_kid_is_the_providers_or_the_keys_own() -> None:
    pem = new_pem("P-256")
    own = parse_client_key(pem)
    assert parse_client_key(pem, kid="ABC").kid == "ABC"
    assert len(own.kid) == 43
    assert own.kid == parse_client_key(pem).kid != parse_client_key(new_pem("RSA")).kid


def test_a_key_is_not_shown() -> None:
    # T122
    key = parse_client_key(new_pem("Ed25519"))
    assert "private" not in repr(key)


def test_a_header_without_kid_has_none() -> None:
    token = signed_jwt({}, alg="HS256", key=b"s" * 32)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


EC_PEM = pem_of(ec.generate_private_key(ec.SECP256R1()))


def test_a_key_decrypts_with_the_algorithm_of_its_kind() -> None:
    rsa_pem = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert parse_client_key(EC_PEM, use="enc").algs == ("ECDH-ES",)
    assert parse_client_key(rsa_pem, use="enc").algs == ("RSA-OAEP-256",)
    assert parse_client_key(EC_PEM).algs == parse_client_key(EC_PEM, use="sig").algs
    assert parse_client_key(EC_PEM).algs == ("ES256",)
    assert parse_client_key(EC_PEM, use="enc").use == "enc"
    assert parse_client_key(EC_PEM).use == "sig"


def test_a_key_that_only_signs_is_told_that_it_does() -> None:
    pem = pem_of(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_client_key(pem, use="enc")
    assert str(caught.value) == "an Ed25519 key can sign, but not decrypt"
    assert parse_client_key(pem).algs == ("EdDSA",)


def test_a_text_that_is_no_key_is_refused_and_the_error_says_why() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_client_key("no key")
    assert str(caught.value) == "not a private key in PEM without a password"


def pem(key: Any) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (
            rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - refused
            "an RSA key must have 2048 to 8192 bits",
        ),
        (
            ec.generate_private_key(ec.SECP256K1()),
            "the key must be RSA, P-256, P-384, P-521 or Ed25519",
        ),
        (
            ed448.Ed448PrivateKey.generate(),
            "the key must be RSA, P-256, P-384, P-521 or Ed25519",
        ),
    ],
)
def test_a_key_that_we_do_not_sign_with_is_told_why(key: Any, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_client_key(pem(key))
    assert str(caught.value) == why

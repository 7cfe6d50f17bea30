"""What the log gets to know of an encrypted token that is refused, and our keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.jose.jwe import ALGS, ENCS, MAX_JWE, decrypted
from oauth_login.testing.encryption import encrypted
from tests.our_keys import pem_of
from tests.protocol.test_details import refusal
from tests.protocol.tokens import sign

PEM = pem_of(ec.generate_private_key(ec.SECP256R1()))
KEY = parse_client_key(PEM, kid="ours", use="enc")


def attempt(token: str = "", **header: Any) -> Callable[[], object]:
    token = token or encrypted(sign(), KEY.public_jwk(), **header)
    return lambda: decrypted(token, document="userinfo", keys=[KEY])


@pytest.mark.parametrize(
    ("attempt", "code", "detail"),
    [
        (attempt("a" * (MAX_JWE + 1)), "userinfo.too_large", {"expected": MAX_JWE}),
        (attempt("a" * MAX_JWE), "userinfo.not_encrypted", {}),
        (
            attempt(alg="RSA1_\u00e9"),
            "userinfo.encryption_alg",
            {"expected": (ALGS, ENCS), "received": "['RSA1_?', 'A256GCM']"},
        ),
        (attempt(zip="DEF"), "userinfo.compressed", {}),
        (attempt(crit=["exp"]), "userinfo.crit", {}),
        (
            attempt(cty="JW\u00cb"),
            "userinfo.typ",
            {"expected": "JWT", "received": "JW?"},
        ),
        (
            attempt(kid="th\u00e9irs"),
            "userinfo.not_decrypted",
            {"alg": "ECDH-ES", "expected": ["ours"], "received": "th?irs"},
        ),
        (
            attempt(encrypted("no token", KEY.public_jwk())),
            "userinfo.not_signed",
            {},
        ),
    ],
)
def test_the_log_says_what_was_wrong_with_an_encrypted_token(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    # T74
    assert refusal(attempt) == (code, detail)


def test_a_key_decrypts_with_the_algorithm_of_its_kind() -> None:
    rsa_pem = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert parse_client_key(PEM, use="enc").algs == ("ECDH-ES",)
    assert parse_client_key(rsa_pem, use="enc").algs == ("RSA-OAEP-256",)
    assert parse_client_key(PEM).algs == parse_client_key(PEM, use="sig").algs
    assert parse_client_key(PEM).algs == ("ES256",)
    assert parse_client_key(PEM, use="enc").use == "enc"
    assert parse_client_key(PEM).use == "sig"


def test_a_key_that_only_signs_is_told_that_it_does() -> None:
    pem = pem_of(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_client_key(pem, use="enc")
    assert str(caught.value) == "an Ed25519 key can sign, but not decrypt"
    assert parse_client_key(pem).algs == ("EdDSA",)

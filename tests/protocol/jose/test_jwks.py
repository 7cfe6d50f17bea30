"""Key sets: which keys are looked at, which of them fit, and what they verify."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.http import ProviderRequest
from oauth_login.protocol.jose.jwks import find_keys, jwks_request, parse_key_set
from tests.keys import new_key
from tests.protocol.test_id_token import hmac_client, hmac_token, refused, validate
from tests.protocol.tokens import ISSUER, KEYS, METADATA, finder, sign


def jwk(kind: str, **members: Any) -> dict[str, Any]:
    algorithm: Any = OKPAlgorithm if kind.startswith("Ed") else ECAlgorithm
    public = new_key(kind).public_key()
    return {**algorithm.to_jwk(public, as_dict=True), **members}


@cache
def rsa_jwk(bits: int) -> dict[str, Any]:
    """An odd number of so many bits; whether it is a product does not matter here."""
    public = RSAPublicNumbers(65537, (1 << bits) - 1).public_key()
    return dict(RSAAlgorithm.to_jwk(public, as_dict=True))


def number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def usable(key: dict[str, Any], alg: str = "RS256", kid: str | None = None) -> bool:
    try:
        key_set = parse_key_set(json.dumps({"keys": [key]}))
    except InvalidProviderResponse:  # not even an entry
        return False
    return bool(find_keys(key_set, alg=alg, kid=kid))


@pytest.mark.parametrize(
    ("bits", "good"),
    [
        (1024, False),
        (2047, False),
        (2048, True),
        (3072, True),
        (8192, True),
        (8193, False),
        (16384, False),
    ],
)
def test_an_rsa_key_has_2048_to_8192_bits(bits: int, good: bool) -> None:
    # T71; pains 30
    assert usable(rsa_jwk(bits)) is good


@pytest.mark.parametrize(
    ("exponent", "good"),
    [
        (0, False),
        (1, False),
        (2, False),
        (3, True),
        (17, True),
        (65536, False),
        (65537, True),
        (2**32 - 1, True),
        (2**32, False),
        (2**32 + 1, False),
        (2**2047 + 1, False),
    ],
)
def test_an_exponent_is_odd_and_of_a_usual_size(exponent: int, good: bool) -> None:
    # T71
    assert usable({**rsa_jwk(2048), "e": number(exponent) or "AA"}) is good


@pytest.mark.parametrize(
    ("key", "alg", "good"),
    [
        (jwk("P-256"), "ES256", True),
        (jwk("P-384"), "ES384", True),
        (jwk("P-521"), "ES512", True),
        (jwk("Ed25519"), "EdDSA", True),
        # T67: another curve than the algorithm's
        (jwk("P-384"), "ES256", False),
        (jwk("P-256"), "ES384", False),
        (jwk("P-256", crv="P-384"), "ES384", False),
        (jwk("P-256"), "EdDSA", False),
        (jwk("Ed25519"), "ES256", False),
        (jwk("Ed448"), "EdDSA", False),
        (jwk("P-256", crv="secp256k1"), "ES256", False),
        (jwk("P-256", crv=None), "ES256", False),
        (jwk("Ed25519", crv="X25519"), "EdDSA", False),
        (jwk("Ed25519", x="AAAA"), "EdDSA", False),
        (jwk("P-256", x=5), "ES256", False),
        (jwk("P-256", alg="ES384"), "ES256", False),
        (jwk("P-256", alg="ES256"), "ES256", True),
        ({**rsa_jwk(2048), "alg": "PS256"}, "PS256", True),
        ({**rsa_jwk(2048), "alg": "PS256"}, "RS256", False),
        (rsa_jwk(2048), "PS512", True),
        (rsa_jwk(2048), "HS256", False),
        (rsa_jwk(2048), "none", False),
        ({**rsa_jwk(2048), "crv": "P-256"}, "RS256", True),
        # T72
        ({**rsa_jwk(2048), "use": "sig"}, "RS256", True),
        ({**rsa_jwk(2048), "key_ops": ["verify", "encrypt"]}, "RS256", True),
    ],
)
def test_a_key_fits_its_algorithm(key: dict[str, Any], alg: str, good: bool) -> None:
    # T67, T71, T72; pains 30
    assert usable(key, alg) is good


@pytest.mark.parametrize("member", ["x5c", "x5u", "x5t", "x5t#S256", "jku"])
def test_certificates_and_addresses_of_keys_are_ignored(member: str) -> None:
    # T68: the key is what the entry says, wherever else it points
    good = {**KEYS["RS256"].jwk(), member: "https://evil.example/key"}
    assert validate(sign(), find_keys=finder(good)).subject == "alice"
    evil = {**rsa_jwk(2048), "kid": "key-RS256", member: ["AAAA"]}
    assert refused(sign(), find_keys=finder(evil)) == "id_token.signature"


def test_a_kid_comes_first_and_the_rest_must_fit_all_the_same() -> None:
    # T67, T69; pains 30
    wrong = {**KEYS["ES256"].jwk(), "kid": "key-RS256"}
    assert refused(sign(), find_keys=finder(wrong)) == "id_token.key_not_found"
    both = finder(wrong, KEYS["RS256"].jwk())
    assert validate(sign(), find_keys=both).subject == "alice"
    encryption = {**rsa_jwk(2048), "kid": "key-RS256", "use": "enc"}
    assert validate(sign(), find_keys=finder(encryption, KEYS["RS256"].jwk()))


@pytest.mark.parametrize("entries", [None, "key", 5, [], {"kty": ["RSA"]}, {}])
def test_junk_beside_a_key_is_no_obstacle(entries: object) -> None:
    # RFC 7517 5; pains 30
    jwks = json.dumps({"keys": [entries, KEYS["RS256"].jwk(), entries]})
    assert len(parse_key_set(jwks).entries) == 1


def test_of_fifty_one_keys_the_last_is_not_looked_at() -> None:
    # T71
    others = [{**rsa_jwk(2048), "kid": f"k{i}"} for i in range(50)]
    good = KEYS["RS256"].jwk()
    assert refused(sign(), find_keys=finder(*others, good)) == "id_token.key_not_found"
    assert validate(sign(), find_keys=finder(*others[:49], good)).subject == "alice"


def test_a_key_for_pss_verifies_nothing_else() -> None:
    # T67
    for_pss = {**KEYS["RS256"].jwk(), "alg": "PS256"}
    assert refused(sign(), find_keys=finder(for_pss)) == "id_token.key_not_found"
    # Of the same key, under the other algorithm's name: the padding is another one.
    plain = {n: v for n, v in KEYS["RS256"].jwk().items() if n != "alg"}
    token = sign(alg="PS256")
    assert refused(token, find_keys=finder(plain)) == "id_token.signature"


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
@pytest.mark.parametrize("r_and_s", [b"\x00", b"\xff", b"\x01"])
def test_numbers_that_are_no_signature_are_none(alg: str, r_and_s: bytes) -> None:
    # T83
    size = {"ES256": 64, "ES384": 96, "ES512": 132}[alg]
    signed = sign(by=alg).rpartition(".")[0]
    forged = base64.urlsafe_b64encode(r_and_s * size).rstrip(b"=").decode()
    assert refused(f"{signed}.{forged}") == "id_token.signature"


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: s + b"\x00", lambda s: s * 2]
)
def test_a_signature_of_another_length_is_none(alg: str, change: Any) -> None:
    # T83
    signed, _, signature = sign(by=alg).rpartition(".")
    raw = change(base64.urlsafe_b64decode(signature + "=="))
    forged = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert refused(f"{signed}.{forged}") == "id_token.signature"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_secret_is_as_long_as_its_hash(alg: str) -> None:
    # T66; RFC 7518 3.2
    length = {"HS256": 32, "HS384": 48, "HS512": 64}[alg]
    metadata = type(METADATA)(
        issuer=METADATA.issuer,
        authorization_endpoint="a",
        token_endpoint="b",
        id_token_signing_alg_values_supported=(alg,),
    )

    def client_with(secret: str) -> Any:
        return hmac_client(secret, algs=(alg,))

    long, short = "s" * length, "s" * (length - 1)
    token = hmac_token(long.encode(), alg=alg)
    options: dict[str, Any] = {"metadata": metadata}
    assert validate(token, client=client_with(long), **options).subject == "alice"
    assert refused(token, client=client_with(short), **options) == (
        "config.signing_algs"
    )
    # In bytes, not in characters.
    accents = "é" * (length // 2)
    token = hmac_token(accents.encode(), alg=alg)
    assert validate(token, client=client_with(accents), **options).subject == "alice"


def test_a_public_key_is_no_secret_in_whatever_form_it_is() -> None:
    # T65; pains 30
    public = KEYS["RS256"].private_key.public_key()
    forms = [
        public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
    ]
    forms.append(json.dumps(KEYS["RS256"].jwk()).encode())
    forms.append(number(public.public_numbers().n).encode())
    for secret in forms:
        # With the provider's own algorithms it is not even looked at, …
        assert refused(hmac_token(secret)) == "id_token.alg_not_allowed"
        assert refused(hmac_token(secret, kid="key-RS256")) == (
            "id_token.alg_not_allowed"
        )
        # … and where secrets sign, it is not the secret.
        assert refused(hmac_token(secret), client=hmac_client()) == (
            "id_token.signature"
        )


def test_keys_are_asked_for_as_json_or_as_a_key_set() -> None:
    accept = {"Accept": "application/json, application/jwk-set+json"}
    assert jwks_request(f"{ISSUER}/jwks") == ProviderRequest(
        "GET", f"{ISSUER}/jwks", "jwks", accept
    )

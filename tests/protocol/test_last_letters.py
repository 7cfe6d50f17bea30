"""Both sides of the last limits, and letters that happen to stand at an end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from oauth_login.protocol.client.keys import parse_client_key, signed_jwt
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import MetadataSource, parse_metadata
from oauth_login.protocol.http import MAX_BODY, ProviderResponse
from oauth_login.protocol.id_token import MAX_ID_TOKEN
from oauth_login.protocol.jose.jws import MAX_HEADER, TokenContext
from oauth_login.protocol.token import parse_token_response
from oauth_login.protocol.userinfo import parse_userinfo_response
from oauth_login.testing.keys import base64url
from tests.protocol.test_details import answer, refusal
from tests.protocol.test_id_token import validate
from tests.protocol.tokens import (
    CLAIMS,
    CLIENT,
    ISSUER,
    KEYS,
    METADATA,
    NOW,
    changed,
    finder,
    sign,
)


def test_a_token_may_be_as_large_as_it_may_be() -> None:
    at, over = "a" * MAX_ID_TOKEN, "a" * (MAX_ID_TOKEN + 1)
    assert refusal(lambda: validate(at))[0] == "id_token.malformed"
    assert refusal(lambda: validate(over))[0] == "id_token.too_large"


@pytest.mark.parametrize(("length", "passes"), [(MAX_HEADER, True), (8196, False)])
def test_a_header_may_be_as_large_as_it_may_be(length: int, passes: bool) -> None:
    # T51
    bare = {"alg": "EdDSA", "kid": "key-EdDSA", "x": ""}
    filling = length * 3 // 4 - len(json.dumps(bare))
    token = KEYS["EdDSA"].sign({**bare, "x": "x" * filling}, CLAIMS)
    assert token.index(".") == length
    if passes:
        assert validate(token)
    else:
        assert refusal(lambda: validate(token))[0] == "id_token.malformed"


@pytest.mark.parametrize(("others", "passes"), [(9, True), (10, False)])
def test_a_token_has_ten_audiences_at_most(others: int, passes: bool) -> None:
    # T80
    audiences = ["site", *map(str, range(others))]
    token = sign(changed(aud=audiences, azp="site"))
    if passes:
        assert validate(token)
    else:
        assert refusal(lambda: validate(token))[0] == "id_token.aud_mismatch"


@pytest.mark.parametrize("nbf", [0.5, 1, NOW + 60])
def test_a_time_is_any_number_above_zero(nbf: float) -> None:
    assert validate(sign(changed(nbf=nbf)))


@pytest.mark.parametrize(
    ("nonce", "code"),
    [
        (..., None),
        ("the-nonce", None),
        (None, None),
        ("", "id_token.nonce_missing"),
        (0, "id_token.nonce_missing"),
        ("another", "id_token.nonce_mismatch"),
    ],
)
def test_where_a_nonce_may_be_missing_a_wrong_one_may_not_be_there(
    nonce: Any, code: str | None
) -> None:
    # T33
    client = Client(client_id="site", deviations=Deviations(nonce_optional=True))
    token = sign(changed(nonce=nonce))
    if code is None:
        assert validate(token, client=client)
        return
    assert refusal(lambda: validate(token, client=client))[0] == code
    if nonce != "another":
        assert refusal(lambda: validate(token))[0] == code


# --- the token response


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (0, 0),
        (1, 1),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (-1, None),
        ("0", 0),
        ("999999999", 999999999),
        ("1000000000", None),
        (True, None),
        (1.5, None),
        (None, None),
    ],
)
def test_a_lifetime_is_a_number_of_seconds_or_unknown(
    expires_in: Any, seconds: int | None
) -> None:
    document = {"access_token": "a", "token_type": "Bearer", "id_token": "x"}
    response = answer({**document, "expires_in": expires_in})
    tokens = parse_token_response(response, client=CLIENT, metadata=METADATA)
    assert tokens.expires_in == seconds
    assert type(tokens.expires_in) is type(seconds)


@pytest.mark.parametrize("id_token", ["x", 1, None])
def test_an_id_token_that_nobody_asked_for_is_not_looked_at(id_token: Any) -> None:
    document = {"access_token": "a", "token_type": "Bearer", "id_token": id_token}
    client = Client(client_id="site", scope="user")
    tokens = parse_token_response(answer(document), client=client, metadata=METADATA)
    assert tokens.id_token is None


# --- signed userinfo


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"a" * (MAX_BODY + 1), {}, "userinfo.too_large"),
        (b"a", {"content-encoding": "gzip"}, "userinfo.content_encoding"),
        # A space of another kind is none that may be around a token (T75).
        ("\u00a0".encode() + sign().encode(), {}, "userinfo.malformed"),
    ],
)
def test_signed_userinfo_is_a_token_and_nothing_around_it(
    body: bytes, headers: dict[str, str], code: str
) -> None:
    headers = {"content-type": "application/jwt", **headers}
    response = ProviderResponse(200, headers, body)
    attempt = refusal(
        lambda: parse_userinfo_response(
            response,
            TokenContext(client=CLIENT, metadata=METADATA, find_keys=finder(), now=NOW),
            expected_subject="alice",
        )
    )
    assert attempt[0] == code


# --- keys and letters


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


def test_a_signature_is_whole_whatever_letter_it_ends_with() -> None:
    # 96 bytes: the last letter may be any. One in 64 is an X, as padding never is.
    key = ec.generate_private_key(ec.SECP384R1())
    made = [signed_jwt({}, alg="ES384", key=key) for _ in range(400)]
    assert {len(jwt.rpartition(".")[2]) for jwt in made} == {128}

    token = sign(by="ES384")
    while not token.endswith("X"):
        token = sign(by="ES384")
    assert validate(token)


def test_a_hash_is_whole_whatever_letter_it_ends_with() -> None:
    # T60
    access_token = next(
        name
        for name in map(str, range(10_000))
        if KEYS["ES384"].half_hash(name).endswith("X")
    )
    at_hash = KEYS["ES384"].half_hash(access_token)
    token = sign(changed(at_hash=at_hash), by="ES384")
    assert validate(token, access_token=access_token)
    short = sign(changed(at_hash=at_hash.rstrip("X")), by="ES384")
    assert refusal(lambda: validate(short, access_token=access_token))[0] == (
        "id_token.at_hash_mismatch"
    )


def test_a_segment_is_spelled_in_one_way() -> None:
    # T75
    for segment in (base64url(b"{}") + "=", "e31", "e3 0", "e30A"):
        token = f"{segment}.e30.e30"
        code = refusal(lambda token=token: validate(token))[0]
        assert code in ("id_token.malformed", "id_token.not_json")


def test_another_spelling_of_the_scheme_is_not_behind() -> None:
    # T45
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": "HTTP://localhost:8080/token",
    }
    code, _ = refusal(
        lambda: parse_metadata(
            document,
            MetadataSource(issuer=ISSUER, backend_base_url="http://localhost:8080"),
        )
    )
    assert code == "discovery.insecure_endpoint"

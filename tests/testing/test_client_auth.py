"""The provider for tests knows a client by a JWT or by where it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.testing import FakeProvider
from oauth_login.testing.client_auth import ASSERTION_TYPE
from oauth_login.testing.keys import SigningKey, with_flipped_bit
from tests.testing.test_fake_provider import (
    changed,
    metadata,
    new_code,
    redeem,
)

NOW = 1_900_000_000
SECRET = "a-secret-of-the-suite-with-32-bytes!"
KEY = SigningKey("ES256", "client-1")
OTHER = SigningKey("ES256", "client-2")
CLAIMS: dict[str, Any] = {
    "iss": "site",
    "sub": "site",
    "aud": "https://id.example.com",
    "jti": "one",
    "iat": NOW,
    "exp": NOW + 60,
}


def provider_with(method: str, **options: Any) -> FakeProvider:
    return FakeProvider(
        client_secret=SECRET,
        auth_methods=[method],
        client_jwks={"keys": [OTHER.jwk(), KEY.jwk()]},
        now=lambda: NOW,
        **options,
    )


def assertion(key: SigningKey = KEY, *, kid: str | None = None, **changes: Any) -> str:
    header = {"alg": key.alg, "typ": "JWT", "kid": kid or key.kid}
    return key.sign(header, changed(CLAIMS, **changes))


def redeem_with(provider: FakeProvider, jwt: str, **form: Any) -> tuple[int, Any]:
    usual = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": jwt}
    return redeem(provider, new_code(provider), {}, **changed(usual, **form))


def test_a_private_key_is_proof() -> None:
    provider = provider_with("private_key_jwt")

    assert redeem_with(provider, assertion())[0] == 200
    assert metadata(provider)["token_endpoint_auth_methods_supported"] == [
        "private_key_jwt"
    ]


def test_a_secret_signs_too() -> None:
    key = SigningKey("HS256", "any", secret=SECRET)

    assert redeem_with(provider_with("client_secret_jwt"), assertion(key))[0] == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"iss": ...},
        {"sub": "another"},
        {"aud": "https://id.example.com/token"},
        {"aud": ["https://id.example.com"]},
        {"aud": ...},
        {"exp": NOW},
        {"exp": NOW + 3601},
        {"exp": "soon"},
        {"exp": ...},
        {"jti": ""},
        {"jti": ...},
    ],
)
def test_an_assertion_is_about_this_client_and_this_request(
    changes: dict[str, Any],
) -> None:
    # RFC 7523 3; T38
    status, answer = redeem_with(provider_with("private_key_jwt"), assertion(**changes))

    assert (status, answer["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("exp", [NOW + 1, NOW + 3600])
def test_an_assertion_is_good_for_an_hour_at_most(exp: int) -> None:
    jwt = assertion(exp=exp)

    assert redeem_with(provider_with("private_key_jwt"), jwt)[0] == 200


@pytest.mark.parametrize(
    "jwt",
    [
        with_flipped_bit(assertion()),
        assertion(SigningKey("ES256", "stranger"), kid="client-1"),
        assertion(kid="client-3"),
        assertion(OTHER, kid="client-1"),
        "e30.e30.e30",
        "e30",
        "",
        "a.b.c",
        # The secret's owner is not the key's.
        assertion(SigningKey("HS256", "client-1", secret=SECRET)),
    ],
)
def test_an_assertion_is_signed_by_the_clients_key(jwt: str) -> None:
    assert redeem_with(provider_with("private_key_jwt"), jwt)[0] == 401


def test_the_wrong_secret_signs_nothing() -> None:
    key = SigningKey("HS256", "any", secret="x" * 32)

    assert redeem_with(provider_with("client_secret_jwt"), assertion(key))[0] == 401


def test_an_assertion_is_used_once() -> None:
    provider, jwt = provider_with("private_key_jwt"), assertion()

    assert redeem_with(provider, jwt)[0] == 200
    assert redeem_with(provider, jwt)[0] == 401


def test_an_assertion_says_what_it_is() -> None:
    provider = provider_with("private_key_jwt")

    assert redeem_with(provider, assertion(), client_assertion_type=...)[0] == 401


def test_an_assertion_beside_a_secret_is_one_too_many() -> None:
    provider = provider_with("private_key_jwt")

    assert redeem_with(provider, assertion(), client_secret=SECRET)[0] == 400


def test_assertions_can_be_for_another_audience() -> None:
    endpoint = "https://id.example.com/token"
    provider = provider_with("private_key_jwt", assertion_audience=endpoint)

    assert redeem_with(provider, assertion())[0] == 401
    assert redeem_with(provider, assertion(aud=endpoint))[0] == 200


def test_a_secret_can_be_a_jwt_of_the_client() -> None:
    # As Apple has it.
    provider = provider_with("signed_client_secret")
    methods = metadata(provider)["token_endpoint_auth_methods_supported"]
    assert methods == ["client_secret_post"]

    for secret, expected in [
        (assertion(iss="team", jti=...), 200),
        (assertion(sub="another"), 401),
        (with_flipped_bit(assertion()), 401),
        (SECRET, 401),
    ]:
        form = {"client_id": "site", "client_secret": secret}
        assert redeem(provider, new_code(provider), {}, **form)[0] == expected


def test_user_and_password_can_be_taken_as_they_are() -> None:
    from tests.testing.test_fake_provider import basic

    provider = FakeProvider(client_secret="a%41+b", basic_encoding="raw")

    assert redeem(provider, new_code(provider), basic("site", "a%41+b"))[0] == 401


# --- with a certificate


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_a_client_with_a_certificate_goes_elsewhere(method: str) -> None:
    # RFC 8705 5
    provider = provider_with(method, mtls_base="https://mtls.example.com")
    aliases = metadata(provider)["mtls_endpoint_aliases"]
    assert aliases == {
        "token_endpoint": "https://mtls.example.com/token",
        "userinfo_endpoint": "https://mtls.example.com/userinfo",
    }

    assert redeem(provider, new_code(provider), {}, client_id="site")[0] == 401
    provider = provider_with(method, endpoints=aliases)  # to the same place
    assert redeem(provider, new_code(provider), {}, client_id="site")[0] == 200
    assert redeem(provider, new_code(provider), {})[0] == 401
    assert redeem(provider, new_code(provider), {}, client_id="another")[0] == 401


def test_without_another_place_there_are_no_aliases() -> None:
    provider = provider_with("tls_client_auth")

    assert "mtls_endpoint_aliases" not in metadata(provider)
    assert redeem(provider, new_code(provider), {}, client_id="site")[0] == 200

"""Signed tokens of any kind: which algorithms, which keys."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.jose.jws import (
    TokenContext,
    VerifiedJws,
    allowed_algs,
    verified_jws,
)
from tests.protocol.answers import refusal
from tests.protocol.test_id_token import hmac_token, validate
from tests.protocol.tokens import (
    CLAIMS,
    CLIENT,
    ISSUER,
    KEYS,
    METADATA,
    changed,
    finder,
    sign,
)


def announcing(*algs: str, **members: Any) -> ServerMetadata:
    return ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        id_token_signing_alg_values_supported=algs,
        **members,
    )


def test_the_log_says_which_algorithms_do_not_go_together() -> None:
    # T65, T66
    mixed = Client(client_id="site", id_token_signing_algs=("HS256", "RS256"))
    assert refusal(lambda: allowed_algs(mixed, METADATA, document="id_token")) == (
        "config.signing_algs",
        {"received": ("HS256", "RS256")},
    )
    strict = Client(client_id="site", id_token_signing_algs=("ES256",))
    assert refusal(
        lambda: allowed_algs(strict, announcing("RS256"), document="id_token")
    ) == ("config.signing_algs", {"expected": ("ES256",), "received": ("RS256",)})


def test_userinfo_may_be_signed_with_other_algorithms_than_id_tokens() -> None:
    metadata = announcing("RS256", userinfo_signing_alg_values_supported=("ES256",))
    assert allowed_algs(CLIENT, metadata, document="id_token") == ("RS256",)
    assert allowed_algs(CLIENT, metadata, document="logout_token") == ("RS256",)
    assert allowed_algs(CLIENT, metadata, document="userinfo") == ("ES256",)
    assert allowed_algs(CLIENT, announcing("RS256"), document="userinfo") == ("RS256",)


def test_a_verified_token_says_how_and_by_whose_key() -> None:
    def verified(token: str, client: Client = CLIENT, **key: Any) -> VerifiedJws:
        return verified_jws(
            token,
            TokenContext(
                client=client,
                metadata=METADATA,
                find_keys=finder({**KEYS["ES256"].jwk(), **key}),
                now=0,
            ),
            document="id_token",
        )

    token = sign(by="ES256")
    assert verified(token) == VerifiedJws("ES256", CLAIMS, None)
    assert verified(token, issuer=ISSUER) == VerifiedJws("ES256", CLAIMS, ISSUER)
    client = Client(
        client_id="site", client_secret="s" * 32, id_token_signing_algs=("HS256",)
    )
    symmetric = hmac_token(b"s" * 32)
    assert verified(symmetric, client) == VerifiedJws("HS256", CLAIMS, None)


@pytest.mark.parametrize("kid", ["k" * 255, "k" * 256])
def test_the_longest_key_id_is_256_characters(kid: str) -> None:
    # T69
    find = finder({**KEYS["ES256"].jwk(), "kid": kid})
    assert validate(sign(by="ES256", kid=kid), find_keys=find)


def test_the_log_says_whose_key_it_was_if_it_was_another_tenants() -> None:
    # T79
    template = "https://login.example.com/{tenantid}/v2.0"
    mine, other = (template.replace("{tenantid}", name) for name in ("mine", "other"))
    client = Client(
        client_id="site",
        deviations=Deviations(issuer_template=template, allowed_tenants=("mine",)),
    )
    metadata = ServerMetadata(
        issuer=template,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        id_token_signing_alg_values_supported=("ES256",),
    )
    key = {**KEYS["ES256"].jwk(), "issuer": other}
    token = sign(changed(iss=mine, tid="mine"), by="ES256")
    assert refusal(
        lambda: validate(token, client=client, metadata=metadata, find_keys=finder(key))
    ) == ("id_token.key_not_found", {"expected": mine, "received": other})

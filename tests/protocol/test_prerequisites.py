"""What the metadata shows to be impossible, before the browser is sent away."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.errors import OAuthLoginError
from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.client.registration import HMAC_ALGS, Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import MetadataSource, parse_metadata
from oauth_login.protocol.prerequisites import check_prerequisites
from tests.our_keys import EC_KEY, RSA_KEY
from tests.protocol.tokens import ISSUER

DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
}
ALGS = "id_token_signing_alg_values_supported"
METHODS = "token_endpoint_auth_methods_supported"
ASSERTIONS = "token_endpoint_auth_signing_alg_values_supported"
SECRET = {"client_secret": "s" * 32}
HS256: dict[str, Any] = {**SECRET, "id_token_signing_algs": ("HS256",)}
ANY_HS: dict[str, Any] = {
    "client_secret": "s" * 64,
    "id_token_signing_algs": tuple(HMAC_ALGS),
}
ES256: dict[str, Any] = {
    **SECRET,
    "id_token_signing_algs": ("ES256",),
    "has_own_signing_algs": True,
}
EC, RSA = {"keys": (parse_client_key(EC_KEY),)}, {"keys": (parse_client_key(RSA_KEY),)}
CERTIFICATE = {"has_certificate": True, "token_endpoint_auth_method": "tls_client_auth"}
RAW = {**SECRET, "client_id": "a:b", "deviations": Deviations(raw_basic=True)}
PLAIN = {**SECRET, "scope": "user"}
HTTP = "http://id.example.com/x"


def method(name: str, **client: Any) -> dict[str, Any]:
    return {**client, "token_endpoint_auth_method": name}


def outcome(
    client: dict[str, Any], changes: dict[str, Any], *, needs_userinfo: bool = False
) -> str | None:
    document = {n: v for n, v in {**DOCUMENT, **changes}.items() if v is not ...}
    try:
        check_prerequisites(
            Client(**{"client_id": "site", **client}),
            parse_metadata(document, MetadataSource(issuer=ISSUER)),
            needs_userinfo=needs_userinfo,
        )
    except OAuthLoginError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("client", "changes", "code"),
    [
        (SECRET, {}, None),
        # No algorithm in common.
        (SECRET, {ALGS: ["none"]}, "config.signing_algs"),
        (SECRET, {ALGS: ["HS256", "ES256K"]}, "config.signing_algs"),
        (SECRET, {ALGS: ["none", "EdDSA"]}, None),
        (SECRET, {ALGS: "RS256"}, "discovery.invalid_member"),
        (SECRET, {ALGS: [1]}, "discovery.invalid_member"),
        (HS256, {ALGS: ["RS256"]}, "config.signing_algs"),
        (
            {**HS256, "client_secret": "s" * 31},
            {ALGS: ["HS256"]},
            "config.signing_algs",
        ),
        # What the settings name makes the member unnecessary.
        *((ES256, {ALGS: value}, None) for value in (..., ["RS256"], "RS256", [1], 7)),
        # No client authentication in common.
        (SECRET, {METHODS: ["private_key_jwt"]}, "config.client_auth"),
        (SECRET, {METHODS: "client_secret_post"}, "discovery.invalid_member"),
        (SECRET, {METHODS: ["client_secret_post"]}, None),
        (EC, {METHODS: ["private_key_jwt"]}, None),
        (EC, {}, "config.client_auth"),
        (
            EC,
            {METHODS: ["private_key_jwt"], ASSERTIONS: ["RS256"]},
            "config.client_auth",
        ),
        (RSA, {METHODS: ["private_key_jwt"], ASSERTIONS: ["PS256"]}, None),
        (
            RSA,
            {METHODS: ["private_key_jwt"], ASSERTIONS: 1},
            "discovery.invalid_member",
        ),
        (SECRET, {ASSERTIONS: 1}, None),
        (
            method("client_secret_jwt", **SECRET),
            {ASSERTIONS: ["HS512"]},
            "config.client_auth",
        ),
        (method("private_key_jwt"), {}, "config.client_auth"),
        (method("signed_client_secret"), {}, "config.client_auth"),
        (RAW, {}, "config.client_auth"),
        ({}, {METHODS: 1}, None),  # a public client
        *(
            (method("client_secret_post", **SECRET), {METHODS: value}, None)
            for value in ([], ["none"], "client_secret_basic", 7)
        ),
        # No key set that we may ask for.
        (SECRET, {"jwks_uri": ...}, "discovery.invalid_member"),
        (SECRET, {"jwks_uri": ""}, "discovery.invalid_member"),
        (SECRET, {"jwks_uri": "keys.json"}, "discovery.insecure_endpoint"),
        (SECRET, {"jwks_uri": HTTP}, "discovery.insecure_endpoint"),
        (HS256, {ALGS: ["HS256"], "jwks_uri": HTTP}, None),  # the secret is the key
        (ANY_HS, {ALGS: [*HMAC_ALGS], "jwks_uri": HTTP}, None),
        (PLAIN, {"jwks_uri": ..., ALGS: 7}, None),
        # Endpoints that we would refuse.
        (CERTIFICATE, {"mtls_endpoint_aliases": {"token_endpoint": "https://x"}}, None),
        (
            CERTIFICATE,
            {"mtls_endpoint_aliases": {"token_endpoint": HTTP}},
            "discovery.insecure_endpoint",
        ),
        (CERTIFICATE, {"mtls_endpoint_aliases": 1}, "discovery.invalid_member"),
        (SECRET, {"mtls_endpoint_aliases": {"token_endpoint": HTTP}}, None),
        (SECRET, {"end_session_endpoint": HTTP, "emails_endpoint": 7}, None),
        (SECRET, {"prompt_values_supported": "login"}, None),
        (SECRET, {"userinfo_endpoint": HTTP}, None),
    ],
)
def test_what_cannot_succeed_is_said_at_once(
    client: dict[str, Any], changes: dict[str, Any], code: str | None
) -> None:
    # T45, T54, T64
    assert outcome(client, changes) == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (HTTP, "discovery.insecure_endpoint"),
        ("/userinfo", "discovery.insecure_endpoint"),
        (7, "discovery.invalid_member"),
        ("", "discovery.invalid_member"),
        (..., "discovery.invalid_member"),
        (f"{ISSUER}/u", None),
    ],
)
@pytest.mark.parametrize("client", [SECRET, PLAIN])
def test_userinfo_is_judged_where_each_login_needs_it(
    client: dict[str, Any], url: object, code: str | None
) -> None:
    changes = {"userinfo_endpoint": url}
    assert outcome(client, changes, needs_userinfo=True) == code
    assert outcome(client, changes) is None

"""One good token, and the provider that signed it: what the tests here change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.jose.jwks import VerifyingKey, find_keys, parse_key_set
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.testing.keys import SigningKey

NOW = 1_900_000_000
ISSUER = "https://id.example.com"
ALGS = ("RS256", "RS384", "PS256", "ES256", "ES384", "ES512", "EdDSA")
KEYS = {alg: SigningKey(alg, f"key-{alg}") for alg in ALGS}
METADATA = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    id_token_signing_alg_values_supported=(*ALGS, "HS256", "none"),
)
CLIENT = Client(client_id="site", client_secret="s" * 32)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "site",
    "sub": "alice",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": "the-nonce",
}


def sign(
    claims: dict[str, Any] | bytes = CLAIMS, by: str = "RS256", **header: Any
) -> str:
    given = {"alg": by, "kid": f"key-{by}", "typ": "JWT", **header}
    return KEYS[by].sign({n: v for n, v in given.items() if v is not ...}, claims)


def changed(**changes: Any) -> dict[str, Any]:
    return {n: v for n, v in {**CLAIMS, **changes}.items() if v is not ...}


def context_of(options: dict[str, Any]) -> TokenContext:
    """What a token is judged by: the usual, but for what is taken out of `options`."""
    given = {"client": CLIENT, "metadata": METADATA, "find_keys": finder(), "now": NOW}
    changes = {name: options.pop(name) for name in given if name in options}
    return TokenContext(**{**given, **changes})


def finder(*keys: dict[str, Any]) -> Callable[..., Sequence[VerifyingKey]]:
    jwks = keys or tuple(key.jwk() for key in KEYS.values())
    key_set = parse_key_set(json.dumps({"keys": jwks}))

    def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
        return find_keys(key_set, alg=alg, kid=kid)

    return find

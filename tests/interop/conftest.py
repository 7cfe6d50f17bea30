"""Starts npm's oidc-provider on loopback, once, with all clients of the tests."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from oauth_login.protocol.client.keys import Use, parse_client_key, public_key_set
from tests.our_keys import EC_KEY, RSA_KEY, pem_of

HERE = Path(__file__).parent
SITE = "http://localhost"

# What client_secret_basic trips over when a client forgets RFC 6749 2.3.1.
ODD_ID = "site %+/: &="
ODD_SECRET = "s3cret %+/: &= s3cret %+/: &= s3cret"  # noqa: S105

OTHER_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))


def registered(pem: str, use: Use) -> dict[str, Any]:
    """Our key as the provider gets it: in the registration, for it fetches nothing
    from this machine."""
    return {"jwks": public_key_set([parse_client_key(pem, use=use)])}


# alias → what the settings have of our keys.
OUR_KEYS: dict[str, dict[str, object]] = {
    "encrypted-rsa": {"DECRYPTION_KEYS": [RSA_KEY]},
    "encrypted-ec": {"DECRYPTION_KEYS": [EC_KEY]},
    "private-key": {"CLIENT_KEYS": [EC_KEY]},
}

# alias → what is registered at the provider, in RFC 7591's names.
REGISTRATIONS: dict[str, dict[str, object]] = {
    "rs256": {"id_token_signed_response_alg": "RS256"},
    "es256": {"id_token_signed_response_alg": "ES256"},
    "ps256": {"id_token_signed_response_alg": "PS256"},
    "eddsa": {"id_token_signed_response_alg": "EdDSA"},
    "odd": {"client_id": ODD_ID, "client_secret": ODD_SECRET},
    "post": {"token_endpoint_auth_method": "client_secret_post"},
    "public": {"token_endpoint_auth_method": "none", "client_secret": None},
    "encrypted-rsa": {
        "id_token_encrypted_response_alg": "RSA-OAEP-256",
        "id_token_encrypted_response_enc": "A256GCM",
        **registered(RSA_KEY, "enc"),
    },
    "encrypted-ec": {
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A128GCM",
        "userinfo_signed_response_alg": "RS256",
        "userinfo_encrypted_response_alg": "ECDH-ES",
        "userinfo_encrypted_response_enc": "A256GCM",
        **registered(EC_KEY, "enc"),
    },
    "private-key": {
        "token_endpoint_auth_method": "private_key_jwt",
        "client_secret": None,
        **registered(EC_KEY, "sig"),
    },
}


def registration(alias: str) -> dict[str, object]:
    """The client `alias` as the provider knows it."""
    return {
        name: value
        for name, value in {
            "client_id": f"site-{alias}",
            "client_secret": "a-secret-of-the-suite-with-32-bytes!",
            "redirect_uris": [f"{SITE}/auth/{alias}/callback/"],
            "post_logout_redirect_uris": [f"{SITE}/auth/logged-out/"],
            "scope": "openid profile email groups",
            **REGISTRATIONS[alias],
        }.items()
        if value is not None
    }


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """The issuer of a running oidc-provider that ends with the session."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argument = json.dumps(
        {"port": port, "clients": [registration(alias) for alias in REGISTRATIONS]}
    )
    with subprocess.Popen(  # noqa: S603 - our own script and our own argument
        ["node", str(HERE / "provider.mjs"), argument],  # noqa: S607 - from PATH
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert "ready\n" in lines, "oidc-provider did not start"
        yield f"http://127.0.0.1:{port}"
        process.stdin.close()
        process.wait(timeout=10)

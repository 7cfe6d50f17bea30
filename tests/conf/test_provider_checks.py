"""What an entry of PROVIDERS may say of keys, deviations and addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.registry import get_provider
from oauth_login.testing.keys import SigningKey

TEMPLATE = "https://login.example.com/{tenantid}/v2.0"


def pem(key: Any, encryption: KeySerializationEncryption | None = None) -> str:
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()
    )
    return str(private.decode())


EC = pem(SigningKey("ES256", "client").private_key)
ED = pem(SigningKey("EdDSA", "client").private_key)
LOCKED = pem(
    SigningKey("ES256", "client").private_key, BestAvailableEncryption(b"password")
)
SHORT = pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - it is refused
ED448 = pem(ed448.Ed448PrivateKey.generate())


def fetched() -> str:
    raise AssertionError("a check must not call it")


def configure(settings: Settings, **entry: Any) -> None:
    values = {
        "ISSUER": "https://id.example.com",
        "CLIENT_ID": "site",
        "CLIENT_SECRET": "secret",
        **entry,
    }
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": values}}


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"BACKEND_BASE_URL": "http://keycloak:8080"}, set()),
        ({"BACKEND_BASE_URL": "https://keycloak.svc"}, set()),
        ({"BACKEND_BASE_URL": "http://keycloak:8080/"}, {"E023"}),
        ({"BACKEND_BASE_URL": "http://keycloak:8080/auth"}, {"E023"}),
        ({"BACKEND_BASE_URL": "http://user@keycloak"}, {"E023"}),
        ({"BACKEND_BASE_URL": "keycloak:8080"}, {"E023"}),
        ({"BACKEND_BASE_URL": "ftp://keycloak"}, {"E023"}),
        ({"BACKEND_BASE_URL": 8080}, {"E003"}),
        ({"CLIENT_KEYS": [EC]}, set()),
        ({"CLIENT_KEYS": [{"KEY": ED, "KID": "ours"}]}, set()),
        ({"CLIENT_KEYS": [fetched]}, set()),
        ({"CLIENT_KEYS": [{"KEY": fetched}]}, set()),
        ({"CLIENT_KEYS": EC}, {"E003"}),
        ({"CLIENT_KEYS": [5]}, {"E024"}),
        ({"CLIENT_KEYS": [LOCKED]}, {"E024"}),
        ({"CLIENT_KEYS": [SHORT]}, {"E024"}),
        ({"CLIENT_KEYS": [ED448]}, {"E024"}),
        ({"CLIENT_KEYS": ["-----BEGIN nothing"]}, {"E024"}),
        ({"CLIENT_KEYS": ["/nowhere/key.pem"]}, {"E024"}),
        ({"CLIENT_KEYS": [EC, "/nowhere/key.pem"]}, {"E024"}),
        ({"CLIENT_KEYS": [{"KEY": EC, "KIDD": "ours"}]}, {"E002"}),
        ({"CLIENT_KEYS": [{"KID": "ours"}]}, {"E024"}),
        ({"CLIENT_AUTH": "private_key_jwt"}, {"E013"}),
        ({"CLIENT_CERT": __file__}, set()),
        ({"CLIENT_CERT": (__file__, Path(__file__))}, set()),
        ({"CLIENT_CERT": "/nowhere/cert.pem"}, {"E025"}),
        ({"CLIENT_CERT": (__file__, "/nowhere/key.pem")}, {"E025"}),
        ({"CLIENT_CERT": (__file__, __file__, __file__)}, {"E003"}),
        ({"CLIENT_CERT": 5}, {"E003"}),
        ({"CLIENT_AUTH": "tls_client_auth"}, {"E013"}),
        ({"DEVIATIONS": ["string_booleans", "user_in_response"]}, set()),
        ({"DEVIATIONS": ["no_signature"]}, {"E027"}),
        ({"DEVIATIONS": "string_booleans"}, {"E003"}),
        ({"NONCE": "never"}, {"E004"}),
        ({"PKCE": "plain"}, {"E003"}),
        ({"BASIC_ENCODING": "latin-1"}, {"E004"}),
        ({"CLAIM_ALIASES": {"email": "mail"}}, set()),
        ({"CLAIM_ALIASES": ["email"]}, {"E003"}),
        ({"CLAIM_ALIASES": {"email": None}}, {"E003"}),
        ({"CLAIM_ALIASES": {"email": ""}}, {"E003"}),
        ({"CLAIM_ALIASES": {"sub": "login"}}, {"E003"}),
        ({"CLAIM_ALIASES": {"iss": "tenant"}}, {"E003"}),
        ({"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": ["a"]}, set()),
        ({"ISSUER_TEMPLATE": TEMPLATE}, {"E028"}),
        ({"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": "a"}, {"E003"}),
        ({"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": ["*"]}, {"E022"}),
        ({"ALLOWED_TENANTS": ["a"]}, {"E028"}),
        (
            {"ISSUER_TEMPLATE": "https://id.example.com", "ALLOWED_TENANTS": ["a"]},
            {"E028"},
        ),
        (
            {"ISSUER_TEMPLATE": TEMPLATE * 2, "ALLOWED_TENANTS": ["a"]},
            {"E028"},
        ),
        (
            {
                "ISSUER_TEMPLATE": TEMPLATE.replace("https", "http"),
                "ALLOWED_TENANTS": ["a"],
            },
            {"E028"},
        ),
    ],
)
def test_every_mistake_has_a_number(
    settings: Settings, entry: dict[str, Any], found: set[str]
) -> None:
    # T38, T45, T79, T131
    configure(settings, **entry)
    assert {problem.id for problem in get_config().problems} == found
    if found:
        with pytest.raises(ConfigurationError) as caught:
            get_provider("corp")
        assert caught.value.code == "config.invalid"


@pytest.mark.parametrize("secret", [LOCKED, SHORT, "-----BEGIN my secret"])
def test_no_check_shows_a_key(settings: Settings, secret: str) -> None:
    # T127
    configure(settings, CLIENT_KEYS=[secret])
    (problem,) = get_config().problems
    assert not any(line in problem.message for line in secret.splitlines())


def test_a_key_can_be_in_a_file(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(EC)
    configure(settings, CLIENT_KEYS=[str(path), {"KEY": path, "KID": "ours"}])
    first, second = get_provider("corp").client.keys
    assert first.public_jwk() | {"kid": ""} == second.public_jwk() | {"kid": ""}
    assert (len(first.kid), second.kid) == (43, "ours")


def test_a_function_is_asked_when_the_provider_is_first_used(
    settings: Settings,
) -> None:
    asked = []

    def vault() -> str:
        asked.append(1)
        return EC

    configure(settings, CLIENT_KEYS=[{"KEY": vault, "KID": "ours"}])
    assert get_config().problems == ()
    assert asked == []
    assert get_provider("corp").client.keys[0].kid == "ours"
    assert asked == [1]


@pytest.mark.parametrize(
    "function", [lambda: "secret", lambda: None, lambda: 1 / 0, lambda: SHORT]
)
def test_a_function_that_gives_no_key_is_an_error_without_its_words(
    settings: Settings, function: Callable[[], object]
) -> None:
    # T122, T127
    configure(settings, CLIENT_KEYS=[function])
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.client_keys"
    assert "secret" not in str(caught.value.detail)

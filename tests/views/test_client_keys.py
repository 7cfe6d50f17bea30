"""client_keys: our public keys, where a provider looks them up."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.test import Client
from pytest_django import Settings

from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider, log_in, stand_in

pytestmark = pytest.mark.django_db

URL = "/auth/corp/jwks/"


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )


RSA = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
P256 = pem(ec.generate_private_key(ec.SECP256R1()))
P384 = pem(ec.generate_private_key(ec.SECP384R1()))
ED25519 = pem(ed25519.Ed25519PrivateKey.generate())


def configure(settings: Settings, keys: list[Any], **more: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": {**entry, "CLIENT_KEYS": keys, **more}},
    }


def test_without_keys_there_is_no_such_page(client: Client) -> None:
    assert client.get(URL).status_code == 404
    assert client.get("/auth/other/jwks/").status_code == 404


def test_the_public_halves_are_shown_and_nothing_private(
    client: Client, settings: Settings
) -> None:
    # T71, T122
    configure(settings, [{"KEY": RSA, "KID": "now"}, P256, P384, ED25519])

    response = client.get(URL)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    keys = response.json()["keys"]
    assert [key["kty"] for key in keys] == ["RSA", "EC", "EC", "OKP"]
    assert keys[0]["kid"] == "now"
    assert len({key["kid"] for key in keys}) == 4
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()


def test_a_provider_may_keep_them_for_five_minutes(
    client: Client, settings: Settings
) -> None:
    configure(settings, [P256])

    response = client.get(URL)

    assert response["Cache-Control"] == "public, max-age=300"
    assert "sessionid" not in response.cookies


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_they_are_only_read(client: Client, settings: Settings, method: str) -> None:
    configure(settings, [P256])

    assert getattr(client, method)(URL).status_code == 405
    assert client.head(URL).status_code == 200


def test_a_new_key_is_shown_before_it_signs_and_an_old_one_after(
    client: Client, settings: Settings
) -> None:
    # A provider that keeps what it saw for a while is never surprised.
    old, new = {"KEY": P256, "KID": "old"}, {"KEY": P384, "KID": "new"}
    seen: dict[str, Any] = {"keys": []}

    for keys in ([old], [old, new], [new, old], [new]):
        configure(settings, keys, CLIENT_AUTH="private_key_jwt")
        with stand_in() as provider:
            provider.client_jwks = seen or client.get(URL).json()
            if seen["keys"]:
                assert log_in(Client(), provider)["Location"] == "/home/"
        seen = client.get(URL).json()
        assert [key["kid"] for key in seen["keys"]] == [key["KID"] for key in keys]


def test_a_login_is_signed_with_the_first_one(
    client: Client, settings: Settings
) -> None:
    configure(
        settings,
        [{"KEY": ED25519, "KID": "first"}, {"KEY": RSA, "KID": "second"}],
        CLIENT_AUTH="private_key_jwt",
    )
    shown = client.get(URL).json()["keys"]

    for keys, status in ([shown[:1], 302], [shown[1:], 500]):
        with stand_in() as provider:
            provider.client_jwks = {"keys": keys}
            assert log_in(Client(), provider).status_code == status


def broken_vault() -> str:
    raise ConnectionError("token=the-vaults-own-secret")


@pytest.mark.parametrize("source", [broken_vault, lambda: "no PEM", lambda: None])
def test_keys_that_cannot_be_had_are_an_error_that_nobody_keeps(
    client: Client,
    settings: Settings,
    source: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T122
    configure(settings, [source])

    response = client.get(URL)

    assert response.status_code == 500
    assert response.json() == {"error": "config.client_keys"}
    assert "no-store" in response["Cache-Control"]
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "config.client_keys"
    assert record.oauth_login_provider == "corp"
    assert "the-vaults-own-secret" not in caplog.text
    assert not LoginEvent.objects.exists()


def test_settings_with_an_error_show_no_keys(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    # T131
    configure(settings, [P256], CLIENT_ID=None)

    response = client.get(URL)

    assert response.status_code == 500
    assert response.json() == {"error": "config.invalid"}


def test_the_log_says_how_we_authenticated_and_how_the_provider_wants_it(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T54
    configure(settings, [P256], CLIENT_AUTH="private_key_jwt")

    response = log_in(client, oauth_provider)  # it knows the secret only

    assert response.status_code == 500
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "config.client_refused"
    assert record.oauth_login_detail["method"] == "private_key_jwt"
    assert list(record.oauth_login_detail["methods_supported"]) == [
        "client_secret_basic",
        "client_secret_post",
    ]

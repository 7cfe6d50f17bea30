"""DECRYPTION_KEYS, from the settings to a login with an encrypted ID token."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.registry import get_provider
from oauth_login.testing import FakeProvider, log_in, stand_in
from oauth_login.testing.keys import SigningKey
from tests.our_keys import EC_KEY, RSA_KEY, pem_of

SMALL_RSA = pem_of(rsa.generate_private_key(65537, 1024))  # noqa: S505
K256 = pem_of(ec.generate_private_key(ec.SECP256K1()))
ED25519 = pem_of(ed25519.Ed25519PrivateKey.generate())
ENTRY = {
    "ISSUER": "https://id.example.com",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "a-secret-of-the-suite-with-32-bytes!",
}


def corp(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**ENTRY, **keys}}}


def problems() -> list[str]:
    return [problem.id for problem in get_config().problems]


@pytest.fixture
def provider(settings: Settings) -> Iterator[FakeProvider]:
    """A provider that encrypts to the first of the site's two keys."""
    corp(settings, DECRYPTION_KEYS=[RSA_KEY, EC_KEY])
    with stand_in() as provider:
        yield provider


# --- the setting ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ([RSA_KEY], []),
        ([EC_KEY, {"KEY": RSA_KEY, "KID": "enc-2"}], []),
        ([lambda: RSA_KEY], []),
        (RSA_KEY, ["E003"]),
        ([SMALL_RSA], ["E024"]),
        ([K256], ["E024"]),
        ([ED25519], ["E024"]),
        (["/nowhere/key.pem"], ["E024"]),
        ([5], ["E024"]),
        ([{"KEY": RSA_KEY, "KD": "1"}], ["E002"]),
    ],
)
def test_a_key_that_decrypts_nothing_is_found_by_a_check(
    settings: Settings, keys: Any, found: list[str]
) -> None:
    # T71
    corp(settings, DECRYPTION_KEYS=keys)
    assert problems() == found
    assert "PRIVATE KEY" not in str(run_checks(tags=["oauth_login"]))  # T127


def test_a_key_may_be_in_a_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(EC_KEY)
    corp(settings, DECRYPTION_KEYS=[tmp_path / "key.pem"])
    (key,) = get_provider("corp").client.decryption_keys
    assert (key.use, key.algs) == ("enc", ("ECDH-ES",))


@pytest.mark.parametrize("keys", [[ED25519], ["no key"], [None]])
def test_a_key_that_a_function_gives_is_judged_when_it_is_used(
    settings: Settings, keys: list[Any]
) -> None:
    corp(settings, DECRYPTION_KEYS=[lambda: keys[0]])
    assert problems() == []
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.client_keys"


def test_a_key_has_one_use(settings: Settings) -> None:
    corp(settings, CLIENT_KEYS=[EC_KEY], DECRYPTION_KEYS=[RSA_KEY, EC_KEY])
    assert problems() == ["E024"]
    # What only a function knows is found when it is used.
    corp(settings, CLIENT_KEYS=[EC_KEY], DECRYPTION_KEYS=[lambda: EC_KEY])
    assert problems() == []
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.client_keys"


def test_without_the_extra_a_check_names_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)
    corp(settings)
    assert problems() == []
    corp(settings, DECRYPTION_KEYS=[RSA_KEY])
    assert problems() == ["E035"]
    assert "oauth-login[jwe]" in str(run_checks(tags=["oauth_login"]))
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.invalid"


# --- what we publish ------------------------------------------------------------------


def test_the_key_set_says_which_key_is_for_what(
    client: Client, settings: Settings
) -> None:
    corp(settings, CLIENT_KEYS=[ED25519], DECRYPTION_KEYS=[RSA_KEY, EC_KEY])
    answer = client.get("/auth/corp/jwks/")
    assert [(k["kty"], k["use"], k.get("alg")) for k in answer.json()["keys"]] == [
        ("OKP", "sig", None),
        ("RSA", "enc", "RSA-OAEP-256"),
        ("EC", "enc", "ECDH-ES"),
    ]
    assert '"d"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("keys", "status"),
    [({}, 404), ({"DECRYPTION_KEYS": [EC_KEY]}, 200), ({"CLIENT_KEYS": [EC_KEY]}, 200)],
)
def test_whoever_has_no_keys_has_no_key_set(
    client: Client, settings: Settings, keys: dict[str, Any], status: int
) -> None:
    corp(settings, **keys)
    assert client.get("/auth/corp/jwks/").status_code == status


# --- a login ------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1], ids=["RSA", "EC"])
def test_a_login_with_an_encrypted_id_token(
    client: Client, provider: FakeProvider, number: int
) -> None:
    # fapi1-advanced-final-client-test-encrypted-idtoken
    provider.encrypts_to = client.get("/auth/corp/jwks/").json()["keys"][number]
    response = log_in(client, provider, next="/private/")
    assert (response.status_code, response["Location"]) == (302, "/private/")
    assert "_auth_user_id" in client.session


@pytest.mark.django_db
def test_encrypted_userinfo_gives_its_claims(
    client: Client, provider: FakeProvider
) -> None:
    # T63
    provider.claims_in, provider.signs_userinfo = "userinfo", True
    log_in(client, provider)
    assert provider.requests["userinfo"] == 1
    assert client.get("/home/").wsgi_request.user.email == "alice@example.test"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "id_token.not_encrypted"),
        (SigningKey("RS256", "stranger").jwk(), "id_token.not_decrypted"),
    ],
)
def test_a_token_that_is_not_encrypted_to_us_lets_nobody_in(
    client: Client,
    provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    key: dict[str, Any] | None,
    code: str,
) -> None:
    # T74
    provider.encrypts_to = key
    response = log_in(client, provider)
    assert response.status_code == 502
    assert code in caplog.text
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_an_encrypted_token_that_nobody_asked_for_lets_nobody_in(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T74
    oauth_provider.encrypts_to = SigningKey("RS256", "stranger").jwk()
    assert log_in(client, oauth_provider).status_code == 502
    assert "id_token.encrypted" in caplog.text

"""Our own keys and our certificate, from wherever the settings say they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.registry import get_provider
from tests.conf.entries import GOOD, found, ids, read
from tests.keys import new_pem, public_pem

PEM = new_pem("P-256")
OTHER = new_pem("RSA")
KEYS = "/auth/corp/jwks/"


def raises() -> str:
    raise RuntimeError("canary: the vault is sealed")


# --- CLIENT_KEYS


def test_keys_come_from_texts_files_and_functions_and_the_first_signs(
    settings: Settings, tmp_path: Path
) -> None:
    # pains 33
    file = tmp_path / "key.pem"
    file.write_text(new_pem("P-384"))
    entries = [
        PEM,
        str(file),
        file,
        lambda: OTHER,
        lambda: file,
        {"KEY": new_pem("Ed25519"), "KID": "old"},
        {"KEY": lambda: PEM, "KID": "by-function"},
        {"KEY": PEM},
    ]
    read(settings, CLIENT_KEYS=entries, CLIENT_AUTH="private_key_jwt")
    keys = get_provider("corp").client.keys
    assert [key.algs[0] for key in keys] == [
        *("ES256", "ES384", "ES384", "RS256", "ES384", "EdDSA", "ES256", "ES256")
    ]
    assert keys[5].kid == "old"
    assert keys[6].kid == "by-function"
    assert keys[7].kid == keys[0].kid


def test_no_check_calls_a_function(settings: Settings) -> None:
    # Nothing at start-up may depend on a vault.
    called: list[int] = []

    def source() -> str:
        called.append(1)
        return PEM

    for function in (raises, source):
        settings.OAUTH_LOGIN = {
            "PROVIDERS": {"corp": {**GOOD, "CLIENT_KEYS": [function]}}
        }
        # As `check --deploy`, which on Django 6.1 minds the mailer of a test run.
        assert not {
            number for number in ids(include_deployment_checks=True) if number[0] == "E"
        }
        get_config()
    assert not called
    assert get_provider("corp").client.keys
    assert get_provider("corp").client.keys
    assert len(called) == 1


@pytest.mark.parametrize(
    "function",
    [
        raises,
        lambda: None,
        lambda: 5,
        lambda: b"-----BEGIN",
        lambda: "canary",
        lambda: "/no/such/canary.pem",
        lambda: public_pem("RSA"),
        lambda: new_pem("RSA-1024"),
        lambda: new_pem("P-256K"),
        lambda: new_pem("RSA", password=b"x"),
        lambda: (yield),
        lambda: [PEM],
    ],
    ids=range(12),
)
def test_a_function_that_fails_is_an_error_of_ours_when_it_is_used(
    settings: Settings, function: Callable[[], object]
) -> None:
    # T127; pains 33
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "CLIENT_KEYS": [function]}}}
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.client_keys"
    assert "canary" not in str(caught.value.detail)
    assert caught.value.__cause__ is None


def test_a_function_that_has_recovered_is_asked_again(settings: Settings) -> None:
    answers = iter([None, PEM])

    def source() -> str:
        answer = next(answers)
        if answer is None:
            raise ValueError
        return answer

    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "CLIENT_KEYS": [source]}}}
    with pytest.raises(ConfigurationError):
        get_provider("corp")
    assert get_provider("corp").client.keys


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ([], set()),
        ((PEM,), set()),
        (PEM, {"E003"}),
        (None, {"E003"}),
        ({"KEY": PEM}, {"E003"}),
        ([5], {"E024"}),
        ([None], {"E024"}),
        ([b"x"], {"E024"}),
        ([[PEM]], {"E024"}),
        (["canary"], {"E024"}),
        (["/no/such/canary"], {"E024"}),
        (["c" * 5000], {"E024"}),
        (["canary\x00"], {"E024"}),
        ([Path("/")], {"E024"}),
        (["-----BEGIN PRIVATE KEY-----\ncanary"], {"E024"}),
        ([public_pem("P-256")], {"E024"}),
        ([new_pem("RSA-1024")], {"E024"}),
        ([new_pem("P-256K")], {"E024"}),
        ([PEM, new_pem("Ed448")], {"E024"}),
        ([{"KEY": PEM, "KID": 5}], {"E003"}),
        ([{"KEY": PEM, "kid": "a"}], {"E002"}),
        ([{"KID": "a"}], {"E024"}),
        ([{}], {"E024"}),
    ],
)
def test_a_key_that_cannot_be_used_is_found_and_not_shown(
    settings: Settings, keys: object, numbers: set[str]
) -> None:
    # T71, T127, T131
    assert found(settings, CLIENT_KEYS=keys) == numbers
    assert "canary" not in repr([p.message for p in get_config().problems])


def test_a_file_of_bytes_is_no_key(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "key.der"
    file.write_bytes(b"\x30\x82\xff\xfe")
    assert found(settings, CLIENT_KEYS=[file]) == {"E024"}


def test_a_mistyped_name_is_told_the_right_one(settings: Settings) -> None:
    found(settings, CLIENT_KEYS=[{"KEY": PEM, "kid": "a"}])
    (problem,) = get_config().problems
    assert "'KID'" in problem.hint
    assert "['CLIENT_KEYS'][0]" in problem.message


# --- CLIENT_CERT


def test_a_certificate_is_a_file_or_a_pair_of_them(
    settings: Settings, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for file in (cert, key):
        file.write_text("x")
    for value, paths in (
        (cert, str(cert)),
        (str(cert), str(cert)),
        ([cert], str(cert)),
        ((cert, str(key)), (str(cert), str(key))),
    ):
        entry = read(settings, CLIENT_CERT=value, CLIENT_AUTH="tls_client_auth")
        assert entry.client_cert == paths
        assert entry.client.has_certificate


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("/no/such/file", {"E025"}),
        (("/no/such/file", "/nor/this"), {"E025"}),
        ("/", {"E025"}),
        ("a\x00b", {"E025"}),
        ("a" * 5000, {"E025"}),
        ([], {"E003"}),
        (("a", "b", "c"), {"E003"}),
        (5, {"E003"}),
        (["a", 5], {"E003"}),
        ({"cert": "a"}, {"E003"}),
    ],
)
def test_a_certificate_that_is_not_there_is_found(
    settings: Settings, value: object, numbers: set[str]
) -> None:
    assert found(settings, CLIENT_CERT=value) == numbers


# --- CLIENT_AUTH needs what it needs


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"CLIENT_AUTH": "none", "CLIENT_SECRET": ""}, set()),
        ({"CLIENT_AUTH": "client_secret_basic", "CLIENT_SECRET": ""}, {"E013"}),
        ({"CLIENT_AUTH": "client_secret_jwt", "CLIENT_SECRET": "s" * 32}, set()),
        ({"CLIENT_AUTH": "client_secret_jwt", "CLIENT_SECRET": "s" * 31}, {"E017"}),
        ({"CLIENT_AUTH": "client_secret_jwt", "CLIENT_SECRET": "é" * 16}, set()),
        ({"CLIENT_AUTH": "private_key_jwt"}, {"E013"}),
        ({"CLIENT_AUTH": "private_key_jwt", "CLIENT_KEYS": [PEM]}, set()),
        ({"CLIENT_AUTH": "signed_client_secret"}, {"E013"}),
        (
            {
                "CLIENT_AUTH": "signed_client_secret",
                "CLIENT_KEYS": [{"KEY": PEM, "KID": "ABC"}],
                "TEAM_ID": "TEAM",
            },
            set(),
        ),
        (
            {
                "CLIENT_AUTH": "signed_client_secret",
                "CLIENT_KEYS": [PEM],
                "TEAM_ID": "TEAM",
            },
            {"E013"},
        ),
        ({"CLIENT_AUTH": "tls_client_auth"}, {"E013"}),
        ({"CLIENT_AUTH": "self_signed_tls_client_auth"}, {"E013"}),
        ({"CLIENT_AUTH": "client-secret-basic"}, {"E004"}),
        ({"CLIENT_AUTH": None}, {"E004"}),
        ({"BASIC_ENCODING": "raw"}, set()),
        ({"BASIC_ENCODING": "utf-8"}, {"E004"}),
        ({"TEAM_ID": 5}, {"E003"}),
        ({"SIGNING_ALGS": ["HS384"], "CLIENT_SECRET": "s" * 48}, set()),
        ({"SIGNING_ALGS": ["HS384"], "CLIENT_SECRET": "s" * 47}, {"E017"}),
        ({"SIGNING_ALGS": ["HS512"], "CLIENT_SECRET": "s" * 64}, set()),
        ({"SIGNING_ALGS": ["HS512"], "CLIENT_SECRET": "s" * 63}, {"E017"}),
        ({"SIGNING_ALGS": ["HS256", "HS512"], "CLIENT_SECRET": "s" * 63}, {"E017"}),
        ({"SIGNING_ALGS": ["HS256", "EdDSA"], "CLIENT_SECRET": "s" * 64}, {"E016"}),
        ({"SIGNING_ALGS": ["rs256"]}, {"E015"}),
        ({"SIGNING_ALGS": ["None"]}, {"E015"}),
    ],
)
def test_a_method_needs_what_it_needs(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T64, T65, T66, T131; pains 33, 34
    assert found(settings, **changes) == numbers


@pytest.mark.parametrize("encoding", ["form", "raw"])
def test_a_switch_for_the_secret_reaches_the_client(
    settings: Settings, encoding: str
) -> None:
    # pains 34
    client = read(settings, BASIC_ENCODING=encoding).client
    assert client.deviations.raw_basic is (encoding == "raw")


# --- where providers look our keys up


def test_the_public_halves_are_where_providers_look(
    client: Client, settings: Settings
) -> None:
    # T127
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": {**GOOD, "CLIENT_KEYS": [PEM, lambda: OTHER]}}
    }
    response = client.get(KEYS, secure=True)
    assert response.status_code == 200
    first, second = response.json()["keys"]
    assert (first["kty"], second["kty"]) == ("EC", "RSA")
    assert not {"d", "p", "q"} & (first.keys() | second.keys())
    assert response["Cache-Control"] == "public, max-age=300"
    assert client.post(KEYS, secure=True).status_code == 405


@pytest.mark.django_db
def test_keys_that_cannot_be_had_are_not_announced_to_be_none(
    client: Client, settings: Settings
) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "CLIENT_KEYS": [raises]}}}
    response = client.get(KEYS, secure=True)
    assert response.status_code == 500
    assert response.json() == {"error": "config.client_keys"}
    # Or else all processes would trust it for minutes.
    assert "no-store" in response["Cache-Control"]
    assert "max-age=300" not in response["Cache-Control"]


def test_without_keys_there_is_no_such_address(
    client: Client, settings: Settings
) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": GOOD}}
    assert client.get(KEYS, secure=True).status_code == 404
    assert client.get("/auth/nope/jwks/", secure=True).status_code == 404

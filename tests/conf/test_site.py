"""Settings: every problem at once, and none that is only a warning at run time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from oauth_login.conf import from_env, get_config
from oauth_login.conf.schema import PROVIDER_KEYS
from oauth_login.errors import ConfigurationError
from oauth_login.registry import get_provider
from tests.conf.entries import ENDPOINTS, GOOD, ids

DJANGOS_OWN = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


def test_three_values_are_enough(settings: Settings) -> None:
    # pains 7
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": GOOD}}
    assert ids() == set()
    assert get_provider("corp").issuer == "https://id.example.com"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ISUER": "x"}, {"E002"}),
        ({"ISSUER": None}, {"E010"}),
        ({"ISSUER": 5}, {"E003", "E010"}),
        ({"ISSUER": "http://id.example.com"}, {"E011"}),
        ({"ISSUER": "http://localhost:9000"}, {"E011"}),
        ({"ISSUER": "id.example.com"}, {"E011"}),
        ({"DISCOVERY_URL": "ftp://a"}, {"E011"}),
        ({"INTERNAL_HOSTS": ["login.internal", "10.0.0.5:8443", "[fd00::1]:1"]}, set()),
        ({"INTERNAL_HOSTS": ["Login.Internal"]}, set()),
        ({"INTERNAL_HOSTS": ["https://a.internal"]}, {"E040"}),
        ({"INTERNAL_HOSTS": ["a.internal/path"]}, {"E040"}),
        ({"INTERNAL_HOSTS": ["a.internal:0"]}, {"E040"}),
        ({"INTERNAL_HOSTS": ["*.internal"]}, {"E040"}),
        ({"INTERNAL_HOSTS": ["a@b.internal"]}, {"E040"}),
        ({"INTERNAL_HOSTS": [""]}, {"E003"}),
        ({"INTERNAL_HOSTS": "a.internal"}, {"E003"}),
        ({"CLIENT_ID": ""}, {"E012"}),
        ({"PROXIES": "http://proxy:3128"}, {"E003"}),
        ({"PROXIES": {"https": 3128}}, {"E003"}),
        ({"PROXIES": {443: "http://proxy:3128"}}, {"E003"}),
        ({"PROXIES": {"https": "http://proxy:3128"}}, set()),
        ({"CA_BUNDLE": "/nowhere.pem"}, {"E025"}),
        ({"CA_BUNDLE": 5}, {"E003"}),
        ({"CA_BUNDLE": ""}, {"E003"}),
        ({"CA_BUNDLE": __file__}, set()),
        ({"CA_BUNDLE": Path(__file__).parent}, set()),
        ({"CLIENT_SECRET": " secret\n"}, {"W001"}),
        ({"CLIENT_SECRET": "", "CLIENT_AUTH": "client_secret_post"}, {"E013"}),
        ({"CLIENT_AUTH": "magic"}, {"E004"}),
        ({"SCOPES": ["profile"]}, {"E014"}),
        ({"SCOPES": "openid"}, {"E003", "E014"}),
        ({"SIGNING_ALGS": ["none"]}, {"E015"}),
        ({"SIGNING_ALGS": []}, {"E015"}),
        ({"SIGNING_ALGS": ["RS256", "HS256"]}, {"E016"}),
        ({"SIGNING_ALGS": ["HS256"]}, {"E017"}),
        ({"SIGNING_ALGS": ["HS256"], "CLIENT_SECRET": "s" * 32}, set()),
        ({"LEEWAY": 301}, {"E005"}),
        ({"LEEWAY": -1}, {"E005"}),
        ({"LEEWAY": 300}, set()),
        ({"LEEWAY": True}, {"E003"}),
        ({"USERINFO": "sometimes"}, {"E004"}),
        ({"LOGOUT": "ask"}, {"E004"}),
        ({"CREATE_USERS": "yes"}, {"E003"}),
        ({"USERNAME_FROM": [5]}, {"E003"}),
        ({"STAFF_IF": "ops"}, {"E019"}),
        ({"ALLOW_IF": {"a": []}}, {"E019"}),
        ({"GROUPS": {"CLAIM": "g"}}, {"E020"}),
        ({"GROUPS": {"MAP": {"a": "b"}}}, {"E020"}),
        ({"GROUPS": {"CLAIM": "g", "MAP": {"a": 5}}}, {"E020"}),
        ({"GROUPS": {"CLAIM": "g", "MODE": "mirror"}}, set()),
        ({"SPLIT": ",", "STAFF_IF": {"g": "a"}}, set()),
        ({"SPLIT": {"g": ","}}, set()),
        ({"SPLIT": ""}, {"E003"}),
        ({"SPLIT": {"g": ""}}, {"E003"}),
        ({"SPLIT": {"g": 5}}, {"E003"}),
        ({"SPLIT": {5: ","}}, {"E003"}),
        ({"SPLIT": [","]}, {"E003"}),
        ({"SPLIT": ",", "STAFF_IF": {"g": "a,b"}}, {"W051"}),
        ({"SPLIT": {"g": ","}, "DENY_IF": {"g": [" a"]}}, {"W051"}),
        ({"SPLIT": {"h": ","}, "DENY_IF": {"g": ["a,b"]}}, set()),
        ({"ALLOW_IF": {"email_domain": "Example.com"}}, {"W051"}),
        ({"ALLOW_IF": {"email_domain": "@example.com"}}, {"W051"}),
        ({"ALLOW_IF": {"email_domain": "example.com"}}, set()),
        ({"GROUPS": {"CLAIM": "g", "MAP": {"a": "b"}, "MODE": "x"}}, {"E004"}),
        ({"GROUPS": {"CLAIM": "g", "MAP": {"a": "b"}, "SPLITT": " "}}, {"E002"}),
        ({"GROUPS": "g"}, {"E001", "E020"}),
        ({"SUBJECT_FIELD": "id"}, {"E018"}),
        ({"SUBJECT_FIELD": "id", "ENDPOINTS": ENDPOINTS}, set()),
        (
            {"SUBJECT_FIELD": "id", "ENDPOINTS": ENDPOINTS, "SCOPES": ["openid"]},
            {"E014"},
        ),
        ({"ENDPOINTS": {"token_endpoint": "https://a.example"}}, {"E018"}),
        ({"ENDPOINTS": {**ENDPOINTS, "jwks_uri": "http://a.example"}}, {"E011"}),
        ({"ENDPOINTS": {**ENDPOINTS, "jwks": "https://a.example"}}, {"E002"}),
    ],
)
def test_every_mistake_has_a_number(
    settings: Settings, changes: dict[str, Any], found: set[str]
) -> None:
    # T66, T131; pains 7, 34
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, **changes}}}
    assert ids() == found
    if any(number.startswith("E") for number in found):
        # Checks can be silenced; this cannot.
        with pytest.raises(ConfigurationError) as caught:
            get_provider("corp")
        assert caught.value.code == "config.invalid"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"PROVIDER": {}}, {"E002"}),
        ({"PROVIDERS": []}, {"E003"}),
        ({"PROVIDERS": {}}, {"W002"}),
        ({"PROVIDERS": {"Corp!": GOOD}}, {"E006"}),
        ({"PROVIDERS": {"a" * 41: GOOD}}, {"E006"}),
        ({"PROVIDERS": {"corp": []}}, {"E001", "E010", "E012"}),
        ({"BASE_URL": "https://app.example.com/"}, set()),
        ({"BASE_URL": "https://app.example.com/x"}, {"E007"}),
        ({"BASE_URL": "http://app.example.com"}, {"E007"}),
        ({"ADMIN_LOGIN": "on"}, {"E004"}),
        ({"ADMIN_LOGIN": "redirect"}, set()),
        ({"ADMIN_LOGIN": "Redirect"}, {"E004"}),
        ({"ADMIN_LOGIN": {"admin": "redirect", "*": "off"}}, set()),
        ({"ADMIN_LOGIN": {"admin": "none", "*": "off"}}, {"E004"}),
        ({"ADMIN_LOGIN": {"*": None}}, {"E004"}),
        ({"ADMIN_LOCAL_LOGIN": 0}, {"E003"}),
        ({"ADMIN_LOCAL_LOGIN": False}, set()),
        ({"ADMIN_LOCAL_LOGIN": False, "ADMIN_LOGIN": "off"}, {"E051"}),
        ({"ADMIN_LOCAL_LOGIN": False, "ADMIN_LOGIN": {"*": "off"}}, set()),
        ({"EVENTS_MAX_AGE": 0}, {"E005"}),
        ({"EVENTS_MAX_AGE": 1}, set()),
        ({"EVENTS_MAX_AGE": 3651}, {"E005"}),
        ({"KEEP_CLAIMS": "yes"}, {"E003"}),
        ({"EVENT_LOG_KEY": "k" * 31}, {"E050"}),
        ({"EVENT_LOG_KEY": "k" * 32}, set()),
        ({"EVENT_LOG_KEY": b"k" * 32}, {"E003"}),
        ({"LOGIN_TIMEOUT": 3601}, {"E005"}),
        ({"LOGIN_TIMEOUT": 3600}, set()),
        ({"TIMEOUT": 0}, {"E005"}),
        ({"CACHE": "nope"}, {"E008"}),
        ({"RESOLVE_USER": "a.b"}, {"E021"}),
        ({"AUTO_REDIRECT": 1}, {"E003"}),
    ],
)
def test_mistakes_of_the_site_are_found(
    settings: Settings, changes: dict[str, Any], found: set[str]
) -> None:
    # T131
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": GOOD}, **changes}
    assert ids() == found


def test_a_mistyped_key_is_told_the_right_one(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "client_secrets": "x"}}}
    (problem,) = get_config().problems
    assert "CLIENT_SECRET" in problem.hint


def test_the_setting_must_be_a_dict(settings: Settings) -> None:
    settings.OAUTH_LOGIN = []
    assert "E001" in ids()


def test_no_check_shows_a_secret(settings: Settings) -> None:
    # T127
    entry = {**GOOD, "CLIENT_SECRET": " canary ", "LEEWAY": "x", "ISSUER": "x"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    assert "canary" not in str(run_checks(tags=["oauth_login"])) + repr(get_config())


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        (
            "AUTHENTICATION_BACKENDS",
            ["django.contrib.auth.backends.ModelBackend"],
            "E031",
        ),
        ("MIDDLEWARE", [], "W031"),
        ("SESSION_COOKIE_SAMESITE", "None", "W032"),
    ],
)
def test_what_the_site_lacks_is_said(
    settings: Settings, name: str, value: object, number: str
) -> None:
    # T131, T12
    setattr(settings, name, value)
    assert number in ids()


def test_the_session_comes_before_the_user(settings: Settings) -> None:
    settings.MIDDLEWARE = settings.MIDDLEWARE[::-1]
    assert {"E032", "E034"} <= ids()


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("ALLOWED_HOSTS", ["*"], "W040"),
        ("SECURE_SSL_REDIRECT", False, "W041"),
        ("SESSION_COOKIE_DOMAIN", ".example.com", "W042"),
        ("SESSION_COOKIE_HTTPONLY", False, "W043"),
        ("SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies", "W044"),
        ("DEBUG", True, "W046"),
        ("MIDDLEWARE", DJANGOS_OWN, "W047"),
    ],
)
def test_a_deployment_is_looked_at(
    settings: Settings, name: str, value: object, number: str
) -> None:
    # T08, T22, T32, T131; pains 5
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": GOOD}}
    settings.SECURE_SSL_REDIRECT = True
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
        }
    }
    name_cookies(settings)
    assert ids(include_deployment_checks=True) == set()
    setattr(settings, name, value)
    assert ids(include_deployment_checks=True) - {"W049"} == {number}


def name_cookies(settings: Settings, prefix: str = "__Host-") -> None:
    settings.SESSION_COOKIE_NAME = f"{prefix}sessionid"
    settings.CSRF_COOKIE_NAME = f"{prefix}csrftoken"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.mark.parametrize("cookie", ["SESSION_COOKIE", "CSRF_COOKIE"])
@pytest.mark.parametrize(
    ("changes", "found", "hint"),
    [
        ({}, set(), ""),
        ({"NAME": "id"}, {"W048"}, "'__Host-…'"),
        ({"NAME": "__Secure-id"}, {"W048"}, "'__Host-…'"),
        ({"NAME": "__host-id"}, {"W048"}, "'__Host-…'"),
        ({"NAME": "id", "PATH": "/app/"}, {"W048"}, "'__Secure-…'"),
        ({"NAME": "id", "DOMAIN": "a.example"}, {"W048"}, "not a subdomain with it"),
        ({"NAME": "__Secure-id", "PATH": "/app/"}, set(), ""),
        ({"NAME": "__Secure-id", "DOMAIN": "a.example"}, set(), ""),
        ({"PATH": "/app/"}, {"W049"}, "_PATH to '/'"),
        ({"DOMAIN": "a.example"}, {"W049"}, "_DOMAIN"),
        ({"SECURE": False}, {"W049"}, "_SECURE = True"),
        ({"NAME": "__Secure-id", "PATH": "/a/", "SECURE": False}, {"W049"}, "_SECURE"),
    ],
)
def test_a_cookie_that_another_host_can_plant_is_said(
    settings: Settings, cookie: str, changes: dict[str, Any], found: set[str], hint: str
) -> None:
    # T156
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": GOOD}}
    name_cookies(settings)
    for name, value in changes.items():
        setattr(settings, f"{cookie}_{name}", value)

    messages = [
        message
        for message in run_checks(include_deployment_checks=True)
        if message.id in ("oauth_login.W048", "oauth_login.W049")
    ]

    assert {str(m.id).removeprefix("oauth_login.") for m in messages} == found
    assert all(cookie in m.msg and hint in str(m.hint) for m in messages)


def test_a_csrf_token_in_the_session_has_no_cookie(settings: Settings) -> None:
    # T156
    name_cookies(settings)
    settings.CSRF_COOKIE_NAME = "csrftoken"
    settings.CSRF_USE_SESSIONS = True
    assert not {"W048", "W049"} & ids(include_deployment_checks=True)


def test_a_cache_for_each_process_is_said(settings: Settings) -> None:
    assert "W045" in ids(include_deployment_checks=True)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example.com",
        "https://id.example.com/.well-known/openid-configuration",
    ],
)
def test_the_documents_address_means_the_issuer(
    settings: Settings, issuer: str
) -> None:
    # pains 27
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "ISSUER": issuer}}}
    assert get_config().providers["corp"].issuer == "https://id.example.com"


def test_a_provider_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        get_provider("nope")
    assert caught.value.code == "config.unknown_provider"


@pytest.mark.django_db
def test_a_broken_provider_is_a_page_and_the_site_goes_on(
    client: Client, settings: Settings
) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**GOOD, "ISSUER": ""}}}
    assert client.get("/auth/corp/login/", secure=True).status_code == 500
    assert client.get("/home/").status_code == 200


SECRET = "$tr4nge #s3cret %+ "


def test_one_provider_comes_from_three_variables() -> None:
    variables = {
        "OAUTH_LOGIN_ISSUER": "https://id.example.com",
        "OAUTH_LOGIN_CLIENT_ID": "site",
        "OAUTH_LOGIN_CLIENT_SECRET": SECRET,
    }
    entry = from_env(variables)["PROVIDERS"]["default"]
    assert entry == {**GOOD, "CLIENT_SECRET": SECRET}
    assert from_env({}) == {"PROVIDERS": {}}


def test_a_leading_dollar_survives_an_env(monkeypatch: pytest.MonkeyPatch) -> None:
    # T127: django-environ itself would look for a variable of that name
    monkeypatch.setitem(os.environ, "OAUTH_LOGIN_CLIENT_SECRET", SECRET)
    entry = from_env(environ.Env())["PROVIDERS"]["default"]
    assert entry["CLIENT_SECRET"] == SECRET


def test_several_providers_and_secrets_in_files(tmp_path: Path) -> None:
    # T127
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    variables = {
        "OAUTH_LOGIN_PROVIDERS": "corp, my-idp",
        "OAUTH_LOGIN_CORP_ISSUER": "https://a.example",
        "OAUTH_LOGIN_MY_IDP_CLIENT_SECRET_FILE": str(file),
    }
    assert from_env(variables)["PROVIDERS"] == {
        "corp": {"ISSUER": "https://a.example"},
        "my-idp": {"CLIENT_SECRET": SECRET},
    }


def test_no_provider_can_be_changed_in_the_database() -> None:
    # T126: an editor of rows there could otherwise log in as any user.
    columns = {
        field.name
        for model in apps.get_app_config("oauth_login").get_models()
        for field in model._meta.get_fields()
    }
    keys = {key.lower() for key in PROVIDER_KEYS} | {"token_endpoint", "jwks_uri"}

    # Of an identity and a session it is noted whose they are; nothing reads that to
    # send a request.
    assert columns & keys == {"issuer", "client_id"}

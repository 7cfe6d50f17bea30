"""One entry of PROVIDERS: where the provider is, and whose accounts are there."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.schema import PROVIDER_KEYS
from tests.conf.entries import ENDPOINTS, found, read


@pytest.mark.parametrize("key", sorted(PROVIDER_KEYS))
def test_every_key_is_told_when_it_is_mistyped(settings: Settings, key: str) -> None:
    # pains 7
    assert "E002" in found(settings, **{key.lower() + "s": None})
    hints = [problem.hint for problem in get_config().problems if problem.id == "E002"]
    assert hints == [f"Did you mean {key!r}?"]


@pytest.mark.parametrize("key", sorted(PROVIDER_KEYS))
@pytest.mark.parametrize("value", [object(), 5.5, b"x"])
def test_no_value_of_a_wrong_type_is_more_than_a_problem(
    settings: Settings, key: str, value: object
) -> None:
    # T131
    assert found(settings, **{key: value})


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"PRESET": "google"}, {"E022"}),
        ({"PRESET": "google", "CREATE_USERS": True}, set()),
        ({"PRESET": "google", "CREATE_USERS": False}, set()),
        ({"PRESET": "google", "ALLOW_IF": {"hd": ["example.com"]}}, set()),
        ({"PRESET": "google", "ALLOW_IF": []}, {"E022"}),
        ({"PRESET": "google", "CREATE_USERS": None}, {"E003"}),
        ({"PRESET": "gogle"}, {"E004"}),
        ({"PRESET": 5}, {"E004"}),
        ({"PRESET": ["google"]}, {"E004"}),
        ({"PRESET": None}, set()),
    ],
)
def test_where_anybody_has_an_account_the_site_says_who_may_enter(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T105
    assert found(settings, **changes) == numbers


def test_what_the_site_says_replaces_what_the_preset_says(settings: Settings) -> None:
    preset = {"PRESET": "google", "CREATE_USERS": False}
    entry = read(settings, **preset, ISSUER=...)
    assert (entry.issuer, entry.label) == ("https://accounts.google.com", "Google")
    entry = read(settings, **preset, ISSUER="https://id.example.com", LABEL="G")
    assert (entry.issuer, entry.label) == ("https://id.example.com", "G")


@pytest.mark.parametrize(
    ("url", "numbers"),
    [
        (None, set()),
        ("http://keycloak:8080", set()),
        ("https://keycloak.internal", set()),
        ("http://10.0.0.7", set()),
        ("http://keycloak:8080/", {"E023"}),
        ("http://keycloak:8080/realms/x", {"E023"}),
        ("http://keycloak?x", {"E023"}),
        ("http://keycloak#x", {"E023"}),
        ("http://user:pw@keycloak", {"E023"}),
        ("http://keycloak:99999", {"E023"}),
        ("ftp://keycloak", {"E023"}),
        ("keycloak:8080", {"E023"}),
        ("//keycloak", {"E023"}),
        ("http://", {"E023"}),
        ("http://key cloak", {"E023"}),
        (5, {"E003"}),
    ],
)
def test_the_providers_other_name_is_a_scheme_a_host_and_a_port(
    settings: Settings, url: object, numbers: set[str]
) -> None:
    # T45, T49; pains 28
    assert found(settings, BACKEND_BASE_URL=url) == numbers


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({**ENDPOINTS, "emails_endpoint": "https://a.example/e"}, set()),
        ({**ENDPOINTS, "end_session_endpoint": "https://a.example/e"}, set()),
        ({**ENDPOINTS, "emails_endpoint": "http://a.example/e"}, {"E011"}),
        ({**ENDPOINTS, "token_endpoint": 5}, {"E011"}),
        ({**ENDPOINTS, "token_endpoint": "https://a@b.example"}, {"E011"}),
        ({**ENDPOINTS, "issuer": "https://a.example"}, {"E002"}),
        # Beside the metadata, unless it is about where a code comes from and goes.
        ({}, set()),
        ({"userinfo_endpoint": "https://a.example/u"}, set()),
        ({"token_endpoint": "https://a.example/t"}, {"E018"}),
        ({"authorization_endpoint": "https://a.example/a"}, {"E018"}),
        ([], {"E018"}),
        ("https://a.example", {"E018"}),
    ],
)
def test_endpoints_are_whole_and_plain(
    settings: Settings, changes: Any, numbers: set[str]
) -> None:
    # T43, T45
    assert found(settings, ENDPOINTS=changes) == numbers

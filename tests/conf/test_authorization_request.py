"""What the settings ask for in every login, and what they let a URL ask for."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.protocol.request_parameters import NOT_BY_URL, PROTECTED
from oauth_login.testing import FakeProvider
from tests.conf.entries import ENDPOINTS, GOOD, found, read

ACR = {"id_token": {"acr": {"essential": True, "values": ["gold"]}}}


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ({}, {}),
        ({"hd": "example.com"}, {"hd": "example.com"}),
        # RFC 8707 2
        (
            {"resource": ["https://a", "https://b"]},
            {"resource": ("https://a", "https://b")},
        ),
        ({"resource": "https://a"}, {"resource": "https://a"}),
        # Core 5.5, RFC 9396 2
        (
            {"claims": {"userinfo": {"email": None}}},
            {"claims": '{"userinfo":{"email":null}}'},
        ),
        ({"claims": '{"id_token": {}}'}, {"claims": '{"id_token": {}}'}),
        (
            {"authorization_details": [{"type": "a"}]},
            {"authorization_details": '[{"type":"a"}]'},
        ),
        ({"prompt": "login"}, {"prompt": "login"}),
        ({"prompt": "select_account consent"}, {"prompt": "select_account consent"}),
        ({"hd": "nonetheless"}, {"hd": "nonetheless"}),
    ],
)
def test_parameters_are_sent_as_the_standards_say(
    settings: Settings, params: dict[str, Any], sent: dict[str, Any]
) -> None:
    # pains 54
    client = read(settings, AUTH_PARAMS=params).client
    assert client.authorization_params == sent


@pytest.mark.parametrize("name", sorted(PROTECTED))
def test_no_parameter_of_the_protocol_is_a_setting(
    settings: Settings, name: str
) -> None:
    # T17; pains 54
    assert found(settings, AUTH_PARAMS={name: "x"}) == {"E026"}


@pytest.mark.parametrize("name", sorted(NOT_BY_URL))
def test_no_parameter_of_the_protocol_is_a_urls(settings: Settings, name: str) -> None:
    # T17; pains 54
    assert found(settings, URL_PARAMS=["login_hint", name]) == {"E026"}
    assert name in get_config().problems[0].message


@pytest.mark.parametrize(
    "params",
    [
        # T26
        {"prompt": "none"},
        {"prompt": "none login"},
        {"prompt": "login  none"},
        {"prompt": ["none"]},
        {"prompt": ["login", "none"]},
        # RFC 6749 3.1: not twice
        {"prompt": ["login", "consent"]},
        {"hd": ["a.example", "b.example"]},
        {"ui_locales": ["de"]},
        # They have keys of their own, which are enforced.
        {"max_age": "300"},
        {"max_age": 300},
        {"acr_values": "gold"},
        # What cannot be sent
        {"hd": 5},
        {"hd": None},
        {"hd": True},
        {"hd": []},
        {"hd": ["a", 5]},
        {"hd": b"a"},
        {"hd": {"a": {1, 2}}},
        {"hd": {"a": float("nan")}},
        {"hd": [{"a": 1}, "b"]},
        {"hd": "\udcff"},
        {5: "a"},
        {"": "a"},
        # T27: what would never be satisfied, or never be looked at
        {"claims": "not JSON"},
        {"claims": [{"id_token": {}}]},
        {"claims": {"id_token": {"acr": {"essential": True, "values": "gold"}}}},
        {"claims": {"id_token": {"acr": {"essential": True, "value": 5}}}},
    ],
)
def test_a_parameter_that_cannot_be_sent_is_found(
    settings: Settings, params: dict[Any, Any]
) -> None:
    # T17, T26, T27, T131
    assert found(settings, AUTH_PARAMS=params) == {"E026"}


@pytest.mark.parametrize("value", [[], "a=b", 5, None])
def test_parameters_are_a_dict(settings: Settings, value: object) -> None:
    assert found(settings, AUTH_PARAMS=value) == {"E003"}


@pytest.mark.parametrize(
    ("acr_values", "numbers"),
    [
        ([], set()),
        (["gold"], set()),
        (["gold", "silver"], set()),
        (["silver"], {"E026"}),
    ],
)
def test_the_two_ways_to_ask_for_a_class_must_agree(
    settings: Settings, acr_values: list[str], numbers: set[str]
) -> None:
    # T27
    changes = {"AUTH_PARAMS": {"claims": ACR}, "ACR_VALUES": acr_values}
    assert found(settings, **changes) == numbers


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"MAX_AGE": 0}, set()),
        ({"MAX_AGE": 365 * 86400}, set()),
        ({"MAX_AGE": 365 * 86400 + 1}, {"E005"}),
        ({"MAX_AGE": -1}, {"E005"}),
        ({"MAX_AGE": "300"}, {"E003"}),
        ({"MAX_AGE": True}, {"E003"}),
        ({"ACR_VALUES": ["gold", "silver"]}, set()),
        ({"ACR_VALUES": "gold"}, {"E003"}),
        ({"ACR_VALUES": ["gold silver"]}, {"E003"}),
        ({"ACR_VALUES": [5]}, {"E003"}),
        ({"RESPONSE_MODE": "form_post"}, set()),
        ({"RESPONSE_MODE": "query"}, set()),
        ({"RESPONSE_MODE": "fragment"}, {"E004"}),
        ({"RESPONSE_MODE": "form_post.jwt"}, {"E004"}),
        ({"URL_PARAMS": ["login_hint", "ui_locales", "max_age", "prompt"]}, set()),
        ({"URL_PARAMS": "login_hint"}, {"E003"}),
        ({"URL_PARAMS": [5]}, {"E003"}),
        ({"INITIATE_LOGIN": True}, set()),
        ({"INITIATE_LOGIN": "yes"}, {"E003"}),
    ],
)
def test_what_is_asked_for_has_limits(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T17, T27, T131
    assert found(settings, **changes) == numbers


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, set()),
        ({"MAX_AGE": 300}, {"E029"}),
        ({"MAX_AGE": 0}, {"E029"}),
        ({"ACR_VALUES": ["gold"]}, {"E029"}),
    ],
)
def test_without_id_tokens_nothing_can_be_enforced(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T27
    plain = {"SUBJECT_FIELD": "id", "ENDPOINTS": ENDPOINTS, "SCOPES": ["user"]}
    assert found(settings, **plain, **changes) == numbers


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"ACR_ORDER": ["silver", "gold"]}, set()),
        ({"ACR_ORDER": ("silver",)}, set()),
        ({"ACR_ORDER": []}, set()),
        # Classes of which the provider says no order are asked for all the same.
        ({"ACR_ORDER": ["silver", "gold"], "ACR_VALUES": ["phr"]}, set()),
        ({"ACR_ORDER": ["silver", "gold", "silver"]}, {"E003"}),
        ({"ACR_ORDER": ["silver gold"]}, {"E003"}),
        ({"ACR_ORDER": "silver gold"}, {"E003"}),
        ({"ACR_ORDER": [1, 2]}, {"E003"}),
        ({"ACR_ORDER": [""]}, {"E003"}),
        ({"AUTH_TIME": True}, set()),
        ({"AUTH_TIME": False}, set()),
        ({"AUTH_TIME": None}, {"E003"}),
        ({"AUTH_TIME": "no"}, {"E003"}),
        ({"AUTH_TIME": True, "MAX_AGE": 300}, set()),
        ({"AUTH_TIME": False, "MAX_AGE": 300}, {"E029"}),
        ({"AUTH_TIME": False, "MAX_AGE": 0}, {"E029"}),
        ({"AUTH_TIME": False, "ACR_VALUES": ["gold"]}, set()),
    ],
)
def test_what_a_provider_says_of_an_authentication_can_be_told(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T27, T131
    assert found(settings, **changes) == numbers


def test_what_is_told_of_an_authentication_reaches_the_client(
    settings: Settings,
) -> None:
    client = read(settings, ACR_ORDER=["silver", "gold"], AUTH_TIME=False).client
    assert (client.acr_order, client.sends_auth_time) == (("silver", "gold"), False)
    client = read(settings).client
    assert (client.acr_order, client.sends_auth_time) == ((), True)


@pytest.mark.django_db
def test_the_settings_reach_the_provider_and_a_link_cannot_weaken_them(
    client: Client, settings: Settings, oauth_provider: FakeProvider
) -> None:
    # T17, T26, T27; pains 54
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {
            "corp": {
                **GOOD,
                "MAX_AGE": 300,
                "ACR_VALUES": ["gold", "silver"],
                "AUTH_PARAMS": {"prompt": "login", "resource": ["a", "b"]},
                "URL_PARAMS": ["login_hint", "max_age", "acr_values", "prompt", "hd"],
            }
        }
    }
    query = {
        "login_hint": "alice",
        "max_age": "9999",
        "acr_values": "bronze",
        "prompt": "none",
        "hd": "a\nb",
        "scope": "admin",
        "claims": json.dumps(ACR),
        "state": "theirs",
    }
    response = client.get("/auth/corp/login/", query, secure=True)
    sent = parse_qs(urlsplit(response["Location"]).query)
    assert sent["login_hint"] == ["alice"]
    assert sent["max_age"] == ["300"]
    assert sent["acr_values"] == ["gold silver"]
    assert sent["prompt"] == ["login"]
    assert sent["resource"] == ["a", "b"]
    assert sent["scope"] == ["openid profile email"]
    assert sent["state"] != ["theirs"]
    assert not {"hd", "claims"} & sent.keys()

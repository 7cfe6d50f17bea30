"""The kit with a development provider's settings, and what it says when logins fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.site import with_loopback
from oauth_login.testing import FakeProvider, log_in, stand_in

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]


@pytest.fixture
def development(settings: Settings) -> None:
    """As a site has it while it is written; the test runner has set DEBUG to False."""
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    dev = {**entry, "ISSUER": "http://127.0.0.1:9000"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": dev}}
    assert not settings.DEBUG


def test_a_provider_with_http_on_this_machine_is_stood_in_for(
    development: None, client: Client
) -> None:
    with stand_in() as provider:
        response = log_in(client, provider, next="/private/")
        assert (response.status_code, response.login_error) == (302, None)
        assert client.get("/private/").status_code == 200
    # Outside of it the settings are what they were.
    assert not get_config().allow_http_loopback


def test_the_fixtures_take_it_as_well(
    development: None, client: Client, oauth_log_in: LogIn
) -> None:
    assert oauth_log_in(client, next="/private/")["Location"] == "/private/"


@pytest.mark.parametrize("said", [True, False])
def test_a_site_that_says_it_itself_is_believed(settings: Settings, said: bool) -> None:
    settings.OAUTH_LOGIN = {"ALLOW_HTTP_LOOPBACK": said}
    assert with_loopback()["ALLOW_HTTP_LOOPBACK"] is said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"ISSUER": "http://id.example.com"}, "E011"),
        ({"CLIENT_ID": None}, "E012"),
        ({"STAFF_IF": "ops"}, "E019"),
    ],
)
def test_settings_that_no_login_can_succeed_with_are_said_at_once(
    settings: Settings, keys: dict[str, object], said: str
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **keys}
    wrong = {"PROVIDERS": {"corp": entry}}
    with (
        override_settings(OAUTH_LOGIN=wrong),
        pytest.raises(ImproperlyConfigured, match=f"'corp'.* {said}: OAUTH_LOGIN"),
        stand_in(),
    ):
        pytest.fail("it is not stood in for")


def test_why_a_login_failed_is_said(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    assert oauth_log_in(client).login_error is None
    with oauth_provider.fault("id_token.expired"):
        failed = oauth_log_in(Client())
    assert failed.status_code == 502
    assert failed.login_error.startswith("id_token.expired {")
    # The next one says nothing of the last one.
    assert oauth_log_in(Client()).login_error is None

"""User models that are not Django's; each runs in a process with that model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = [pytest.mark.django_db, pytest.mark.user_models]

LogIn = Callable[..., Any]


def only_with(model: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        model != django_settings.AUTH_USER_MODEL, reason=f"is about {model}"
    )


def test_the_login_name_is_what_the_model_says(
    client: Client, oauth_log_in: LogIn
) -> None:
    # pains 24, 25
    oauth_log_in(client)
    names = {
        "auth.User": "alice",
        "users.EmailUser": "alice@example.test",
        "users.NoEmailUser": "alice",
        "users.UuidUser": "alice",
    }
    user = get_user_model().objects.get()
    assert user.get_username() == names[django_settings.AUTH_USER_MODEL]
    assert client.get("/private/").status_code == 200


@only_with("users.EmailUser")
@pytest.mark.parametrize(
    ("email", "code"),
    [
        (None, "account.no_username"),
        ("no address", "account.no_username"),
        ("TAKEN@example.test", "account.exists"),
    ],
)
def test_an_address_that_will_not_do_is_a_page(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    email: str | None,
    code: str,
) -> None:
    # T90; pains 25
    get_user_model().objects.create_user("taken@example.test")
    oauth_provider.people["alice"]["email"] = email

    response = oauth_log_in(client)

    assert response.status_code == 403
    assert LoginEvent.objects.get().code == code
    assert get_user_model().objects.count() == 1
    # A person who has an account here is told how to come in and connect it.
    advice = "sign in the way you did before, then connect Corp SSO on your account"
    assert (advice in response.content.decode()) is (code == "account.exists")
    assert "account.exists" not in response.content.decode()  # T123


@only_with("users.EmailUser")
def test_a_login_name_does_not_change_by_itself(
    oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    oauth_log_in(Client())
    oauth_provider.people["alice"]["email"] = "new@example.test"
    oauth_log_in(Client())
    assert get_user_model().objects.get().email == "alice@example.test"


@only_with("users.UuidUser")
def test_a_field_that_nothing_fills_is_said_beforehand_and_on_the_page(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # pains 25
    site = {k: v for k, v in settings.OAUTH_LOGIN.items() if k != "RESOLVE_USER"}
    settings.OAUTH_LOGIN = site

    assert "oauth_login.E033" in {
        message.id for message in run_checks(tags=["oauth_login"])
    }
    assert oauth_log_in(client).status_code == 403
    event = LoginEvent.objects.get()
    assert event.code == "account.missing_field"
    assert not get_user_model().objects.exists()


@only_with("users.NoEmailUser")
def test_nobody_is_linked_by_an_address_where_users_have_none(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "LINK_BY_EMAIL": True}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}

    assert "oauth_login.E061" in {
        message.id for message in run_checks(tags=["oauth_login"])
    }
    assert oauth_log_in(client).status_code == 302
    assert get_user_model().objects.get().get_username() == "alice"

"""Other authentication backends of the site beside ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import Settings

from oauth_login.backends import OAuthLoginBackend
from oauth_login.models import LoginEvent

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
OURS = "oauth_login.backends.OAuthLoginBackend"
DJANGOS = "django.contrib.auth.backends.ModelBackend"
LOCKOUT = "tests.views.test_other_backends.Lockout"
BLIND = "tests.views.test_other_backends.Blind"
DERIVED = "tests.views.test_other_backends.Derived"
RELUCTANT = "tests.views.test_other_backends.Reluctant"


class Lockout(ModelBackend):
    """As django-axes while an address is locked: no login gets past it."""

    def authenticate(self, request: Any, **credentials: Any) -> None:  # type: ignore[override]
        raise PermissionDenied


class Blind(ModelBackend):
    """Has never heard of our argument."""

    def authenticate(self, request: Any, token: str) -> None:  # type: ignore[override]
        raise AssertionError("it is not asked")


class Derived(OAuthLoginBackend):
    """Ours, in another place."""


class Reluctant(OAuthLoginBackend):
    """Ours, and a decision of the site's own."""

    def authenticate(self, request: Any, **credentials: Any) -> None:  # type: ignore[override]
        return None


@pytest.mark.parametrize(
    "backends",
    [[LOCKOUT, OURS], [LOCKOUT, DJANGOS, OURS], [LOCKOUT, DERIVED], [RELUCTANT]],
)
def test_what_another_backend_forbids_is_no_mistake_of_the_settings(
    client: Client, oauth_log_in: LogIn, settings: Settings, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    response = oauth_log_in(client)

    assert response.status_code == 403
    assert LoginEvent.objects.get().code == "account.refused_by_site"
    assert not get_user_model().objects.exists()
    assert "_auth_user_id" not in client.session
    text = response.content.decode()
    assert "Wait a while, then try again." in text
    assert "account.refused<" in text  # T123
    assert "refused_by_site" not in text


@pytest.mark.parametrize("backends", [[LOCKOUT], [DJANGOS], [BLIND]])
def test_without_our_backend_it_is_one(
    client: Client, oauth_log_in: LogIn, settings: Settings, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    response = oauth_log_in(client)

    assert response.status_code == 500
    assert LoginEvent.objects.get().code == "config.backend_missing"


@pytest.mark.parametrize(
    "backends", [[OURS, LOCKOUT], [BLIND, OURS], [DJANGOS, OURS], [DERIVED]]
)
def test_a_login_goes_on_beside_backends_that_are_not_meant(
    client: Client, oauth_log_in: LogIn, settings: Settings, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends

    assert oauth_log_in(client)["Location"] == "/home/"

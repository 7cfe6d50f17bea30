"""Other authentication backends of the site beside ours."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from oauth_login.accounts.identities import may_disconnect, our_backend
from oauth_login.backends import OAuthLoginBackend
from oauth_login.models import Identity, LoginEvent

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


@pytest.mark.parametrize(
    "backends", [[OURS], [DERIVED], [DJANGOS, DERIVED], [LOCKOUT, OURS]]
)
def test_a_backend_derived_from_ours_is_ours(
    settings: Settings, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    assert "oauth_login.E031" not in {m.id for m in run_checks(tags=["oauth_login"])}
    assert our_backend() == next(b for b in backends if b in (OURS, DERIVED))


@pytest.mark.parametrize("backends", [[], [DJANGOS], ["no.such.Backend"], [LOCKOUT]])
def test_without_ours_the_check_says_so(
    settings: Settings, backends: list[str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = backends
    assert "oauth_login.E031" in {m.id for m in run_checks(tags=["oauth_login"])}
    assert our_backend() is None


def test_a_link_for_emergencies_leads_in_by_a_derived_backend(
    client: Client, settings: Settings
) -> None:
    settings.AUTHENTICATION_BACKENDS = [DERIVED]
    get_user_model().objects.create_superuser("root")
    output = StringIO()
    base = {"base_url": "https://testserver"}
    call_command("oauth_login_breakglass", "root", stdout=output, **base)
    link = output.getvalue().strip().removeprefix("https://testserver")
    client.post(link, secure=True)

    assert client.get("/private/", secure=True).content == b"private: root"


def test_a_derived_backend_is_no_way_in_by_password(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    # T104, T130
    settings.AUTHENTICATION_BACKENDS = [DERIVED]
    oauth_log_in(client)
    user = get_user_model().objects.get()
    user.set_password("pw")

    assert not may_disconnect(user, Identity.objects.get())
    settings.AUTHENTICATION_BACKENDS = [DERIVED, DJANGOS]
    assert may_disconnect(user, Identity.objects.get())


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

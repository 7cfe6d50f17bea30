"""Where "Use a password instead" leads: to the site's own page, or nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from pytest_django import Settings

from oauth_login.views.password import password_url, takes_passwords
from tests.urls import home, urlpatterns

OURS = "oauth_login.backends.OAuthLoginBackend"
LINK = ">Use a password instead</a>"


class TokenBackend(BaseBackend):
    def authenticate(self, request: HttpRequest | None, token: str = "") -> None:  # type: ignore[override] # another credential
        return None


class WithoutAny:
    pass


class OwnLoginPage:
    urlpatterns = [path("members/", home, name="login"), *urlpatterns]


class NoAdmin:
    urlpatterns = [p for p in urlpatterns if getattr(p, "app_name", "") != "admin"]


def backends(settings: Settings, *others: str) -> None:
    settings.AUTHENTICATION_BACKENDS = [OURS, *others]


@pytest.mark.parametrize(
    ("others", "takes"),
    [
        (["django.contrib.auth.backends.ModelBackend"], True),
        (["django.contrib.auth.backends.AllowAllUsersModelBackend"], True),
        ([f"{__name__}.TokenBackend"], False),
        ([f"{__name__}.WithoutAny"], False),
        ([], False),
    ],
)
def test_only_a_backend_that_takes_passwords_has_a_page(
    settings: Settings, others: list[str], takes: bool
) -> None:
    backends(settings, *others)
    assert takes_passwords() is takes
    assert bool(password_url("")) is takes


@pytest.mark.django_db
def test_the_link_comes_back_to_where_the_reader_was_going(client: Client) -> None:
    page = client.get("/auth/login/?next=/private/", secure=True).content.decode()
    assert f'href="/admin/login/?next=%2Fprivate%2F"{LINK}' in page


@pytest.mark.django_db
def test_without_a_backend_for_passwords_there_is_no_link(
    client: Client, settings: Settings
) -> None:
    backends(settings)
    assert LINK not in client.get("/auth/login/", secure=True).content.decode()


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"LOGIN_URL": "/home/"}, "/home/?next=%2Fprivate%2F"),
        ({"ROOT_URLCONF": OwnLoginPage}, "/members/?next=%2Fprivate%2F"),
        ({"ROOT_URLCONF": NoAdmin}, ""),
        ({"LOGIN_URL": "admin:login"}, "/admin/login/?next=%2Fprivate%2F"),
    ],
)
def test_the_sites_own_page_comes_before_the_admins(
    settings: Settings, changes: dict[str, Any], url: str
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert password_url("/private/") == url


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ({"ADMIN_LOGIN": "redirect"}, "/admin/login/?local=1&next=%2Fprivate%2F"),
        ({"ADMIN_LOGIN": "off"}, "/admin/login/?next=%2Fprivate%2F"),
        ({"ADMIN_LOCAL_LOGIN": False}, ""),
    ],
)
def test_an_admin_that_takes_no_passwords_is_not_named(
    settings: Settings, keys: dict[str, Any], url: str
) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}
    assert password_url("/private/") == url


def test_our_login_page_takes_no_password_itself() -> None:
    # A form of ours would pass by the site's second factor.
    template = (
        Path(__file__).parents[2] / "oauth_login/templates/oauth_login/login.html"
    )
    assert 'type="password"' not in template.read_text()

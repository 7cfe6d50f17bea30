"""The admin's door: which way leads in, for each admin site."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import Client
from django.urls import path
from pytest_django import Settings

import tests.urls
from oauth_login.models import LoginEvent

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]


def site(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}


@pytest.fixture
def root() -> Any:
    return get_user_model().objects.create_superuser("root", password="pw")


def post_password(client: Client, url: str) -> Any:
    return client.post(url, {"username": "root", "password": "pw"}, secure=True)


def test_each_admin_site_has_a_mode_of_its_own(
    client: Client, settings: Settings
) -> None:
    # pains 8
    site(settings, ADMIN_LOGIN={"admin": "redirect", "shop": "off"})
    assert client.get("/admin/login/")["Location"] == "/auth/login/?next=%2Fadmin%2F"
    assert b"Corp SSO" not in client.get("/shop/login/").content

    site(settings, ADMIN_LOGIN={"admin": "off", "*": "redirect"})
    assert b"Corp SSO" not in client.get("/admin/login/").content
    assert client.get("/shop/login/")["Location"] == "/auth/login/?next=%2Fshop%2F"

    site(settings, ADMIN_LOGIN={"admin": "off"})
    page = client.get("/shop/login/").content
    assert b"Corp SSO" in page
    assert b'name="password"' in page


@pytest.mark.parametrize("door", ["/admin/", "/shop/"])
def test_without_local_logins_no_password_leads_in(
    client: Client, settings: Settings, root: Any, door: str
) -> None:
    # T130
    site(settings, ADMIN_LOGIN="redirect", ADMIN_LOCAL_LOGIN=False)

    for query in ("", "?local=1"):
        page = client.get(f"{door}login/{query}")
        assert page["Location"].startswith("/auth/login/")
        assert post_password(client, f"{door}login/{query}").status_code == 403
    assert "_auth_user_id" not in client.session
    assert client.get(door).status_code == 302


def test_buttons_alone_are_left_without_local_logins(
    client: Client, settings: Settings, root: Any
) -> None:
    # T130
    site(settings, ADMIN_LOCAL_LOGIN=False)

    page = client.get("/admin/login/?local=1").content
    assert b"Corp SSO" in page
    assert b'name="password"' not in page
    assert b"or use a password" not in page
    refused = post_password(client, "/admin/login/")
    assert refused.status_code == 403
    assert b"account.refused" in refused.content
    assert not LoginEvent.objects.exists()


def test_a_site_that_is_left_alone_keeps_its_passwords(
    client: Client, settings: Settings, root: Any
) -> None:
    modes = {"admin": "redirect", "shop": "off"}
    site(settings, ADMIN_LOGIN=modes, ADMIN_LOCAL_LOGIN=False)

    assert post_password(client, "/shop/login/").status_code == 302
    assert client.get("/shop/").status_code == 200
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_password_from_elsewhere_does_not_lead_in_either(
    client: Client, settings: Settings, root: Any
) -> None:
    # T130, T16
    site(settings, ADMIN_LOGIN="redirect", ADMIN_LOCAL_LOGIN=False)
    client.force_login(root)

    response = client.get("/admin/auth/user/", follow=True)

    assert response.status_code == 403
    page = response.content.decode()
    assert "account.provider_required" in page
    assert "/auth/corp/login/?next=%2Fadmin%2Fauth%2Fuser%2F" in page
    row = LoginEvent.objects.get()
    assert (row.outcome, row.code) == ("denied", "account.provider_required")


def test_a_provider_leads_in_without_local_logins(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    staff = {"corp": {**entry, "STAFF_IF": {"groups": "staff"}}}
    site(settings, PROVIDERS=staff, ADMIN_LOGIN="redirect", ADMIN_LOCAL_LOGIN=False)
    oauth_log_in(client, person="bob", next="/admin/")

    assert client.get("/admin/", secure=True).status_code == 200
    assert client.get("/shop/", secure=True).status_code == 200


@pytest.mark.parametrize("mode", ["buttons", "redirect"])
@pytest.mark.parametrize("door", ["/admin/", "/shop/"])
def test_without_local_logins_nobody_who_is_signed_in_sends_a_password(
    client: Client,
    settings: Settings,
    oauth_log_in: LogIn,
    root: Any,
    mode: str,
    door: str,
) -> None:
    # T130
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    staff = {"corp": {**entry, "STAFF_IF": {"groups": "staff"}}}
    site(settings, PROVIDERS=staff, ADMIN_LOGIN=mode, ADMIN_LOCAL_LOGIN=False)
    oauth_log_in(client, person="bob", next=door)
    user = client.session["_auth_user_id"]

    assert client.get(f"{door}login/", secure=True)["Location"] == door
    assert post_password(client, f"{door}login/").status_code == 403
    assert client.session["_auth_user_id"] == user
    assert client.get(door, secure=True).status_code == 200


def test_with_local_logins_the_password_still_works(
    client: Client, settings: Settings, root: Any
) -> None:
    # T130
    site(settings, ADMIN_LOGIN="redirect")
    assert post_password(client, "/admin/login/?local=1").status_code == 302
    assert client.get("/admin/").status_code == 200


class OwnLogin(AdminSite):
    def login(self, request: Any, extra_context: Any = None) -> Any:
        raise NotImplementedError


own = OwnLogin(name="with_its_own_login")
urlpatterns = [*tests.urls.urlpatterns, path("own/", own.urls)]


def unguarded() -> list[str]:
    return [
        m.msg for m in run_checks(tags=["oauth_login"]) if m.id == "oauth_login.W050"
    ]


def test_an_admin_site_with_a_login_of_its_own_is_named(settings: Settings) -> None:
    # T131
    settings.ROOT_URLCONF = __name__
    assert unguarded() == []
    site(settings, ADMIN_LOCAL_LOGIN=False)
    assert unguarded() == [
        "The admin site 'with_its_own_login' still accepts passwords."
    ]
    site(settings, ADMIN_LOCAL_LOGIN=False, ADMIN_LOGIN={"with_its_own_login": "off"})
    assert unguarded() == []


def test_an_admin_site_that_nobody_can_reach_is_not(settings: Settings) -> None:
    site(settings, ADMIN_LOCAL_LOGIN=False)
    assert unguarded() == []


DEFAULT_SITE = """
import sys, types
from django.conf import settings
from django.contrib.admin.apps import AdminConfig

class SiteAdminConfig(AdminConfig):
    default = True
    default_site = sys.argv[1]

module = types.ModuleType("site_admin")
module.SiteAdminConfig = SiteAdminConfig
sys.modules["site_admin"] = module
settings.configure(
    SECRET_KEY="x" * 50,
    INSTALLED_APPS=[
        "site_admin.SiteAdminConfig",
        "oauth_login",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
)
import django
django.setup()
from django.contrib import admin
from oauth_login.models import Identity
assert admin.site.is_registered(Identity)
print(*sorted({"login", "logout", "has_permission"} & vars(admin.site._wrapped).keys()))
print(admin.site.login_template)
"""


@pytest.mark.parametrize(
    ("default_site", "patched"),
    [
        ("oauth_login.admin_site.OAuthLoginAdminMixin", ""),
        ("django.contrib.admin.sites.AdminSite", "has_permission login logout"),
    ],
)
def test_a_default_site_with_the_mixin_is_not_patched(
    default_site: str, patched: str
) -> None:
    # Another process: Django builds its default site once, while it starts.
    done = subprocess.run(  # noqa: S603 - our own Python and our own text
        [sys.executable, "-W", "error", "-c", DEFAULT_SITE, default_site],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    # The template is chosen on the response: see tests/admin/test_default_site.py.
    assert done.stdout.splitlines() == [patched, "None"]

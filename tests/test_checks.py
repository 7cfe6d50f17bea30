"""What the checks say of the site around this app: URLs, sessions, middleware."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as DjangosSessions
from django.core.checks import Error, run_checks
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import clear_url_caches, include, path, re_path, set_script_prefix
from pytest_django import Settings

LogIn = Callable[..., Any]

OURS = path("auth/", include("oauth_login.urls"))
ADMIN = path("admin/", admin.site.urls)
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN_SESSIONS = "oauth_login.middleware.LoginSessionMiddleware"


class DerivedSessions(DjangosSessions):
    pass


class DerivedAuthentication(AuthenticationMiddleware):
    pass


class SessionMiddleware:
    """Of another package, in the place of Django's."""


def page(request: HttpRequest, slug: str = "") -> HttpResponse:
    return HttpResponse(f"page {slug}")


def ids() -> set[str]:
    return {
        str(m.id).removeprefix("oauth_login.") for m in run_checks(tags=["oauth_login"])
    }


def message(number: str) -> Any:
    (found,) = [
        m for m in run_checks(tags=["oauth_login"]) if str(m.id).endswith(number)
    ]
    return found


@pytest.fixture
def urls(settings: Settings) -> Iterator[Callable[..., None]]:
    name = f"{__name__}_urls"

    def use(*patterns: object) -> None:
        module = ModuleType(name)
        module.urlpatterns = [*patterns]  # type: ignore[attr-defined]
        sys.modules[name] = module
        settings.ROOT_URLCONF = name
        clear_url_caches()

    yield use
    sys.modules.pop(name, None)
    clear_url_caches()


# --- The include


@pytest.mark.parametrize(
    "patterns",
    [
        [OURS, re_path(r"^(?P<slug>.*)$", page)],
        [path("<int:slug>/", page), OURS],
        [path("a/deep/place/", include("oauth_login.urls"))],
        [path("", include("oauth_login.urls"))],
        [path("auth/", include("oauth_login.urls", namespace="ours"))],
        # A view of the site's own in the place of one of ours, under our name.
        [
            path("auth/", include(([path("login/", page)], "oauth_login"), "other")),
            OURS,
        ],
    ],
)
def test_urls_that_are_in_place_are_no_problem(
    urls: Callable[..., None], patterns: list[Any]
) -> None:
    urls(ADMIN, *patterns)
    assert not {"W033", "W034"} & ids()


@pytest.mark.parametrize(
    "patterns",
    [
        [],
        [path("<slug:tenant>/", include([OURS]))],  # nothing says which tenant
    ],
)
def test_a_missing_include_is_said(
    urls: Callable[..., None], patterns: list[Any]
) -> None:
    urls(ADMIN, *patterns)
    found = message("W033")
    assert not isinstance(found, Error)
    assert (
        found.hint == "Add path('auth/', include('oauth_login.urls')) to urlpatterns."
    )
    assert "W034" not in ids()


def test_a_site_without_urls_has_none_to_check(settings: Settings) -> None:
    settings.ROOT_URLCONF = None
    assert not {"W033", "W034"} & ids()


@pytest.mark.parametrize(
    ("first", "hidden"),
    [
        (re_path(r"^((?:[\w\-]+/)*)$", page), "/auth/login/"),  # a CMS
        (re_path(r"^(?P<slug>.*)$", page), "/auth/corp/callback/"),  # flatpages
        (path("<path:slug>", page), "/auth/account/"),
        (path("auth/login/", page), "/auth/login/"),
        (path("auth/corp/callback/", page), "/auth/corp/callback/"),
        (path("auth/<slug:slug>/login/", page), "/auth/corp/login/"),
    ],
)
def test_what_hides_a_url_is_named(
    urls: Callable[..., None], first: Any, hidden: str
) -> None:
    urls(first, OURS, ADMIN)
    found = message("W034")
    assert not isinstance(found, Error)
    assert f"{hidden} leads to tests.test_checks.page" in found.msg
    urls(OURS, first, ADMIN)
    assert "W034" not in ids()


def test_a_site_below_a_path_is_looked_at_the_same(urls: Callable[..., None]) -> None:
    set_script_prefix("/sub/")
    try:
        urls(OURS, ADMIN)
        assert not {"W033", "W034"} & ids()
        urls(re_path(r"^(?P<slug>.*)$", page), OURS, ADMIN)
        assert "/sub/auth/login/ leads to" in message("W034").msg
    finally:
        set_script_prefix("/")


def test_the_urls_of_each_provider_are_looked_at(
    urls: Callable[..., None], settings: Settings
) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry, "google": entry}}
    urls(path("auth/google/login/", page), OURS, ADMIN)

    assert message("W034").msg.count("leads to") == 1


# --- The admin without the include


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["buttons", "redirect", "off"])
def test_the_admins_login_page_survives_a_missing_include(
    client: Client, settings: Settings, urls: Callable[..., None], mode: str
) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "ADMIN_LOGIN": mode}
    get_user_model().objects.create_superuser("root", password="pw")
    urls(ADMIN)

    shown = client.get("/admin/login/")
    assert shown.status_code == 200
    assert b"Corp SSO" not in shown.content
    assert b'name="password"' in shown.content

    form = {"username": "root", "password": "pw"}
    entered = client.post("/admin/login/?next=/admin/", form)
    assert entered["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").status_code == 200


@pytest.mark.django_db
def test_a_user_without_rights_gets_djangos_page_then(
    client: Client, urls: Callable[..., None]
) -> None:
    client.force_login(get_user_model().objects.create_user("carol"))
    urls(ADMIN)

    shown = client.get("/admin/", follow=True)
    assert shown.status_code == 200
    assert b"not authorized" in shown.content


@pytest.mark.django_db
def test_a_password_stays_refused_without_the_include(
    client: Client, settings: Settings, urls: Callable[..., None]
) -> None:
    # T130
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "ADMIN_LOCAL_LOGIN": False}
    get_user_model().objects.create_superuser("root", password="pw")
    urls(ADMIN)

    shown = client.get("/admin/login/")
    assert shown.status_code == 200
    assert b'name="password"' not in shown.content
    assert b"No identity provider is configured." in shown.content
    form = {"username": "root", "password": "pw"}
    assert client.post("/admin/login/?next=/admin/", form).status_code == 403
    assert "_auth_user_id" not in client.session


# --- Sessions of another kind


@pytest.mark.parametrize(
    ("engine", "needed"),
    [
        ("django.contrib.sessions.backends.db", True),
        ("django.contrib.sessions.backends.cached_db", True),
        ("django.contrib.sessions.backends.cache", False),
        ("django.contrib.sessions.backends.file", False),
        ("django.contrib.sessions.backends.signed_cookies", False),
        ("user_sessions.backends.db", False),
    ],
)
def test_the_sessions_app_is_needed_by_the_engines_that_use_it(
    settings: Settings, engine: str, needed: bool
) -> None:
    settings.SESSION_ENGINE = engine
    assert "E030" not in ids()
    apps = [a for a in settings.INSTALLED_APPS if not a.endswith("sessions")]
    settings.INSTALLED_APPS = apps
    assert ("E030" in ids()) is needed


@pytest.mark.parametrize("app", ["auth", "contenttypes"])
def test_the_other_apps_are_always_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    from django.apps import apps

    real = apps.is_installed
    monkeypatch.setattr(
        apps, "is_installed", lambda n: n != f"django.contrib.{app}" and real(n)
    )
    assert "E030" in ids()


HERE = "tests.test_checks"


@pytest.mark.parametrize(
    ("middleware", "found"),
    [
        ([SESSIONS, AUTHENTICATION, LOGIN_SESSIONS], set()),
        ([f"{HERE}.DerivedSessions", AUTHENTICATION, LOGIN_SESSIONS], set()),
        ([SESSIONS, f"{HERE}.DerivedAuthentication", LOGIN_SESSIONS], set()),
        ([f"{HERE}.SessionMiddleware", AUTHENTICATION], set()),
        ([AUTHENTICATION, SESSIONS], {"E032"}),
        ([AUTHENTICATION, f"{HERE}.DerivedSessions"], {"E032"}),
        ([f"{HERE}.DerivedAuthentication", SESSIONS], {"E032"}),
        ([SESSIONS, LOGIN_SESSIONS, AUTHENTICATION], {"E034"}),
        ([SESSIONS, LOGIN_SESSIONS, f"{HERE}.DerivedAuthentication"], {"E034"}),
        ([AUTHENTICATION, LOGIN_SESSIONS], {"W031"}),
        ([SESSIONS, LOGIN_SESSIONS], {"W031"}),
        ([SESSIONS, "no.such.Middleware"], {"W031"}),
        ([], {"W031"}),
    ],
)
def test_a_middleware_in_the_place_of_djangos_counts_as_that(
    settings: Settings, middleware: list[str], found: set[str]
) -> None:
    settings.MIDDLEWARE = middleware
    assert ids() & {"W031", "E032", "E034"} == found

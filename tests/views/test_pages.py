"""Pages: whose they are, and how they stand in a site's own base template."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from django.urls import set_script_prefix
from pytest_django import Settings

from oauth_login.checks import check_settings
from oauth_login.views import branding
from oauth_login.views.branding import site_name

LogIn = Callable[..., Any]
LOGIN = "/auth/login/"
STYLES = Path(branding.__file__).parents[1] / "static/oauth_login/oauth_login.css"
# A site's own, with the one block that it must have, and a title of its own.
BASE = (
    "<html><head><title>{{ title }} | Theirs</title></head>"
    "<body><nav>Theirs</nav>{% block content %}{% endblock %}</body></html>"
)
# Each page of ours that can be had without a provider, and what is in the middle of it.
PAGES = [
    (LOGIN, "Continue with Corp SSO"),
    ("/auth/logged-out/", "You’re signed out"),
    ("/auth/corp/callback/?code=a&state=b", "We couldn’t sign you in"),
    ("/auth/breakglass/x/", "No access"),
]
PAGES_OF_A_USER = [
    ("/auth/account/", "Connected accounts"),
    ("/auth/logout/", "Sign out?"),
    ("/auth/account/connect/corp/", "Connect Corp SSO?"),
    ("/auth/resume/x/", "Form no longer available"),
    ("/admin/login/?next=/admin/", "you don’t have access"),
]


def configure(settings: Settings, **keys: object) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}


def page(client: Client, url: str = LOGIN) -> str:
    return unescape(client.get(url, secure=True).content.decode())


@pytest.fixture
def own_base(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "oauth_login").mkdir()
    (tmp_path / "oauth_login/base.html").write_text('{% extends "base.html" %}')
    (tmp_path / "base.html").write_text(BASE)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


@pytest.mark.django_db
def test_the_pages_have_the_name_of_the_settings(
    client: Client, settings: Settings
) -> None:
    configure(settings, SITE_NAME="Acme <Intranet>")
    assert "<title>Sign in – Acme <Intranet></title>" in page(client)
    assert "Acme &lt;Intranet&gt;" in client.get(LOGIN, secure=True).content.decode()
    assert "signed out of Acme <Intranet> in this" in page(client, "/auth/logged-out/")


def test_else_the_name_is_the_admins_else_the_host(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = rf.get("/")
    assert site_name(request) == "testserver"
    monkeypatch.setattr(admin.site, "site_header", "Acme back office")
    assert site_name(request) == "Acme back office"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Acme", "Acme"), ("example.com", "testserver"), (None, "testserver")],
)
def test_the_name_of_django_contrib_sites_comes_before_the_admins(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch, name: str | None, shown: str
) -> None:
    # The suite has no table for it: what is asked is put in its place.
    def current(request: object) -> object:
        if name is None:
            raise branding.ObjectDoesNotExist
        return type("Site", (), {"name": name})

    monkeypatch.setattr(
        branding.apps, "is_installed", lambda app: app == "django.contrib.sites"
    )
    monkeypatch.setattr("django.contrib.sites.shortcuts.get_current_site", current)
    assert site_name(rf.get("/")) == shown


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "text"), PAGES)
def test_every_page_leads_to_help_if_there_is_any(
    client: Client, settings: Settings, url: str, text: str
) -> None:
    assert "Get help signing in" not in page(client, url)
    configure(settings, SUPPORT_URL="mailto:it@acme.test")
    assert '<a href="mailto:it@acme.test">Get help signing in</a>' in page(client, url)


@pytest.mark.parametrize(
    ("logo", "url"),
    [
        ("brand/logo.svg", "/static/brand/logo.svg"),
        ("/media/logo.png", "/media/logo.png"),
        ("https://cdn.acme.test/logo.png", "https://cdn.acme.test/logo.png"),
    ],
)
@pytest.mark.django_db
def test_a_logo_stands_beside_the_name(
    client: Client, settings: Settings, logo: str, url: str
) -> None:
    configure(settings, LOGO=logo)
    assert f'<img src="{url}" alt="">' in page(client)


@pytest.mark.parametrize(
    ("keys", "problems"),
    [
        ({"SUPPORT_URL": "/help/"}, []),
        ({"SUPPORT_URL": "https://help.acme.test/"}, []),
        ({"SUPPORT_URL": "tel:+431234"}, []),
        ({"SUPPORT_URL": "javascript:alert(1)"}, ["oauth_login.W003"]),
        ({"SUPPORT_URL": "//evil.test/"}, ["oauth_login.W003"]),
        ({"SUPPORT_URL": "help"}, ["oauth_login.W003"]),
        ({"SUPPORT_URL": 7}, ["oauth_login.E003"]),
        ({"LOGO": "javascript:alert(1)"}, ["oauth_login.W003"]),
        ({"LOGO": "http://cdn.acme.test/logo.png"}, ["oauth_login.W003"]),
        ({"LOGO": "//cdn.acme.test/logo.png"}, ["oauth_login.W003"]),
        ({"SITE_NAME": 7}, ["oauth_login.E003"]),
    ],
)
@pytest.mark.django_db
def test_what_pages_cannot_link_to_is_left_out(
    client: Client, settings: Settings, keys: dict[str, object], problems: list[str]
) -> None:
    configure(settings, **keys)
    assert [found.id for found in check_settings()] == problems
    text = page(client)
    if problems:
        assert not any(f'"{value}"' in text for value in keys.values())


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "text"), [*PAGES, *PAGES_OF_A_USER])
def test_a_base_template_with_one_block_has_all_of_a_page(
    client: Client, settings: Settings, own_base: None, url: str, text: str
) -> None:
    configure(settings, SUPPORT_URL="/help/")
    if (url, text) in PAGES_OF_A_USER:
        client.force_login(get_user_model().objects.create_user("carol"))

    shown = page(client, url)

    assert shown.startswith("<html><head><title>")
    assert re.search(r"<title>[^<|]+ \| Theirs</title>", shown)
    assert text in shown
    assert 'class="ol-page ol-embedded"' in shown
    assert "oauth_login/oauth_login.css" in shown
    assert '<a href="/help/">Get help signing in</a>' in shown
    # The site has said who it is, and has its own <main>.
    assert "ol-brand" not in shown
    assert "<main" not in shown


@pytest.mark.django_db
def test_a_page_leads_on_in_any_base_template(
    client: Client, own_base: None, oauth_log_in: LogIn
) -> None:
    oauth_log_in(client)
    response = client.post("/auth/logout/", secure=True)
    assert response["Refresh"].startswith("0; url=https://id.example.com/")
    assert response["Refresh"] == f"0; url={response.context['continue_url']}"


def test_a_page_that_stays_says_nothing_else(client: Client) -> None:
    assert "Refresh" not in client.get(LOGIN, secure=True)


def test_every_rule_of_the_style_sheet_is_below_one_class() -> None:
    source = re.sub(r"/\*.*?\*/", "", STYLES.read_text(), flags=re.DOTALL)
    groups = re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*(?={)", source)
    selectors = [
        part.strip() for group in groups for part in re.split(r",(?![^(]*\))", group)
    ]
    assert len(selectors) > 60
    outside = [s for s in selectors if not re.match(r"(:where\()?\.ol-page\b", s)]
    assert outside == []


def test_every_custom_property_is_documented() -> None:
    used = set(re.findall(r"(--ol-[a-z-]+):", STYLES.read_text()))
    text = (Path(__file__).parents[2] / "docs/pages.md").read_text()
    assert used == set(re.findall(r"`(--ol-[a-z-]+)`", text))


@pytest.mark.django_db
@pytest.mark.parametrize(("url", "text"), [*PAGES, *PAGES_OF_A_USER])
def test_every_page_has_a_way_on_also_below_a_path(
    client: Client, settings: Settings, url: str, text: str
) -> None:
    settings.LOGIN_REDIRECT_URL = "home"
    if (url, text) in PAGES_OF_A_USER:
        client.force_login(get_user_model().objects.create_user("carol"))
    set_script_prefix("/sub/")
    try:
        response = client.get(url, secure=True)
    finally:
        set_script_prefix("/")
    shown = unescape(response.content.decode())
    assert text in shown
    links = re.findall(r'(?:href|action)="(?!#|/static/)([^"]*)"', shown)
    assert len(links) > 1
    assert [
        link for link in links if link.startswith("/") and link[:5] != "/sub/"
    ] == []
    assert "/sub/" in links  # the site's own page

"""Our buttons on the login pages of other people's admin themes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from pytest_django import Settings

import oauth_login

pytestmark = pytest.mark.django_db

STATIC = Path(oauth_login.__file__).parent / "static/oauth_login"
CSS = "oauth_login/admin_login.css"
# As themes write them: with the admin's blocks, with some of them, and with others.
BARE = "<main>{% block content %}THEIR FORM{% endblock %}</main>"
STYLED = "<style>{% block extrastyle %}{% endblock %}</style>" + BARE
WHOLE = "<main>THEIR FORM</main>"
OWN_BLOCK = (
    "<main>{% block content %}<h1>T</h1>{% block login_before %}{% endblock %}THEIR "
    "FORM{% endblock %}</main>"
)


@pytest.fixture
def theme(settings: Settings) -> Callable[..., None]:
    """Put a theme's template, and maybe the site's own, in front of the admin's."""

    def use(login: str, ours: str | None = None) -> None:
        templates = {"admin/login.html": login}
        if ours is not None:
            templates["oauth_login/admin_login.html"] = ours
        (engine,) = settings.TEMPLATES
        loaders = [
            ("django.template.loaders.locmem.Loader", templates),
            "django.template.loaders.app_directories.Loader",
        ]
        options = {"loaders": loaders}
        settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]

    return use


def site(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}


def shown(client: Client) -> str:
    response = client.get("/admin/login/")
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.parametrize("login", [BARE, STYLED, OWN_BLOCK])
def test_buttons_have_their_style_in_every_theme_with_a_content_block(
    client: Client, theme: Callable[..., None], login: str
) -> None:
    theme(login)
    page = shown(client)

    assert page.index("<main>") < page.index("Corp SSO") < page.index("THEIR FORM")
    assert page.count(f"/static/{CSS}") == 1
    assert "<style><link" not in page


@pytest.mark.parametrize("login", [BARE, STYLED, OWN_BLOCK])
def test_without_passwords_the_form_of_the_theme_is_not_there(
    client: Client, settings: Settings, theme: Callable[..., None], login: str
) -> None:
    theme(login)
    site(settings, ADMIN_LOCAL_LOGIN=False)
    page = shown(client)

    assert "Corp SSO" in page
    assert "THEIR FORM" not in page


def test_a_theme_without_a_content_block_shows_its_page_as_it_is(
    client: Client, theme: Callable[..., None]
) -> None:
    # docs/sites.md says what to do then.
    theme(WHOLE)
    assert "Corp SSO" not in shown(client)


def test_a_site_puts_the_buttons_where_a_theme_has_a_place_for_them(
    client: Client, theme: Callable[..., None]
) -> None:
    ours = (
        '{% extends "admin/login.html" %}{% block login_before %}'
        '{% include "oauth_login/admin_buttons.html" %}{% endblock %}'
    )
    theme(OWN_BLOCK, ours)
    page = shown(client)

    assert page.index("<h1>") < page.index("Corp SSO") < page.index("THEIR FORM")
    assert "or use a password" in page


@pytest.mark.parametrize(
    "keys",
    [{"ADMIN_LOGIN": "off"}, {"ADMIN_LOGIN": {"admin": "off"}}, {"PROVIDERS": {}}],
)
def test_the_buttons_alone_are_nothing_where_there_are_none(
    settings: Settings, keys: dict[str, Any]
) -> None:
    site(settings, **keys)
    request = RequestFactory().get("/")
    text = render_to_string("oauth_login/admin_buttons.html", request=request)
    assert "<" not in text


def test_every_colour_has_one_to_fall_back_on() -> None:
    """Most themes define none of the admin's custom properties."""
    css = (STATIC / "admin_login.css").read_text()
    rules = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    names = re.findall(r"var\(\s*(--[\w-]+)\s*([,)])", rules)

    assert {name for name, then in names if then == ")"} == set()
    assert len(names) >= 6

"""Our pages in a site's own base template, and with words that are too long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pkce_project import demo
from tests.e2e.conftest import Demo, log_in_at_provider, running_demo
from tests.e2e.page_checks import check_page

BASE = """{% load static %}<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }} – Harbour Books</title>
  <link rel="stylesheet" href="/theirs.css">
</head>
<body>
  <header><strong>Harbour Books</strong></header>
  <main>{% block content %}{% endblock %}</main>
</body>
</html>
"""
STYLES = """
body { margin: 0; background: #fbf3e1; color: #33261a; }
body { font: 1.0625rem/1.6 Georgia, serif; }
header { padding: 1rem 2rem; background: #5a2a27; color: #fbf3e1; font-size: 1.25rem; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 400; }
a { color: #7a1f3d; }
.ol-page { --ol-accent: #7a1f3d; --ol-card: #fffaf0; --ol-radius: 0; }
"""
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 2


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with a base template of its own, without its provider."""
    state = tmp_path_factory.mktemp("own")
    templates = state / "templates"
    (templates / "oauth_login").mkdir(parents=True)
    (templates / "oauth_login/base.html").write_text('{% extends "base.html" %}')
    (templates / "base.html").write_text(BASE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "STATE_DIR", state)
        patch.setenv("DEMO_STATE_DIR", str(state))
        variables = demo.prepare()
        # Where a process of other settings than the demo's is served.
        variables["PROVIDER_ISSUER"] = variables["SITE_URL"]
        with demo.process("tests.e2e.own_design_site", variables):
            demo.wait_for(f"{variables['SITE_URL']}/auth/login/")
            yield variables["SITE_URL"]


def test_the_pages_take_the_look_of_the_site(page: Page, harbour: str) -> None:
    page.route(
        "**/theirs.css",
        lambda route: route.fulfill(body=STYLES, content_type="text/css"),
    )
    page.goto(f"{harbour}/auth/login/?next=/reports/")
    expect(page).to_have_title("Sign in – Harbour Books")
    check_page(page, "own_login")
    # What is the site's stays the site's, with our style sheet on the page.
    assert page.locator("body").evaluate(
        "b => [getComputedStyle(b).backgroundColor, getComputedStyle(b).display]"
    ) == ["rgb(251, 243, 225)", "block"]
    assert page.locator("h1").evaluate("h => getComputedStyle(h).fontWeight") == "400"
    main = page.get_by_role("link", name="Continue with Demo SSO")
    assert main.evaluate("e => getComputedStyle(e).backgroundColor") == (
        "rgb(122, 31, 61)"
    )
    expect(page.get_by_role("link", name="Get help signing in")).to_be_visible()
    page.goto(f"{harbour}/auth/demo/callback/?code=a&state=b")
    check_page(page, "own_error")
    page.goto(f"{harbour}/auth/logged-out/")
    check_page(page, "own_logged_out")


@pytest.fixture(scope="module")
def long_words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A new demo whose provider has a name without a space."""
    state = tmp_path_factory.mktemp("long")
    with running_demo(state, OAUTH_LOGIN_DEMO_LABEL=LONG) as running:
        yield running


def test_nothing_overflows_however_long_a_word_is(page: Page, long_words: Demo) -> None:
    # WCAG 2.2, 1.4.10: at 320 pixels as well
    site = long_words.site
    where = "/reports/" + "quarterly-" * 30
    page.goto(f"{site}/auth/login/?next={where}")
    check_page(page, "long_login")
    page.goto(f"{site}/auth/demo/callback/?code=a&state=b")
    check_page(page, "long_error")
    page.goto(f"{site}/auth/demo/login/?next=/auth/account/")
    log_in_at_provider(page, "carol", long_words.password)
    expect(page).to_have_url(f"{site}/auth/account/")
    paths = {
        "account": "/auth/account/",
        "connect": "/auth/account/connect/demo/",
        "logout": "/auth/logout/",
        "denied": f"/admin/login/?next=/admin/{where}",
    }
    for name, path in paths.items():
        page.goto(site + path)
        check_page(page, f"long_{name}")

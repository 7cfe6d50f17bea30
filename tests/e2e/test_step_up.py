"""A form that must wait for a stronger login, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import escape, format_html
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from oauth_login.decorators import require_login
from oauth_login.testing import FakeProvider, serve
from oauth_login.testing.site import private_caches
from tests.e2e.page_checks import check_page
from tests.e2e.test_other_site import configure

FORM = """<!doctype html><html lang="en"><title>Transfer</title><h1>Transfer</h1>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}">
<label>To <input name="to"></label><button>Transfer</button></form></html>"""


def transfer(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return carry_out(request)
    return HttpResponse(format_html(FORM, get_token(request)))


@require_login(acr="gold")
def carry_out(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<h1>Sent to {escape(request.POST['to'])}</h1>")


urlpatterns = [
    path("auth/", include("oauth_login.urls")),
    path("transfer/", transfer),
]


@pytest.fixture(params=["Lax", "Strict"])
def site(
    request: pytest.FixtureRequest,
    settings: Settings,
    transactional_db: None,
    live_server: LiveServer,
) -> Iterator[str]:
    with serve(FakeProvider()) as provider:
        settings.CACHES = private_caches()
        settings.ROOT_URLCONF = __name__
        settings.SESSION_COOKIE_SAMESITE = request.param
        settings.LOGIN_REDIRECT_URL = "/transfer/"
        configure(settings, provider)
        yield f"http://localhost:{live_server.thread.port}"


def test_a_form_waits_for_a_stronger_login_and_is_sent_by_its_sender(
    page: Page, site: str
) -> None:
    # T27
    page.goto(f"{site}/auth/corp/login/?next=/transfer/")
    expect(page).to_have_url(f"{site}/transfer/")
    page.get_by_label("To").fill('bob & "co" <b>')
    page.get_by_role("button", name="Transfer").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Submit the form now?")
    check_page(page, f"resume_{settings_name(page)}")
    page.get_by_role("button", name="Submit the form to /transfer/").focus()
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text('Sent to bob & "co" <b>')


def test_a_form_that_is_discarded_is_gone(page: Page, site: str) -> None:
    page.goto(f"{site}/auth/corp/login/?next=/transfer/")
    expect(page).to_have_url(f"{site}/transfer/")
    page.get_by_label("To").fill("bob")
    page.get_by_role("button", name="Transfer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Submit the form now?")
    where = page.url
    page.get_by_role("button", name="Discard the form").click()
    expect(page).to_have_url(f"{site}/transfer/")

    page.goto(where)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Form no longer available"
    )
    check_page(page, "resume_gone")


def settings_name(page: Page) -> str:
    (cookie,) = [c for c in page.context.cookies() if c["name"] == "sessionid"]
    return str(cookie["sameSite"]).lower()

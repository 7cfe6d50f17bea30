"""In a real browser: a login is resumed where it began, and nowhere else."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from oauth_login.testing import FakeProvider
from tests.e2e.page_checks import check_page
from tests.e2e.test_other_site import BY_ITSELF, configure, portal
from tests.e2e.test_other_site import provider as provider  # noqa: PLC0414 - a fixture
from tests.e2e.test_other_site import site as site  # noqa: PLC0414 - a fixture

MODES = ["query", "form_post"]
BEGIN = "/auth/corp/login/?next=/private/"


def begin(context: BrowserContext, site: str, next_path: str = "/private/") -> str:
    """Begin a login in this browser; the URL at the provider, not opened yet."""
    url = f"{site}/auth/corp/login/?next={next_path}"
    return str(context.request.get(url, max_redirects=0).headers["location"])


def without_session(context: BrowserContext) -> None:
    context.clear_cookies(name="sessionid")


def test_a_callback_of_another_browser_is_our_login_page(
    page: Page, site: str, provider: FakeProvider
) -> None:
    # T137, T138: a page of another site sends the victim to the attacker's callback
    host = {"Host": site.removeprefix("http://")}
    begun = Client().get(BEGIN, headers=host)["Location"]
    callback = provider.authorize(begun)
    pages = {"/": BY_ITSELF.format(url=callback.replace("&", "&amp;"))}
    with portal(pages) as elsewhere:
        page.goto(f"{elsewhere}/")
        page.wait_for_url(lambda url: url.startswith(site))

        expect(page.get_by_role("alert")).to_contain_text(
            "This sign-in was started in another browser or app."
        )
        expect(page.locator("body")).not_to_contain_text("/private/")
    assert provider.requests["token"] == 0
    check_page(page, "started-elsewhere")

    # One click, and it is a login of one's own.
    page.get_by_role("link", name="Continue with Corp SSO").click()
    page.wait_for_url(lambda url: "/auth/" not in url)
    assert provider.requests["token"] == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_login_whose_session_was_lost_goes_on_unseen(
    context: BrowserContext,
    page: Page,
    site: str,
    provider: FakeProvider,
    settings: Settings,
    mode: str,
) -> None:
    # T12, T137: the marker comes along after a form and its 303, too
    configure(settings, provider, RESPONSE_MODE=mode)
    at_provider = begin(context, site)
    without_session(context)
    page.goto(at_provider)

    expect(page).to_have_url(f"{site}/private/")
    assert provider.requests["authorize"] == 2
    assert provider.requests["token"] == 1
    assert not [c for c in context.cookies() if "oauth_login_" in str(c["name"])]


def test_the_back_button_and_a_reload_end_in_no_error(
    page: Page, site: str, provider: FakeProvider
) -> None:
    page.goto(f"{site}/home/")
    page.goto(f"{site}{BEGIN}")
    expect(page).to_have_url(f"{site}/private/")
    page.reload()
    expect(page.locator("body")).to_have_text("private: alice")
    page.go_back()
    expect(page.locator("body")).not_to_contain_text("couldn’t")
    page.go_forward()
    page.goto(f"{site}/private/")
    expect(page.locator("body")).to_have_text("private: alice")


def test_two_first_visits_at_once_both_arrive(
    context: BrowserContext, site: str, provider: FakeProvider
) -> None:
    # T06: two sessions, of which the browser keeps one
    begun = []
    for number in range(2):
        begun.append(begin(context, site, f"/private/%3Ftab={number}"))
        if not number:
            without_session(context)
    tabs = [context.new_page() for _ in begun]
    for tab, at_provider in zip(tabs, begun, strict=True):
        tab.goto(at_provider)
    for number, tab in enumerate(tabs):
        # Unseen, or where both lost their attempts twice, by one click; never an error.
        lost = "This sign-in took too long or was interrupted."
        end = re.compile(f"private: alice|{lost}")
        expect(tab.locator("body")).to_contain_text(end, timeout=30_000)
        if lost in tab.content():
            tab.get_by_role("link", name="Continue with Corp SSO").click()
        tab.wait_for_url(f"{site}/private/?tab={number}", timeout=30_000)
        expect(tab.locator("body")).to_have_text("private: alice")


def test_the_emergency_link_is_in_no_referrer(page: Page, site: str) -> None:
    # T172
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from oauth_login.login import breakglass

    user = get_user_model().objects.create_user("root", is_staff=True)
    token = breakglass.new_token(user, now=timezone.now())
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.all_headers().get("referer", "")))
    page.goto(f"{site}/auth/breakglass/{token}/")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site}/admin/")
    assert len(sent) > 2
    assert not [referrer for referrer in sent if token in referrer]

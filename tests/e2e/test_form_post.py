"""Answers that come as a form from another site, and logins that it begins.

Both kinds of session cookies that sites have: the browser leaves either at home.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.other_site import Site, portal, running_site
from tests.e2e.page_checks import check_page

CALLBACK = "/auth/demo/callback/"
INITIATE = "/auth/demo/initiate/"


@pytest.fixture(scope="module", params=["Lax", "Strict"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    state = tmp_path_factory.mktemp(f"form-post-{request.param}")
    with running_site(state, request.param, "form_post") as running:
        yield running


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser's console has to say; there is to be nothing."""
    found: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "favicon" not in str(
            message.location
        ):
            found.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def log_in(page: Page, site: Site, next: str = "/reports/") -> None:  # noqa: A002
    page.goto(f"{site.url}/auth/demo/login/?next={next}")
    page.get_by_role("button", name="alice").click()


def test_the_form_ends_in_a_login(
    page: Page, site: Site, complaints: list[str]
) -> None:
    # T12; pains 21
    site.forget()
    page.goto(f"{site.url}/reports/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    page.get_by_role("button", name="alice").click()

    expect(page).to_have_url(f"{site.url}/reports/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")
    assert complaints == []
    # The form was another site's, and the browser brought no cookie with it.
    (posted,) = site.seen("POST", CALLBACK)
    assert (posted["from"], posted["cookies"]) == ("cross-site", [])
    assert posted["status"] == 303
    # One that brought the cookie finished the login, and no code was used twice.
    *_, last = site.seen("GET", CALLBACK)
    assert "sessionid" in last["cookies"]
    assert last["status"] in (200, 302)
    assert site.provider.requests["token"] >= 1
    assert not [seen for seen in site.seen("GET", CALLBACK) if seen["status"] >= 400]


def test_the_admin_opens_too(page: Page, site: Site, complaints: list[str]) -> None:
    # pains 8, 21
    page.goto(f"{site.url}/admin/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    page.get_by_role("button", name="alice").click()

    expect(page).to_have_url(f"{site.url}/admin/")
    expect(page.get_by_role("link", name="Identities")).to_be_visible()
    assert complaints == []


def test_the_callbacks_address_can_be_loaded_again(page: Page, site: Site) -> None:
    # T04; pains 1
    site.forget()
    log_in(page, site)
    expect(page).to_have_url(f"{site.url}/reports/")
    tokens = site.provider.requests["token"]
    for seen in site.seen("GET", CALLBACK):
        # The attempt has ended, and its marker is gone: no error, and no new login.
        page.goto(site.url + seen["url"])
        expect(page.get_by_role("link", name="Continue as alice")).to_be_visible()
        page.reload()
        page.get_by_role("link", name="Continue as alice").click()
        expect(page).to_have_url(f"{site.url}/")
    assert site.provider.requests["token"] == tokens


def test_back_and_forward_lead_nowhere_bad(page: Page, site: Site) -> None:
    # pains 1
    page.goto(f"{site.url}/reports/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    page.get_by_role("button", name="alice").click()
    expect(page).to_have_url(f"{site.url}/reports/")
    page.go_back()
    page.go_forward()

    expect(page).to_have_url(f"{site.url}/reports/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")


def test_two_tabs_end_where_each_wanted(context: BrowserContext, site: Site) -> None:
    # pains 1, 22
    first, second = context.new_page(), context.new_page()
    for tab, number in ((first, 1), (second, 2)):
        tab.goto(f"{site.url}/auth/demo/login/?next=/reports/%3Ftab={number}")
    for tab, number in ((first, 1), (second, 2)):
        tab.get_by_role("button", name="alice").click()
        expect(tab).to_have_url(f"{site.url}/reports/?tab={number}")


def test_saying_no_is_no_drama(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/auth/demo/login/?next=/reports/")
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("alert")).to_contain_text("Sign-in not completed")
    assert page.url.startswith(site.url)


def test_a_form_that_nobody_asked_for_gets_a_page(page: Page, site: Site) -> None:
    # T03, T12, T39
    portal(page, site, "post", CALLBACK, code="a", state="B" * 100, user="mallory")
    page.get_by_role("button", name="Open the app").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("couldn’t sign you in")
    expect(page.get_by_text("mallory")).to_have_count(0)
    assert page.url.startswith(f"{site.url}{CALLBACK}?code=a&state=")
    check_page(page, f"form_post_forged_{samesite(site)}")


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_provider_may_begin(
    page: Page, site: Site, complaints: list[str], method: str
) -> None:
    # T25
    site.forget()
    portal(
        page,
        site,
        method,
        INITIATE,
        iss=site.provider.issuer,
        login_hint="alice@example.test",
        target_link_uri=f"{site.url}/reports/",
    )
    page.get_by_role("button", name="Open the app").click()
    page.get_by_role("button", name="alice").click()

    expect(page).to_have_url(f"{site.url}/reports/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")
    assert complaints == []
    # The first one came from there; a hop of our own may follow, with the cookie.
    first, *hops = site.seen(method.upper(), INITIATE)
    assert first["from"] == "cross-site"
    assert "sessionid" not in first["cookies"]
    assert {hop["from"] for hop in hops} <= {"same-origin"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_in_need_not_do_it_again(
    page: Page, site: Site, method: str
) -> None:
    # T25
    log_in(page, site)
    expect(page).to_have_url(f"{site.url}/reports/")
    portal(
        page,
        site,
        method,
        INITIATE,
        iss=site.provider.issuer,
        target_link_uri=f"{site.url}/reports/?again=1",
    )
    page.get_by_role("button", name="Open the app").click()
    # A Strict cookie is not there to tell; then the provider is asked, and remembers.
    page.wait_for_url(lambda url: "again=1" in url or "/authorize" in url)
    if "/authorize" in page.url:
        page.get_by_role("button", name="alice").click()

    expect(page).to_have_url(f"{site.url}/reports/?again=1")


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_may_begin(page: Page, site: Site, method: str) -> None:
    # T25
    portal(
        page,
        site,
        method,
        INITIATE,
        iss="https://evil.example.com",
        target_link_uri="https://evil.example.com/",
    )
    page.get_by_role("button", name="Open the app").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("couldn’t sign you in")
    expect(page.get_by_text("evil")).to_have_count(0)


def samesite(site: Site) -> str:
    return "strict" if "Strict" in str(site.witness) else "lax"

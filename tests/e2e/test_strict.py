"""A site whose session cookie stays at home when others send the browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page


def test_strict_cookies_are_no_obstacle(page: Page, strict: Demo) -> None:
    # T12; pains 21
    page.goto(f"{strict.site}/admin/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "alice", strict.password)

    expect(page).to_have_url(f"{strict.site}/admin/")
    expect(page.get_by_role("link", name="Identities")).to_be_visible()


def test_the_step_in_between_is_a_page_too(page: Page, strict: Demo) -> None:
    page.route(f"{strict.site}/reports/", lambda route: route.fulfill(status=204))
    page.goto(f"{strict.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(page, "alice", strict.password)

    # Twice: before the callback that brings the cookie, and after it.
    page.wait_for_url(lambda url: "hop=1" in url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Signing you in…")
    check_page(page, "continue")

"""The login page that asks for an address, by keyboard and under a strict policy."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page
from tests.e2e.test_clicks import csp_violations


def test_an_address_leads_to_its_provider(page: Page, by_address: Demo) -> None:
    violations = csp_violations(page)
    page.goto(f"{by_address.site}/reports/")
    check_page(page, "login_address")
    page.get_by_label("Your email address").focus()
    page.keyboard.type("nobody@elsewhere.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("choose a sign-in option below")
    check_page(page, "login_address_nobody")

    # The address stays, in a field that has the focus.
    field = page.get_by_label("Your email address")
    expect(field).to_have_value("nobody@elsewhere.example")
    expect(field).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Alice@Example.Test")
    page.keyboard.press("Enter")
    log_in_at_provider(page, "alice", by_address.password)

    expect(page).to_have_url(f"{by_address.site}/reports/")
    assert violations == []


def test_the_buttons_are_there_as_well(page: Page, by_address: Demo) -> None:
    page.goto(f"{by_address.site}/reports/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "bob", by_address.password)
    expect(page).to_have_url(f"{by_address.site}/reports/")

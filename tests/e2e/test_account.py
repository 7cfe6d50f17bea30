"""The account page, clicked through in two browsers, and with the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page


def test_bob_ends_his_session_on_another_device(
    browser: Browser, page: Page, lax: Demo
) -> None:
    # T121
    page.goto(f"{lax.site}/auth/demo/login/?next=/auth/account/")
    log_in_at_provider(page, "bob", lax.password)
    expect(page).to_have_url(f"{lax.site}/auth/account/")
    phone = browser.new_context(
        user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1"
    )
    there = phone.new_page()
    there.goto(f"{lax.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(there, "bob", lax.password)
    expect(there).to_have_url(f"{lax.site}/reports/")

    page.reload()
    expect(page.get_by_text("This browser")).to_have_count(1)
    check_page(page, "account")
    page.get_by_role("button", name="Sign out: Safari on iPhone").click()

    expect(page.get_by_role("status")).to_have_text("1 session was ended.")
    expect(page.get_by_role("button", name="Sign out: Safari on iPhone")).to_have_count(
        0
    )
    there.goto(f"{lax.site}/reports/")
    expect(there.get_by_role("heading", level=1)).to_have_text("Sign in")
    phone.close()


def test_everything_on_the_page_is_reached_and_done_with_the_keyboard(
    browser: Browser, page: Page, lax: Demo
) -> None:
    page.goto(f"{lax.site}/auth/demo/login/?next=/auth/account/")
    log_in_at_provider(page, "dave", lax.password)
    other = browser.new_context()
    there = other.new_page()
    there.goto(f"{lax.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(there, "dave", lax.password)
    expect(there).to_have_url(f"{lax.site}/reports/")
    page.reload()

    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.innerText.trim()")
        reached.append(name)
        if name == "Sign out everywhere else":
            break
    assert reached[0] == "Skip to main content"
    assert reached[-1] == "Sign out everywhere else"
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text("1 session was ended.")
    other.close()

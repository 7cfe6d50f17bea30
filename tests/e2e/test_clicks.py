"""The demo, clicked through as a person would."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page


def test_alice_gets_into_the_admin(page: Page, lax: Demo) -> None:
    # pains 8
    violations = csp_violations(page)
    page.goto(f"{lax.site}/admin/")
    check_page(page, "admin_login")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "alice", lax.password)

    expect(page).to_have_url(f"{lax.site}/admin/")
    expect(page.get_by_role("link", name="Identities")).to_be_visible()
    assert violations == []


def test_carol_is_told_and_can_switch(page: Page, lax: Demo) -> None:
    # T16; pains 4
    page.goto(f"{lax.site}/admin/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "carol", lax.password)

    expect(page.get_by_role("heading", level=1)).to_contain_text("don’t have access")
    expect(page.get_by_text("carol")).to_be_visible()
    check_page(page, "denied")

    page.get_by_role("link", name="Use a different account").click()
    log_in_at_provider(page, "alice", lax.password)
    expect(page).to_have_url(f"{lax.site}/admin/")
    expect(page.get_by_text("Site administration")).to_be_visible()


def test_the_login_page_brings_people_back(page: Page, lax: Demo) -> None:
    page.goto(f"{lax.site}/reports/")
    expect(page.get_by_text("/reports/")).to_be_visible()
    check_page(page, "login")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "dave", lax.password)

    expect(page).to_have_url(f"{lax.site}/reports/")


def test_a_wrong_password_stays_at_the_provider(page: Page, lax: Demo) -> None:
    page.goto(f"{lax.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(page, "alice", "wrong")
    expect(page.get_by_text("Please enter a correct username")).to_be_visible()
    log_in_at_provider(page, "alice", lax.password)

    expect(page).to_have_url(f"{lax.site}/reports/")


def test_cancelling_is_no_drama(page: Page, lax: Demo) -> None:
    page.goto(f"{lax.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(page, "bob", lax.password, allow=False)

    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text("Sign-in not completed")
    expect(page).to_have_title("Error: Sign in – Demo site")
    check_page(page, "cancelled")
    expect(page.get_by_text("/reports/")).to_be_visible()
    page.get_by_role("link", name="Try again with Demo SSO").click()
    page.get_by_role("button", name="Allow").click()
    expect(page).to_have_url(f"{lax.site}/reports/")


def test_bob_is_staff_and_no_more(page: Page, lax: Demo) -> None:
    page.goto(f"{lax.site}/admin/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "bob", lax.password)

    expect(page).to_have_url(f"{lax.site}/admin/")
    # What Editors may do.
    expect(page.get_by_role("link", name="Users")).to_be_visible()
    expect(page.get_by_role("link", name="Identities")).to_have_count(0)


def test_two_tabs_end_where_each_wanted(context: BrowserContext, lax: Demo) -> None:
    # pains 1
    first, second = context.new_page(), context.new_page()
    first.goto(f"{lax.site}/auth/demo/login/?next=/reports/%3Ftab=1")
    second.goto(f"{lax.site}/auth/demo/login/?next=/reports/%3Ftab=2")
    log_in_at_provider(first, "alice", lax.password)
    second.reload()  # the provider's own form has gone stale
    log_in_at_provider(second, "alice", lax.password)

    expect(first).to_have_url(f"{lax.site}/reports/?tab=1")
    expect(second).to_have_url(f"{lax.site}/reports/?tab=2")


def test_back_and_forward_lead_nowhere_bad(page: Page, lax: Demo) -> None:
    # pains 1
    page.goto(f"{lax.site}/reports/")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "alice", lax.password)
    expect(page).to_have_url(f"{lax.site}/reports/")
    page.go_back()
    page.go_forward()

    expect(page).to_have_url(f"{lax.site}/reports/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Reports")


def test_logging_out_leads_through_the_provider_and_back(page: Page, lax: Demo) -> None:
    # T109; pains 12, 43
    violations = csp_violations(page)
    page.goto(f"{lax.site}/auth/demo/login/")
    log_in_at_provider(page, "alice", lax.password)
    expect(page.get_by_text("You are signed in as")).to_be_visible()
    page.goto(f"{lax.site}/auth/logout/")
    check_page(page, "logout")
    # 204: the browser stays, as long as the provider says nothing else.
    page.route(f"{lax.provider}/logout/**", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("You’re signed out of")
    check_page(page, "signing_out")
    page.unroute(f"{lax.provider}/logout/**")
    page.get_by_role("link", name="Continue").click()
    confirm = page.get_by_role("button", name="Log out")
    page.wait_for_url(lambda url: "/logged-out/" in url or "/logout/?" in url)
    if confirm.count():
        confirm.click()

    page.wait_for_url(lambda url: "/auth/logged-out/" in url)
    expect(page.get_by_role("heading", level=1)).to_have_text("You’re signed out")
    check_page(page, "logged_out")
    assert violations == []
    page.goto(f"{lax.site}/auth/demo/login/")
    expect(page.get_by_label("Username")).to_be_visible()


def test_a_forged_callback_gets_a_page(page: Page, lax: Demo) -> None:
    page.goto(f"{lax.site}/auth/demo/callback/?code=a&state=b")
    expect(page.get_by_role("heading", level=1)).to_contain_text("couldn’t sign you in")
    check_page(page, "error")


def csp_violations(page: Page) -> list[str]:
    """Gathers what the browser says about our own policy (there is to be nothing)."""
    found: list[str] = []
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if "Content Security Policy" in message.text
            else None
        ),
    )
    return found

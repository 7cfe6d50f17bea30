"""Our pages in the admin, and the way in when no provider answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import LOOKS, SCREENSHOTS, WCAG, check_page, settle

ROOT = Path(__file__).parents[2]
# A month as months are: busy days, quiet ones, and a bad one.
A_MONTH = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from oauth_login.models import GrantedRight, Identity, LoginEvent

alice = get_user_model().objects.get(username="alice")
now, rows = timezone.now(), []
for day in range(1, 30):
    for number in range(day * 7 % 11 + 1):
        outcome = "failed" if number % 5 == 4 else "login"
        outcome = "linked" if day % 10 == 3 and number == 1 else outcome
        rows.append(
            LoginEvent(
                outcome=outcome,
                code="token.status" if outcome == "failed" else "",
                provider="demo",
                user=None if outcome == "failed" else alice,
                reference=f"{day:04}-{number:04}",
                client="Firefox on Windows",
                created_at=now - timedelta(days=day, minutes=number),
            )
        )
LoginEvent.objects.bulk_create(rows)
"""


def run(*arguments: str) -> str:
    """A command on the demo's site, which has its settings in DEMO_STATE_DIR."""
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "pkce_project.settings"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def signed_in(page: Page, lax: Demo) -> Page:
    """Alice, in the admin."""
    page.goto(f"{lax.site}/auth/demo/login/?next=/admin/")
    log_in_at_provider(page, "alice", lax.password)
    expect(page).to_have_url(f"{lax.site}/admin/")
    return page


def test_login_events_are_a_list_and_a_chart(signed_in: Page, lax: Demo) -> None:
    run("shell", "-v0", "-c", A_MONTH)
    page = signed_in
    page.goto(f"{lax.site}/admin/oauth_login/loginevent/")
    chart = page.get_by_role("img", name="Sign-ins per day")
    expect(chart).to_be_visible()
    expect(page.get_by_role("heading", name="successful")).to_contain_text("failed")
    check_page(page, "admin_events")
    page.set_viewport_size({"width": 1100, "height": 760})
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # a literal
        settle(page)
        page.screenshot(path=SCREENSHOTS / f"admin_events_top_{scheme}.png")

    page.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("row", name="Day Signed in")).to_be_visible()
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(page.get_by_role("heading", name="0 successful")).to_be_visible()

    page.emulate_media(forced_colors="active")
    # axe does not know what colours are forced upon: this one is for looking at.
    chart.screenshot(path=SCREENSHOTS / "admin_events_forced.png")
    page.emulate_media(forced_colors="none")
    page.get_by_role("link", name="0001-").first.or_(
        page.locator("#result_list tbody a").first
    ).click()
    check_page(page, "admin_event")


def test_a_users_page_explains_itself(signed_in: Page, lax: Demo) -> None:
    page = signed_in
    page.goto(f"{lax.site}/admin/auth/user/")
    page.get_by_role("link", name="alice", exact=True).click()
    panel = page.locator("#oauth-login-identities")
    expect(panel).to_contain_text("groups=admins, since")
    # The rest of that page is Django's own.
    for look, (scheme, width) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # a literal
        page.set_viewport_size({"width": width, "height": 760})
        settle(page)
        panel.screenshot(path=SCREENSHOTS / f"admin_user_panel_{look}.png")
        results = Axe().run(page, context="#oauth-login-identities", options=WCAG)
        assert results.violations_count == 0, results.generate_report()
    page.emulate_media(color_scheme=None)
    page.set_viewport_size({"width": 900, "height": 760})

    panel.get_by_role("link").first.click()
    expect(page.get_by_text("View identity")).to_be_visible()
    check_page(page, "admin_identity")
    page.get_by_role("link", name="Disconnect").click()
    expect(page.get_by_role("button", name="Yes, disconnect it")).to_be_visible()
    check_page(page, "admin_unlink")


def test_a_session_is_ended_from_the_admin(
    signed_in: Page, lax: Demo, browser: Browser
) -> None:
    elsewhere = browser.new_context().new_page()
    elsewhere.goto(f"{lax.site}/auth/demo/login/?next=/reports/")
    log_in_at_provider(elsewhere, "dave", lax.password)
    expect(elsewhere).to_have_url(f"{lax.site}/reports/")

    page = signed_in
    page.goto(f"{lax.site}/admin/oauth_login/loginsession/?q=dave")
    check_page(page, "admin_sessions")
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("button", name="End this session")).to_be_visible()
    check_page(page, "admin_session")
    page.go_back()
    # With the keyboard alone.
    page.locator("tbody input.action-select").first.focus()
    page.keyboard.press("Space")
    page.get_by_label("Action:").select_option("end_selected")
    page.get_by_role("button", name="Run").or_(
        page.get_by_role("button", name="Go")
    ).press("Enter")
    expect(page.get_by_text("1 session was ended.")).to_be_visible()

    elsewhere.goto(f"{lax.site}/reports/")
    expect(elsewhere.get_by_role("link", name="Continue with Demo SSO")).to_be_visible()
    elsewhere.context.close()


def test_an_emergency_link_leads_in_once(
    page: Page, lax: Demo, signed_in: Page
) -> None:
    # T130
    signed_in.context.clear_cookies()
    link = run("oauth_login_breakglass", "alice", "--base-url", lax.site)
    page.goto(link)
    check_page(page, "breakglass")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{lax.site}/admin/")

    page.goto(link)
    expect(page.get_by_role("heading", name="No access")).to_be_visible()


def test_identities_are_a_list(signed_in: Page, lax: Demo) -> None:
    signed_in.goto(f"{lax.site}/admin/oauth_login/identity/")
    check_page(signed_in, "admin_identities")

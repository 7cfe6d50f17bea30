"""Connecting an account at a provider and taking it away, under a strict policy."""

from __future__ import annotations

import os
import subprocess
import sys

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page
from tests.e2e.test_clicks import csp_violations

PASSWORD = "a-password-of-this-test-alone"


def test_whoever_has_a_password_connects_and_disconnects(page: Page, lax: Demo) -> None:
    # T103, T104
    create_root()
    violations = csp_violations(page)
    page.goto(f"{lax.site}/admin/login/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{lax.site}/auth/account/")
    check_page(page, "account_unconnected")
    page.get_by_role("button", name="Connect Demo SSO").focus()
    page.keyboard.press("Enter")
    log_in_at_provider(page, "carol", lax.password)

    expect(page).to_have_url(f"{lax.site}/auth/account/")
    expect(page.get_by_role("status")).to_have_text(
        "Demo SSO was connected to your account."
    )
    check_page(page, "account_connected")
    page.get_by_role("link", name="Disconnect Demo SSO").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Disconnect Demo SSO?")
    check_page(page, "disconnect")
    page.get_by_role("link", name="Keep Demo SSO").click()
    page.get_by_role("link", name="Disconnect Demo SSO").click()
    page.get_by_role("button", name="Disconnect Demo SSO").click()
    expect(page.get_by_role("status")).to_have_text(
        "Demo SSO was disconnected from your account."
    )
    assert violations == []


def test_an_identity_of_somebody_else_is_a_page_with_a_way_back(
    page: Page, lax: Demo
) -> None:
    # T103
    page.goto(f"{lax.site}/auth/demo/login/")
    log_in_at_provider(page, "bob", lax.password)
    page.context.clear_cookies()
    page.goto(f"{lax.site}/admin/login/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{lax.site}/auth/account/")
    page.get_by_role("button", name="Connect Demo SSO").click()
    log_in_at_provider(page, "bob", lax.password)

    expect(page.get_by_role("heading", level=1)).to_have_text("Account not connected")
    check_page(page, "connect_refused")
    page.get_by_role("link", name="Back to your account").click()
    expect(page).to_have_url(f"{lax.site}/auth/account/")


def test_whoever_signed_in_long_ago_is_asked_to_do_it_again(
    page: Page, lax: Demo
) -> None:
    # T103
    page.goto(f"{lax.site}/admin/login/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    manage("shell", "-c", AGE_SESSIONS)
    page.goto(f"{lax.site}/auth/account/")
    page.get_by_role("button", name="Connect Demo SSO").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Please sign in again")
    check_page(page, "sign_in_again")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in again").click()
    # What was begun is not forgotten.
    expect(page.get_by_text("/auth/account/connect/demo/")).to_be_visible()


AGE_SESSIONS = """
from django.contrib.sessions.models import Session
from oauth_login.sessions.facts import SIGNED_IN_AT_KEY

for row in Session.objects.all():
    kept = row.get_decoded()
    row.session_data = Session.objects.encode({**kept, SIGNED_IN_AT_KEY: 1})
    row.save()
"""


def create_root() -> None:
    """A user of the demo's own, who has never been at the provider."""
    manage("createsuperuser", "--noinput", "--username=root", "--email=r@r.example")


def manage(*command: str) -> None:
    """One of the running demo's own commands."""
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pkce_project.settings",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "manage.py", *command], env=variables, check=True
    )

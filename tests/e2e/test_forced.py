"""An admin that no password leads into."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page
from tests.e2e.test_admin import run

# A user who signed in with a password elsewhere on the site.
A_PASSWORD_SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import get_user_model

user = get_user_model().objects.create_superuser("root", password="pw")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session["_auth_user_id"] = str(user.pk)
session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
session["_auth_user_hash"] = user.get_session_auth_hash()
session.save()
print(session.session_key)
"""


def test_the_buttons_are_all_there_is(page: Page, forced: Demo) -> None:
    # T130
    page.goto(f"{forced.site}/admin/login/?local=1")
    expect(page.get_by_label("Password")).to_have_count(0)
    check_page(page, "admin_login_forced")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "alice", forced.password)

    expect(page.get_by_text("Site administration")).to_be_visible()


def test_a_password_from_elsewhere_is_not_enough(page: Page, forced: Demo) -> None:
    # T130
    key = run("shell", "-v0", "-c", A_PASSWORD_SESSION)
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": forced.site}])
    page.goto(f"{forced.site}/admin/auth/user/")

    expect(page.get_by_role("heading", level=1)).to_contain_text("One more step")
    check_page(page, "denied_provider_required")
    page.get_by_role("link", name="Continue with Demo SSO").click()
    log_in_at_provider(page, "alice", forced.password)
    expect(page).to_have_url(f"{forced.site}/admin/auth/user/")

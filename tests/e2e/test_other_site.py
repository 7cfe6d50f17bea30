"""The provider on another site than this one, in a real browser: what cookies do.

This site is `localhost`, the provider 127.0.0.1: two sites to a browser, and both of
them loopback, where http will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from oauth_login.testing import FakeProvider, serve
from oauth_login.testing.site import private_caches

SAMESITE = ["Lax", "Strict"]
# A page at the provider's that sends people to `url`: at a click, by a form, or not
# asking any provider.
PORTAL = """<!doctype html><title>Portal</title>
<a href="{url}">Open the app</a>
<form method="post" action="{action}">{fields}<button>Post</button></form>"""
BY_ITSELF = """<!doctype html><title>Portal</title>
<meta http-equiv="refresh" content="0; url={url}">"""


@contextmanager
def portal(pages: dict[str, str]) -> Iterator[str]:
    """Pages of another site, on 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with serve(FakeProvider()) as served:
        yield served


@pytest.fixture(params=SAMESITE)
def site(
    request: pytest.FixtureRequest,
    provider: FakeProvider,
    settings: Settings,
    transactional_db: None,
    live_server: LiveServer,
) -> str:
    """This site's address, with the session's cookie as the parameter says."""
    settings.CACHES = private_caches()
    settings.SESSION_COOKIE_SAMESITE = request.param
    settings.CSRF_COOKIE_SAMESITE = request.param
    configure(settings, provider)
    return f"http://localhost:{live_server.thread.port}"


def configure(settings: Settings, provider: FakeProvider, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {
        "ALLOW_HTTP_LOOPBACK": True,
        "PROVIDERS": {
            "corp": {
                "LABEL": "Corp SSO",
                "ISSUER": provider.issuer,
                "CLIENT_ID": provider.client_id,
                "CLIENT_SECRET": provider.client_secret,
                **keys,
            }
        },
    }


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_login_needs_no_cookie_that_others_may_send(
    page: Page,
    site: str,
    provider: FakeProvider,
    settings: Settings,
    context: BrowserContext,
    mode: str,
) -> None:
    # T12; pains 21
    configure(settings, provider, RESPONSE_MODE=mode)

    page.goto(f"{site}/private/")
    page.get_by_role("link", name="Continue with Corp SSO").click()

    expect(page).to_have_url(f"{site}/private/")
    expect(page.locator("body")).to_have_text("private: alice")
    assert provider.requests["token"] == 1
    (cookie,) = [c for c in context.cookies(site) if c["name"] == "sessionid"]
    assert cookie["sameSite"] == settings.SESSION_COOKIE_SAMESITE


def test_the_form_comes_without_cookies_and_is_carried_on(
    page: Page, site: str, provider: FakeProvider, settings: Settings
) -> None:
    # T12: what our own tests assume of browsers, said by one
    configure(settings, provider, RESPONSE_MODE="form_post")
    seen: list[tuple[str, bool]] = []
    page.on(
        "request",
        lambda sent: (
            seen.append((sent.method, "sessionid" in cookies_of(sent)))
            if "/auth/corp/callback/" in sent.url
            else None
        ),
    )

    page.goto(f"{site}/auth/corp/login/?next=/private/")
    expect(page).to_have_url(f"{site}/private/")

    lax = [("POST", False), ("GET", True)]
    strict = [("POST", False), ("GET", False), ("GET", True)]
    assert seen == (lax if settings.SESSION_COOKIE_SAMESITE == "Lax" else strict)


def test_a_refusal_by_form_is_a_page(
    page: Page, site: str, provider: FakeProvider, settings: Settings
) -> None:
    # T39; pains 50
    configure(settings, provider, RESPONSE_MODE="form_post")

    with provider.fault("denied"):
        page.goto(f"{site}/auth/corp/login/?next=/private/")
        expect(page.get_by_role("alert").get_by_role("heading")).to_have_text(
            "Sign-in not completed"
        )


@pytest.mark.parametrize("how", ["link", "form"])
def test_a_portal_begins_a_login_at_a_click(
    page: Page,
    site: str,
    provider: FakeProvider,
    settings: Settings,
    how: str,
) -> None:
    # T12, T25; OpenID Connect Core 4
    configure(settings, provider, INITIATE_LOGIN=True, RESPONSE_MODE="form_post")
    with portal(portal_pages(site, provider)) as elsewhere:
        page.goto(f"{elsewhere}/")
        role, name = ("link", "Open the app") if how == "link" else ("button", "Post")
        page.get_by_role(role, name=name).click()  # type: ignore[arg-type] # literals

        expect(page).to_have_url(f"{site}/private/")
        expect(page.locator("body")).to_have_text("private: alice")
        session = session_of(page.context, site)
        logins = provider.requests["token"]

        # Again: a signed-in user stays so, in the same session.
        page.goto(f"{elsewhere}/")
        page.get_by_role(role, name=name).click()  # type: ignore[arg-type] # literals
        expect(page).to_have_url(f"{site}/private/")

    assert session_of(page.context, site) == session
    assert provider.requests["token"] == logins == 1


def test_a_page_that_sends_people_by_itself_logs_nobody_in(
    page: Page, site: str, provider: FakeProvider, settings: Settings
) -> None:
    # T02, T25
    configure(settings, provider, INITIATE_LOGIN=True)
    with portal(portal_pages(site, provider)) as elsewhere:
        page.goto(f"{elsewhere}/by-itself")
        expect(page).to_have_url(f"{site}/auth/login/?next=%2Fprivate%2F")
        assert provider.requests["authorize"] == 0

        # One button goes on, and it still leads where it should.
        page.get_by_role("link", name="Continue with Corp SSO").click()
        expect(page).to_have_url(f"{site}/private/")


def portal_pages(site: str, provider: FakeProvider) -> dict[str, str]:
    said = {"iss": provider.issuer, "target_link_uri": f"{site}/private/"}
    action = f"{site}/auth/corp/initiate/"
    url = f"{action}?{urlencode(said)}"
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in said.items()
    )
    return {
        "/": PORTAL.format(url=url, action=action, fields=fields),
        "/by-itself": BY_ITSELF.format(url=url),
    }


def session_of(context: BrowserContext, site: str) -> str:
    (value,) = [c["value"] for c in context.cookies(site) if c["name"] == "sessionid"]
    return value


def cookies_of(request: Any) -> str:
    return str(request.all_headers().get("cookie", ""))

"""The demo's two processes, and a browser in front of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pkce_project import demo

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]


@dataclass(frozen=True)
class Demo:
    """Where the running demo is, and how to log in there."""

    site: str
    provider: str
    password: str


@contextmanager
def running_demo(state: Path, **extra: str) -> Iterator[Demo]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(demo, "STATE_DIR", state)
        patch.setenv("DEMO_STATE_DIR", str(state))
        variables = {**demo.prepare(), **extra}
        for settings in ("pkce_project.provider.settings", "pkce_project.settings"):
            stack.enter_context(demo.process(settings, variables))
        site, provider = variables["SITE_URL"], variables["PROVIDER_ISSUER"]
        demo.wait_for(f"{provider}/.well-known/openid-configuration")
        demo.wait_for(f"{site}/")
        yield Demo(site, provider, variables["DEMO_PASSWORD"])


@pytest.fixture(scope="module")
def lax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A new demo as it is."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def by_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A new demo whose provider is that of all users at example.test."""
    state = tmp_path_factory.mktemp("address")
    with running_demo(state, OAUTH_LOGIN_DOMAINS="example.test") as running:
        yield running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A new demo with SESSION_COOKIE_SAMESITE = "Strict"."""
    state = tmp_path_factory.mktemp("strict")
    with running_demo(state, SESSION_COOKIE_SAMESITE="Strict") as running:
        yield running


@pytest.fixture(scope="module")
def forced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A new demo with ADMIN_LOCAL_LOGIN = False."""
    state = tmp_path_factory.mktemp("forced")
    with running_demo(state, OAUTH_LOGIN_ADMIN_LOCAL_LOGIN="False") as running:
        yield running


@pytest.fixture(autouse=True, scope="session")
def _django_beside_playwright() -> Iterator[None]:
    # Playwright has a loop in this thread, in which the database is only made and
    # cleared: a site has threads, or a process, of its own.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    fresh = browser.new_context(viewport={"width": 900, "height": 760})
    fresh.set_default_timeout(10_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def log_in_at_provider(
    page: Page, person: str, password: str, *, allow: bool = True
) -> None:
    """Fill in the provider's forms; the consent comes at the first login only."""
    page.get_by_label("Username").fill(person)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    consent = page.get_by_role("button", name="Allow" if allow else "Cancel")
    if "/authorize/" in page.url and consent.count():
        consent.click()

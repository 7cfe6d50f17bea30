"""A provider on another site than the app: 127.0.0.1 and localhost, to a browser."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from oauth_login.testing import FakeProvider, serve
from pkce_project import demo

SETTINGS = "tests.e2e.form_post_site"


@dataclass(frozen=True)
class Site:
    """The running app, its provider, and what each of its requests brought along."""

    url: str
    provider: FakeProvider
    witness: Path

    def seen(self, method: str, path: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.witness.read_text().splitlines()]
        return [s for s in lines if (s["method"], s["path"]) == (method, path)]

    def forget(self) -> None:
        self.witness.write_text("")


@contextmanager
def running_site(state: Path, samesite: str, response_mode: str) -> Iterator[Site]:
    with serve(FakeProvider(asks_who=True, client_id="demo-site")) as provider:
        address = f"localhost:{demo.free_port(8400)}"
        variables = {
            "DEMO_STATE_DIR": str(state),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "DEBUG": "True",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SESSION_COOKIE_SAMESITE": samesite,
            "RESPONSE_MODE": response_mode,
            "OAUTH_LOGIN_PROVIDERS": "demo",
            "OAUTH_LOGIN_DEMO_LABEL": "Demo SSO",
            "OAUTH_LOGIN_DEMO_ISSUER": provider.issuer,
            "OAUTH_LOGIN_DEMO_CLIENT_ID": provider.client_id,
            "OAUTH_LOGIN_DEMO_CLIENT_SECRET": provider.client_secret,
        }
        (state / "requests.jsonl").touch()
        demo.run(["-m", "django", "migrate", "--verbosity=0"], SETTINGS, variables)
        with (
            (state / "site.log").open("w") as log,
            subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "django", "runserver", "--noreload", address],
                cwd=demo.BASE_DIR,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as server,
        ):
            try:
                demo.wait_for(f"http://{address}/")
                yield Site(f"http://{address}", provider, state / "requests.jsonl")
            finally:
                server.terminate()


def portal(page: Page, site: Site, method: str, action: str, **fields: str) -> None:
    """Open a page of the provider's site that leads to the app, by link or by form."""
    url = f"{site.provider.issuer}/portal"
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    body = (
        "<!doctype html><title>Portal</title>"
        f'<form method="{method}" action="{escape(site.url + action)}">{inputs}'
        "<button>Open the app</button></form>"
    )
    page.route(url, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(url)

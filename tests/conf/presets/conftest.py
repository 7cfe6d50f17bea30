"""A site with one provider: as its preset has it, or with other settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import responses
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.errors import OAuthLoginError
from oauth_login.signals import login_failed, login_succeeded
from oauth_login.testing.site import private_caches
from tests.conf.presets.vendor import Vendor

FORM = "application/x-www-form-urlencoded"
ANY_URL = re.compile(r"^https?://.*$")


class Site:
    """A site whose only provider is `vendor`, and a browser."""

    def __init__(self, vendor: Vendor, settings: Settings) -> None:
        self.vendor = vendor
        self.browser = Client()
        self._settings = settings
        # Of the last login's error; empty if it went well. Not from the rows: of equal
        # failures within a minute there is one.
        self.code = ""
        # Kept by this object alone: Django refers to receivers weakly.
        login_failed.connect(self._failed)
        login_succeeded.connect(self._succeeded)
        self.set()

    def _failed(self, error: OAuthLoginError, **kwargs: Any) -> None:
        self.code = error.code

    def _succeeded(self, **kwargs: Any) -> None:
        self.code = ""

    def set(self, **changes: Any) -> None:
        """The fixture's settings, but for `changes`."""
        entry = {**self.vendor.settings, **changes}
        self._settings.OAUTH_LOGIN = {"PROVIDERS": {self.vendor.name: entry}}

    def begin(self, **query: str) -> str:
        """Start a login; where the browser is sent."""
        path = f"/auth/{self.vendor.name}/login/"
        response = self.browser.get(path, query, secure=True)
        return str(response.get("Location", ""))

    def log_in(self, **extra: str) -> Any:
        """A whole login; the last response. `extra` is in what the browser brings."""
        url = self.begin()
        if not url.startswith(self.vendor.endpoints["authorization_endpoint"]):
            return None
        return self.come_back(self.vendor.authorize(url) | extra)

    def come_back(self, params: dict[str, str]) -> Any:
        path = f"/auth/{self.vendor.name}/callback/"
        if self.vendor.sent.get("response_mode") != "form_post":
            return self.browser.get(path, params, secure=True)
        # T12: from another site, so without any cookie.
        form = urlencode(params)
        posted = Client().post(path, form, content_type=FORM, secure=True)
        assert posted.status_code == 303
        return self.browser.get(posted["Location"], secure=True)

    def claims(self, **changes: Any) -> None:
        """Other claims in the ID token from now on; None takes one out."""

        def change(claims: dict[str, Any]) -> None:
            claims |= changes
            for name in [name for name, value in claims.items() if value is None]:
                del claims[name]

        self.vendor.id_token_claims = change

    @property
    def user(self) -> Any:
        """The only user there is; None if there is none."""
        return get_user_model().objects.first()


@pytest.fixture
def site_of(settings: Settings) -> Iterator[Callable[..., Site]]:
    """`site_of("google", LEEWAY=0)`: a site with that vendor as its provider."""
    settings.CACHES = private_caches()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def make(name: str, **changes: Any) -> Site:
            vendor = Vendor(name)
            mock.reset()
            for method in ("GET", "POST"):
                mock.add_callback(
                    method, ANY_URL, callback=vendor.answer, content_type=None
                )
            site = Site(vendor, settings)
            if changes:
                site.set(**changes)
            return site

        yield make

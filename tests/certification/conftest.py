"""A relying party: this site, a provider as the suite's, and a browser between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity, LoginEvent
from oauth_login.testing import (
    FakeProvider,
    answer_over_responses,
    follow,
    initiate_login,
    log_in,
)
from oauth_login.testing.faults.fault import Fault
from oauth_login.testing.site import private_caches

ISSUER = "https://id.example.com"


@dataclass
class RelyingParty:
    """What the suite looks at, and more: a refusal is a page, not only a silence."""

    provider: FakeProvider
    client: Client
    caplog: pytest.LogCaptureFixture
    settings: Settings

    def configure(self, **keys: Any) -> None:
        """Other keys for this provider in OAUTH_LOGIN."""
        entry = self.settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
        self.settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, **keys}}}

    def fault(self, name: str) -> AbstractContextManager[Fault]:
        return self.provider.fault(name)

    def log_in(self, **options: Any) -> Any:
        """A whole login of alice, as far as it gets."""
        return log_in(self.client, self.provider, next="/private/", **options)

    def log_in_elsewhere(self) -> None:
        """Another user's login, so that documents are known already."""
        log_in(Client(), self.provider, person="bob")
        self.provider.requests.clear()

    def initiate(self, **options: Any) -> Any:
        return initiate_login(self.client, self.provider, **options)

    def begin(self) -> str:
        """Where the browser is sent to log in."""
        begun = self.client.get("/auth/corp/login/?next=/private/", secure=True)
        return str(begun["Location"])

    def back_from(self, url: str) -> Any:
        return follow(self.client, self.provider.authorize(url))

    def asked(self) -> dict[str, str]:
        """The parameters of a new authorization request."""
        query = parse_qs(urlsplit(self.begin()).query)
        return {name: values[0] for name, values in query.items()}

    def sent(self, document: str) -> dict[str, str]:
        """The form of the last request for that document, with its headers."""
        (*_, last) = [r for r in self.provider.request_log if r.document == document]
        return {**last.headers, **dict(parse_qsl(last.body.decode()))}

    def assert_logged_in(self, response: Any, subject: str = "alice-0001") -> None:
        assert (response.status_code, response["Location"]) == (302, "/private/")
        assert self.client.get("/private/").status_code == 200
        assert Identity.objects.filter(issuer=ISSUER, subject=subject).count() == 1

    def assert_refused(
        self,
        response: Any,
        code: str,
        *,
        status: int = 502,
        detail: Mapping[str, Any] | None = None,
        token_requests: int = 1,
        userinfo_requests: int = 0,
    ) -> None:
        """A page of ours, one record with the reason, and nothing else anywhere."""
        assert response.status_code == status
        page = response.content.decode()
        # The page of a cancelled login has the record's reference alone.
        assert code in page or LoginEvent.objects.latest("pk").reference in page
        assert "Traceback" not in page
        # No user is logged in, and no user was created.
        assert "_auth_user_id" not in self.client.session
        assert self.client.get("/private/").status_code == 302
        assert not Identity.objects.filter(subject="alice-0001").exists()
        assert get_user_model().objects.count() == Identity.objects.count()
        # What the suite judges: there is no further request.
        asked = self.provider.requests
        assert (asked["token"], asked["userinfo"]) == (
            token_requests,
            userinfo_requests,
        )
        (record,) = [
            r
            for r in self.caplog.records
            if getattr(r, "oauth_login_event", "login") != "login"
        ]
        assert record.oauth_login_code == code
        assert record.oauth_login_provider == "corp"
        assert record.oauth_login_reference in page
        told = {name: record.oauth_login_detail[name] for name in detail or {}}
        assert told == dict(detail or {})
        self.assert_nothing_secret(page)

    def assert_nothing_secret(self, page: str) -> None:
        secrets = {self.provider.client_secret, *self.provider.access_tokens}
        for request in self.provider.request_log:
            if request.document == "token":
                form = dict(parse_qsl(request.body.decode()))
                secrets |= {form["code"], form["code_verifier"]}
        for text in (page, self.caplog.text):
            assert not {secret for secret in secrets if secret in text}
            assert not re.search(r"eyJ[A-Za-z0-9_-]{20,}", text)  # a token


@pytest.fixture
def response_mode() -> str | None:
    """A profile that is about another mode has a fixture of its own."""
    return None


@pytest.fixture
def provider_options() -> dict[str, Any]:
    """Options of the FakeProvider; tests parametrize it."""
    return {}


@pytest.fixture
def rp(
    client: Client,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    response_mode: str | None,
    provider_options: dict[str, Any],
) -> Iterator[RelyingParty]:
    """Userinfo is always asked for here, so that its absence says something."""
    settings.CACHES = private_caches()
    # RFC 8705 5: aliases are for clients with a certificate, and for no others.
    provider = FakeProvider(
        ISSUER, mtls_base="https://mtls.example.com", **provider_options
    )
    party = RelyingParty(provider, client, caplog, settings)
    party.configure(USERINFO="always", RESPONSE_MODE=response_mode)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        answer_over_responses(provider, mock)
        yield party

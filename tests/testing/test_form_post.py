"""The provider for tests answers by a form, too (OAuth 2.0 Form Post Response Mode)."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth_login.testing import FakeProvider
from tests.testing.test_fake_provider import (
    CALLBACK,
    authorization_url,
    location_of,
    metadata,
)


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


def fields_of(page: str) -> list[tuple[str, str]]:
    inputs = re.findall(r'<input type="hidden" name="(.*?)" value="(.*?)">', page)
    return [(html.unescape(name), html.unescape(value)) for name, value in inputs]


def test_both_modes_are_announced(provider: FakeProvider) -> None:
    assert metadata(provider)["response_modes_supported"] == ["query", "form_post"]


def test_the_page_is_a_form_to_the_redirect_uri(provider: FakeProvider) -> None:
    url = authorization_url(provider, response_mode="form_post", state='"><b>')

    status, headers, body = provider.handle("GET", url)

    page = body.decode()
    assert status == 200
    assert f'<form method="post" action="{CALLBACK}">' in page
    fields = dict(fields_of(page))
    assert fields.keys() == {"code", "iss", "state"}
    assert (fields["iss"], fields["state"]) == (provider.issuer, '"><b>')
    assert "<b>" not in page
    # The one script that runs is the one that submits it.
    (script,) = re.findall(r"<script>(.*?)</script>", page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in headers["Content-Security-Policy"]


def test_without_a_browser_the_fields_are_what_it_would_post(
    provider: FakeProvider,
) -> None:
    url = authorization_url(provider, response_mode="form_post")

    callback = provider.authorize(url)

    assert callback == CALLBACK
    assert callback.form is not None
    assert [name for name, _ in callback.form] == ["code", "iss", "state"]


def test_a_repeated_parameter_is_posted_twice(provider: FakeProvider) -> None:
    url = authorization_url(provider, response_mode="form_post")

    with provider.fault("callback.duplicate_parameter"):
        form = provider.authorize(url).form
        page = provider.handle("GET", url).body.decode()

    assert [name for name, _ in form or ()].count("code") == 2
    assert [name for name, _ in fields_of(page)].count("code") == 2


def test_errors_are_posted_too(provider: FakeProvider) -> None:
    url = authorization_url(provider, response_mode="form_post", refused="1")

    fields = dict(fields_of(provider.handle("GET", url).body.decode()))

    assert fields["error"] == "access_denied"
    assert "code" not in fields


@pytest.mark.parametrize("mode", [{}, {"response_mode": "query"}])
def test_else_it_is_a_redirect(provider: FakeProvider, mode: dict[str, str]) -> None:
    url = authorization_url(provider, **mode)

    assert "code" in location_of(provider.handle("GET", url))[1]
    callback = provider.authorize(url)
    assert callback.form is None
    assert "code" in dict(parse_qsl(urlsplit(callback).query))


def test_another_mode_is_refused(provider: FakeProvider) -> None:
    url = authorization_url(provider, response_mode="fragment")

    assert location_of(provider.handle("GET", url))[1]["error"] == "invalid_request"

"""Where a provider sends people back to, and where a login ends."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

BEGIN = "/auth/corp/login/"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "t1.localhost:8000", "a.b.localhost"]
)
def test_a_login_starts_at_every_name_of_this_machine(
    client: Client, settings: Settings, oauth_provider: FakeProvider, host: str
) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    response = client.get(BEGIN, headers={"Host": host})

    assert response.status_code == 302
    sent = parse_qs(urlsplit(response["Location"]).query)
    assert sent["redirect_uri"] == [f"http://{host}/auth/corp/callback/"]


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "notlocalhost", "app.example.com"]
)
def test_no_login_starts_without_tls_elsewhere(
    client: Client, settings: Settings, oauth_provider: FakeProvider, host: str
) -> None:
    # T21
    settings.ALLOWED_HOSTS = [host]
    response = client.get(BEGIN, headers={"Host": host})

    assert response.status_code == 500
    assert b"config.insecure_redirect_uri" in response.content


def test_base_url_may_be_a_name_of_this_machine_in_development(
    client: Client, settings: Settings, oauth_provider: FakeProvider
) -> None:
    settings.ALLOWED_HOSTS = [".localhost"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "ALLOW_HTTP_LOOPBACK": True,
        "BASE_URL": "http://t1.localhost:8000",
    }
    response = client.get(BEGIN, headers={"Host": "t1.localhost:8000"})

    sent = parse_qs(urlsplit(response["Location"]).query)
    assert sent["redirect_uri"] == ["http://t1.localhost:8000/auth/corp/callback/"]

"""The test kit over a real socket, with our real transport at the other end."""

from __future__ import annotations

import subprocess
import sys
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from oauth_login.testing import FakeProvider, serve

pytestmark = pytest.mark.django_db


def site_at(provider: FakeProvider, settings: Settings) -> None:
    cache.clear()
    settings.OAUTH_LOGIN = {
        "ALLOW_HTTP_LOOPBACK": True,
        "TIMEOUT": 1,
        "PROVIDERS": {
            "corp": {
                "ISSUER": provider.issuer,
                "CLIENT_ID": provider.client_id,
                "CLIENT_SECRET": provider.client_secret,
            }
        },
    }


def log_in_over_sockets(client: Client, person: str) -> Any:
    begun = client.get("/auth/corp/login/?next=/private/", secure=True)
    url = f"{begun['Location']}&login_hint={person}"
    sent = requests.get(url, allow_redirects=False, timeout=5)
    return client.get(sent.headers["Location"], secure=True)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES512", "EdDSA"])
def test_a_login_over_sockets(client: Client, settings: Settings, alg: str) -> None:
    with serve(FakeProvider(alg=alg)) as provider:
        site_at(provider, settings)
        response = log_in_over_sockets(client, "bob")

    assert response["Location"] == "/private/"
    user = get_user_model().objects.get()
    assert user.email == "bob@example.test"


def test_a_provider_that_does_not_answer_is_a_page_in_time(
    client: Client, settings: Settings
) -> None:
    # T51, T129; pains 32
    with serve(FakeProvider()) as provider:
        site_at(provider, settings)
        with provider.fault("slow"):
            response = log_in_over_sockets(client, "alice")
        assert response.status_code == 503
        assert b"transport.timeout" in response.content
        assert client.get("/home/").status_code == 200


def test_it_is_served_on_loopback_alone_and_can_be_clicked_through() -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-u", "-m", "oauth_login.testing", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        issuer = process.stdout.readline().split()[1]
        try:
            assert issuer.startswith("http://127.0.0.1:")
            document = requests.get(
                urljoin(issuer, "/.well-known/openid-configuration"), timeout=5
            ).json()
            assert document["issuer"] == issuer
        finally:
            process.terminate()

"""What the settings of a site make of the transport, over real sockets."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from oauth_login.registry import get_provider
from tests.provider.test_provider import NOW
from tests.provider.transport.certificates import Authority, server_context
from tests.provider.transport.proxies import proxying
from tests.provider.transport.servers import Server, answer, serving

BEGIN = "/auth/corp/login/"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    cache.clear()
    return Authority(tmp_path)


def discovery(handler: BaseHTTPRequestHandler, server: Server) -> None:
    issuer = f"https://localhost:{server.port}"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
    }
    answer(handler, json.dumps(document).encode(), Content_Type="application/json")


def site(settings: Settings, server: Server, **keys: Any) -> None:
    entry = {
        "ISSUER": f"https://localhost:{server.port}",
        "CLIENT_ID": "site",
        "CLIENT_SECRET": "canary",
    }
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, **keys}}}


@pytest.mark.django_db
def test_a_login_starts_behind_a_private_authority_a_proxy_and_our_certificate(
    client: Client, settings: Settings, authority: Authority
) -> None:
    # T44, T46; pains 32
    tls = server_context(authority.issue("localhost"), clients_of=authority)
    with (
        serving(discovery, tls=tls, name="localhost") as server,
        proxying() as proxy,
    ):
        site(
            settings,
            server,
            CA_BUNDLE=authority.path,
            PROXIES={"https": proxy.url},
            CLIENT_CERT=authority.issue("site"),
        )
        response = client.get(BEGIN, secure=True)
        assert response["Location"].startswith(f"{server.url}/authorize?")
        assert len(proxy.seen) == len(server.seen) == 1
        assert server.seen[0].peer["subject"] == ((("commonName", "site"),),)


@pytest.mark.django_db
def test_a_certificate_that_went_away_is_a_page_and_a_record(
    client: Client,
    settings: Settings,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tls = server_context(authority.issue("localhost"))
    certificate, key = authority.issue("site")
    with serving(discovery, tls=tls, name="localhost") as server:
        site(
            settings,
            server,
            CA_BUNDLE=str(authority.path),
            CLIENT_CERT=(str(certificate), str(key)),
        )
        get_provider("corp")
        certificate.unlink()
        response = client.get(BEGIN, secure=True)
        assert server.seen == []
    assert response.status_code == 500
    assert b"config.tls_files" in response.content
    assert b".pem" not in response.content
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert "No such file or directory" in record.getMessage()


@pytest.mark.django_db
def test_an_untrusted_provider_is_a_page_and_a_record_that_says_why(
    client: Client,
    settings: Settings,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T44, T122
    tls = server_context(authority.issue("localhost", valid=False))
    with serving(discovery, tls=tls, name="localhost") as server:
        site(settings, server, CA_BUNDLE=str(authority.path))
        response = client.get(BEGIN, secure=True)
    assert response.status_code == 503
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "transport.tls"
    assert "certificate has expired" in record.getMessage()


def test_each_provider_has_a_transport_of_its_own(settings: Settings) -> None:
    # T47: connections, and with them certificates, are never another provider's.
    one, two = (
        {
            "ISSUER": f"https://{name}.example.com",
            "CLIENT_ID": "a",
            "CLIENT_SECRET": "b",
        }
        for name in ("one", "two")
    )
    settings.OAUTH_LOGIN = {"PROVIDERS": {"one": one, "two": two}}
    first, second = get_provider("one"), get_provider("two")
    assert first is get_provider("one")
    assert first._transport is not second._transport
    assert first._transport._adapter is not second._transport._adapter


def test_the_other_name_of_a_provider_is_where_this_server_asks(
    settings: Settings,
) -> None:
    # T49: BACKEND_BASE_URL alone may lie inside
    cache.clear()
    with serving(discovery) as server:
        site(settings, server, BACKEND_BASE_URL=server.url)
        settings.OAUTH_LOGIN["PROVIDERS"]["corp"]["ISSUER"] = (
            f"https://localhost:{server.port}"
        )
        metadata = get_provider("corp").metadata(now=NOW)
        assert metadata.token_endpoint == f"https://localhost:{server.port}/token"
        assert len(server.seen) == 1

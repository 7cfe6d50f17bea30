"""Every endpoint over a real socket: where a redirect leads, nothing ever goes."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.authorization import (
    AuthorizationCode,
    parse_authorization_response,
)
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import MetadataSource
from oauth_login.protocol.token import TokenResponse
from oauth_login.provider.provider import Provider
from tests.provider.test_provider import NOW, MemoryCache
from tests.provider.transport.servers import Server, answer, serving, transport

PATHS = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/jwks",
    "token": "/token",
    "userinfo": "/userinfo",
    "emails": "/emails",
}


def ask(document: str, provider: Provider) -> None:
    metadata = provider.metadata(now=NOW)
    if document == "token":
        provider.redeem(
            code(provider),
            metadata=metadata,
            code_verifier="v" * 43,
            redirect_uri="https://a/",
            now=NOW,
        )
    elif document == "jwks":
        provider.validate(
            TokenResponse(access_token="at", expires_in=None, id_token=ID_TOKEN),
            code=code(provider),
            metadata=metadata,
            expected_nonce="n",
            now=NOW,
        )
    elif document == "userinfo":
        provider.fetch_userinfo(
            "the-access-token", metadata=metadata, expected_subject="s", now=NOW
        )
    elif document == "emails":
        provider.with_verified_email({}, "the-access-token", metadata=metadata)


# {"alg": "RS256"}.{}.
ID_TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30." + "A" * 342


def code(provider: Provider) -> AuthorizationCode:
    return parse_authorization_response(
        [("code", "the-code"), ("state", "s")],
        expected_state="s",
        client=provider.client,
        metadata=provider.metadata(now=NOW),
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("document", PATHS)
def test_no_endpoint_redirects_us(document: str, status: int) -> None:
    # T43, T48
    def handle(handler: BaseHTTPRequestHandler, server: Server) -> None:
        if handler.path == PATHS[document]:
            location = other.url + handler.path
            answer(handler, b"", status, Location=location, Refresh=f"0;{location}")
        else:
            body = json.dumps({"issuer": server.url, **metadata(server)}).encode()
            answer(handler, body, Content_Type="application/json")

    with serving(lambda h, s: answer(h)) as other, serving(handle) as server:
        provider = provider_at(server)
        with pytest.raises(InvalidProviderResponse) as caught:
            ask(document, provider)
        expected = "userinfo" if document == "emails" else document
        assert caught.value.code == f"{expected}.unexpected_status"
        assert caught.value.detail["received"] == status
        assert other.connections == 0
        asked = [handler.path for handler in server.seen]
        assert asked.count(PATHS[document]) == 1


def metadata(server: Server) -> dict[str, Any]:
    return {
        "authorization_endpoint": f"{server.url}/authorize",
        "token_endpoint": f"{server.url}/token",
        "jwks_uri": f"{server.url}/jwks",
        "userinfo_endpoint": f"{server.url}/userinfo",
        "emails_endpoint": f"{server.url}/emails",
    }


def provider_at(server: Server) -> Provider:
    return Provider(
        alias="corp",
        source=MetadataSource(issuer=server.url, allow_http_loopback=True),
        client=Client(client_id="site", client_secret="canary"),
        transport=transport(),
        cache=MemoryCache(),
    )


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", None),
        ("application/json; charset=utf-8", None),
        ("APPLICATION/JSON", None),
        ("application/problem+json", None),
        ("text/html", "discovery.content_type"),
        ("text/plain", "discovery.content_type"),
        ("text/javascript", "discovery.content_type"),
        ("application/javascript", "discovery.content_type"),
        ("application/jsonp", "discovery.content_type"),
        ("multipart/json", "discovery.content_type"),
        ("", "discovery.content_type"),
        ("application/json, text/html", "discovery.content_type"),
    ],
)
def test_only_what_calls_itself_json_is_read_as_json(
    content_type: str, code: str | None
) -> None:
    # T52
    def handle(handler: BaseHTTPRequestHandler, server: Server) -> None:
        body = json.dumps({"issuer": server.url, **metadata(server)}).encode()
        answer(handler, body, Content_Type=content_type)

    with serving(handle) as server:
        provider = provider_at(server)
        if code is None:
            assert provider.metadata(now=NOW).issuer == server.url
        else:
            with pytest.raises(InvalidProviderResponse) as caught:
                provider.metadata(now=NOW)
            assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        '{"access_token": "a"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"access_token": "a"}',
        b'callback({"access_token": "a"})',
        b'[{"access_token": "a"}]',
        b'{"access_token": "\xff"}',
        b'{"access_token": "a"} {}',
        b"",
    ],
)
def test_a_token_response_is_one_json_object_in_utf_8(body: bytes) -> None:
    # T52, T53
    def handle(handler: BaseHTTPRequestHandler, server: Server) -> None:
        document = {"issuer": server.url, **metadata(server)}
        is_token = handler.path == "/token"
        answer(
            handler,
            body if is_token else json.dumps(document).encode(),
            Content_Type="application/json",
        )

    with serving(handle) as server:
        provider = provider_at(server)
        with pytest.raises(InvalidProviderResponse) as caught:
            ask("token", provider)
        assert caught.value.code == "token.not_json"
        # The code is spent, whatever came: it is not sent twice (T129).
        assert [h.path for h in server.seen].count("/token") == 1

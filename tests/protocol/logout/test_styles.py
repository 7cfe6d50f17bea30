"""Logging out at providers that want to be asked in their own way."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.logout.rp_initiated import end_session_url

OUT = "https://app.example.com/auth/logged-out/"
END = "https://id.example.com/end"
STANDARD = {"client_id": "site", "post_logout_redirect_uri": OUT, "state": "S"}


def url_of(style: str, *, end: str | None = END, **options: Any) -> str | None:
    metadata = ServerMetadata(
        issuer="https://id.example.com/",
        authorization_endpoint="https://id.example.com/authorize",
        token_endpoint="https://id.example.com/token",
        end_session_endpoint=end,
    )
    return end_session_url(
        metadata,
        client=Client(client_id="site", deviations=Deviations(logout_style=style)),
        post_logout_redirect_uri=OUT,
        state="S",
        **options,
    )


def query_of(url: str | None) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(url)).query, strict_parsing=True))


@pytest.mark.parametrize(
    ("style", "query"),
    [
        ("standard", STANDARD),
        ("cognito", {"client_id": "site", "logout_uri": OUT}),
        ("auth0", STANDARD),
    ],
)
def test_an_announced_endpoint_is_asked_in_that_style(
    style: str, query: dict[str, str]
) -> None:
    # pains 12
    assert str(url_of(style)).startswith(f"{END}?")
    assert query_of(url_of(style)) == query


def test_what_a_provider_refuses_is_never_sent() -> None:
    # T110
    assert "id_token_hint" not in query_of(url_of("cognito", id_token_hint="h"))
    unannounced = url_of("auth0", end=None, id_token_hint="h")
    assert "id_token_hint" not in query_of(unannounced)
    assert query_of(url_of("auth0", id_token_hint="h"))["id_token_hint"] == "h"


def test_auth0_has_an_endpoint_that_it_does_not_announce() -> None:
    url = url_of("auth0", end=None)
    assert str(url).startswith("https://id.example.com/v2/logout?")
    assert query_of(url) == {"client_id": "site", "returnTo": OUT}


@pytest.mark.parametrize("style", ["standard", "cognito", "hint_required"])
def test_nobody_is_sent_where_there_is_no_endpoint(style: str) -> None:
    assert url_of(style, end=None, id_token_hint="h") is None


@pytest.mark.parametrize(
    ("hint", "sent"), [(None, False), ("", False), ("h" * 5000, False), ("h", True)]
)
def test_nobody_is_sent_without_a_hint_where_it_is_required(
    hint: str | None, sent: bool
) -> None:
    # T110
    url = url_of("hint_required", id_token_hint=hint)
    assert (url is not None) is sent
    if sent:
        assert query_of(url) == {**STANDARD, "id_token_hint": "h"}

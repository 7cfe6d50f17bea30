"""Token requests and responses, RFC 6749 section 4.1.3 and 5."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.protocol.authorization import AuthorizationCode
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.http import ProviderRequest
from oauth_login.protocol.token import code_request, parse_token_response
from tests.protocol.answers import answer
from tests.protocol.tokens import CLIENT, ISSUER, METADATA, NOW


@pytest.mark.parametrize("pkce", [True, False])
def test_a_code_is_redeemed_with_its_verifier(pkce: bool) -> None:
    client = Client(client_id="site", deviations=Deviations(without_pkce=not pkce))
    request = code_request(
        AuthorizationCode("C"),
        code_verifier="V",
        redirect_uri="https://app.example.com/cb",
        client=client,
        metadata=METADATA,
        now=NOW,
    )
    assert request == ProviderRequest(
        "POST",
        f"{ISSUER}/token",
        "token",
        {"Accept": "application/json"},
        {
            "grant_type": "authorization_code",
            "code": "C",
            "redirect_uri": "https://app.example.com/cb",
            "client_id": "site",
            **({"code_verifier": "V"} if pkce else {}),
        },
    )


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (0, 0),
        (1, 1),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (-1, None),
        ("0", 0),
        ("999999999", 999999999),
        ("1000000000", None),
        (True, None),
        (1.5, None),
        (None, None),
    ],
)
def test_a_lifetime_is_a_number_of_seconds_or_unknown(
    expires_in: Any, seconds: int | None
) -> None:
    document = {"access_token": "a", "token_type": "Bearer", "id_token": "x"}
    response = answer({**document, "expires_in": expires_in})
    tokens = parse_token_response(response, client=CLIENT, metadata=METADATA)
    assert tokens.expires_in == seconds
    assert type(tokens.expires_in) is type(seconds)


@pytest.mark.parametrize("id_token", ["x", 1, None])
def test_an_id_token_that_nobody_asked_for_is_not_looked_at(id_token: Any) -> None:
    document = {"access_token": "a", "token_type": "Bearer", "id_token": id_token}
    client = Client(client_id="site", scope="user")
    tokens = parse_token_response(answer(document), client=client, metadata=METADATA)
    assert tokens.id_token is None

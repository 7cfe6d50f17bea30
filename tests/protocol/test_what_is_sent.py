"""Requests, whole: where they go, what they are called, and what they say."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode

import pytest

from oauth_login.protocol.authorization import AuthorizationCode
from oauth_login.protocol.client.authentication import authentication_method
from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.client.pkce import code_challenge
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import ProviderRequest
from oauth_login.protocol.jose.jwks import jwks_request
from oauth_login.protocol.logout.rp_initiated import MAX_URL, end_session_url
from oauth_login.protocol.token import code_request
from oauth_login.protocol.userinfo import emails_request, userinfo_request
from tests.protocol.tokens import ISSUER, METADATA, NOW


def test_keys_are_asked_for_as_json() -> None:
    assert jwks_request(f"{ISSUER}/jwks") == ProviderRequest(
        "GET", f"{ISSUER}/jwks", "jwks", {"Accept": "application/json"}
    )


def test_userinfo_is_asked_for_with_the_access_token_in_a_header() -> None:
    expected = ProviderRequest(
        "GET",
        f"{ISSUER}/userinfo",
        "userinfo",
        {
            "Authorization": "Bearer access",
            "Accept": "application/json, application/jwt",
        },
    )
    assert userinfo_request("access", userinfo_endpoint=expected.url) == expected
    assert emails_request("access", emails_endpoint=expected.url) == expected


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


def test_a_challenge_loses_its_padding_and_nothing_else() -> None:
    # RFC 7636 4.2: also where the last letter is an X or a -.
    ends = set()
    for number in range(2000):
        verifier = f"{number:043}"
        challenge = code_challenge(verifier)
        digest = urlsafe_b64decode(challenge + "=")
        assert digest == hashlib.sha256(verifier.encode()).digest()
        assert len(challenge) == 43
        ends.add(challenge[-1])
    assert {"A", "E", "U", "0", "8"} <= ends  # 32 bytes leave two bits free


@pytest.mark.parametrize(("spare", "hinted"), [(0, True), (-1, False)])
def test_a_hint_goes_along_as_far_as_it_fits(spare: int, hinted: bool) -> None:
    # T110
    metadata = ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="",
        token_endpoint="",
        end_session_endpoint=f"{ISSUER}/logout",
    )

    def url(hint: str | None) -> str:
        found = end_session_url(
            metadata,
            client=Client(client_id="site"),
            post_logout_redirect_uri="https://app.example.com/out",
            state="S",
            id_token_hint=hint,
        )
        return str(found)

    without = url(None)
    assert without == (
        f"{ISSUER}/logout?client_id=site"
        "&post_logout_redirect_uri=https%3A%2F%2Fapp.example.com%2Fout&state=S"
    )
    hint = "h" * (MAX_URL - len(without) - len("&id_token_hint=") - spare)
    assert url(hint) == (f"{without}&id_token_hint={hint}" if hinted else without)


def test_a_text_that_is_no_key_is_refused_and_the_error_says_why() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_client_key("no key")
    assert str(caught.value) == "not a private key in PEM without a password"


def test_a_method_that_the_settings_name_is_the_one() -> None:
    client = Client(client_id="site", token_endpoint_auth_method="none")
    assert authentication_method(client, METADATA) == "none"

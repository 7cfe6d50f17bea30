"""What we send: PKCE, the authorization request, who we are, logging out."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    InvalidProviderResponse,
    OAuthLoginError,
    ProviderRefused,
)
from oauth_login.protocol.authorization import (
    AuthorizationCode,
    authorization_parameters,
    authorization_url,
    parse_authorization_response,
)
from oauth_login.protocol.client.pkce import code_challenge, new_code_verifier
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import MAX_BODY, ProviderResponse
from oauth_login.protocol.logout.rp_initiated import end_session_url
from oauth_login.protocol.token import code_request, parse_token_response
from oauth_login.testing.faults.fault import with_members

NOW = 1_900_000_000
CLIENT = Client(client_id="site", client_secret="secret")
PLAIN = Client(client_id="site", client_secret="secret", scope="user")
METADATA = ServerMetadata(
    issuer="https://id.example.com",
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
)


def parameters(**changes: Any) -> dict[str, str | tuple[str, ...]]:
    given = {
        "client": CLIENT,
        "metadata": METADATA,
        "state": "S",
        "nonce": "N",
        "code_challenge": "C",
        "redirect_uri": "https://app.example.com/cb",
    }
    return authorization_parameters(**{**given, **changes})


def with_metadata(**changes: Any) -> ServerMetadata:
    given = {name: getattr(METADATA, name) for name in METADATA.__slots__}
    return ServerMetadata(**{**given, **changes})


def test_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_are_long_and_never_the_same() -> None:
    # T31
    verifiers = {new_code_verifier() for _ in range(100)}
    assert {len(verifier) for verifier in verifiers} == {86}
    assert len(verifiers) == 100


@pytest.mark.parametrize("supported", [(), ("none",)])
def test_pkce_is_s256_whatever_the_provider_says(supported: tuple[str, ...]) -> None:
    # T30; pains 35
    sent = parameters(
        metadata=with_metadata(token_endpoint_auth_methods_supported=supported)
    )
    assert (sent["code_challenge_method"], sent["code_challenge"]) == ("S256", "C")


def test_the_request_has_no_secret_and_no_verifier() -> None:
    # T19
    assert "secret" not in str(parameters())
    assert "code_verifier" not in parameters()


def test_plain_oauth_has_no_nonce() -> None:
    assert "nonce" not in parameters(client=Client(client_id="a", scope="user"))
    assert parameters()["nonce"] == "N"


@pytest.mark.parametrize(
    ("switch", "supported", "sent"),
    [
        (False, (), None),
        (True, (), "login"),
        (True, ("login", "select_account"), "select_account"),
    ],
)
def test_switching_accounts_asks_for_what_the_provider_knows(
    switch: bool, supported: tuple[str, ...], sent: str | None
) -> None:
    metadata = with_metadata(prompt_values_supported=supported)
    given = parameters(metadata=metadata, switch_account=switch)
    assert given.get("prompt") == sent


@pytest.mark.parametrize(
    ("default", "wished", "sent"),
    [
        (None, None, None),
        (None, "300", "300"),
        (600, None, "600"),
        (600, "300", "300"),
        (600, "900", "600"),
    ],
)
def test_a_login_may_be_asked_to_be_younger_and_never_to_be_older(
    default: int | None, wished: str | None, sent: str | None
) -> None:
    # T17, T27
    client = Client(client_id="site", default_max_age=default)
    given = parameters(client=client, params={"max_age": wished} if wished else None)
    assert given.get("max_age") == sent


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://a.example/x", "https://a.example/x?state=S"),
        ("https://a.example/x?", "https://a.example/x?state=S"),
        ("https://a.example/x?t=1", "https://a.example/x?t=1&state=S"),
    ],
)
def test_a_query_of_the_endpoint_is_kept(endpoint: str, url: str) -> None:
    metadata = with_metadata(authorization_endpoint=endpoint)
    assert authorization_url(metadata, {"state": "S"}) == url


def test_an_endpoint_must_not_have_our_parameters_already() -> None:
    metadata = with_metadata(authorization_endpoint="https://a.example/?state=")
    with pytest.raises(InvalidProviderResponse) as caught:
        authorization_url(metadata, {"state": "S"})
    assert caught.value.code == "discovery.insecure_endpoint"


def test_basic_credentials_are_urlencoded_first() -> None:
    # T54; pains 34; RFC 6749 2.3.1
    client = Client(client_id="a:b c%", client_secret="ü:+ /&=")
    request = code_request(
        AuthorizationCode("code"),
        code_verifier="v",
        redirect_uri="r",
        client=client,
        metadata=METADATA,
        now=NOW,
    )
    scheme, _, credentials = request.headers["Authorization"].partition(" ")
    user, _, password = base64.b64decode(credentials).decode().partition(":")

    assert scheme == "Basic"
    assert (unquote_plus(user), unquote_plus(password)) == ("a:b c%", "ü:+ /&=")
    assert request.form is not None
    assert not {"client_id", "client_secret"} & request.form.keys()
    assert "code" not in repr(request).replace("code_", "")


@pytest.mark.parametrize(
    ("method", "secret", "supported", "basic", "posted"),
    [
        ("auto", "s", ("client_secret_basic",), True, set()),
        ("auto", "s", ("client_secret_post",), False, {"client_id", "client_secret"}),
        ("auto", "s", ("client_secret_post", "client_secret_basic"), True, set()),
        ("auto", "", ("client_secret_basic",), False, {"client_id"}),
        ("none", "", (), False, {"client_id"}),
        ("client_secret_post", "s", (), False, {"client_id", "client_secret"}),
        ("client_secret_basic", "s", (), True, set()),
    ],
)
def test_exactly_one_method_says_who_we_are(
    method: str, secret: str, supported: tuple[str, ...], basic: bool, posted: set[str]
) -> None:
    # T54; pains 33
    request = code_request(
        AuthorizationCode("code"),
        code_verifier="v",
        redirect_uri="r",
        client=Client(
            client_id="a", client_secret=secret, token_endpoint_auth_method=method
        ),
        metadata=with_metadata(token_endpoint_auth_methods_supported=supported),
        now=NOW,
    )
    assert ("Authorization" in request.headers) is basic
    assert request.form is not None
    assert {"client_id", "client_secret"} & request.form.keys() == posted


def test_methods_that_we_do_not_have_are_our_problem() -> None:
    metadata = with_metadata(token_endpoint_auth_methods_supported=("tls_client_auth",))
    with pytest.raises(ConfigurationError) as caught:
        code_request(
            AuthorizationCode("c"),
            code_verifier="v",
            redirect_uri="r",
            client=CLIENT,
            metadata=metadata,
            now=NOW,
        )
    assert caught.value.code == "config.client_auth"


GOOD = {"access_token": "a", "token_type": "Bearer", "id_token": "i.d.t"}


@pytest.mark.parametrize(
    ("changes", "expires_in"),
    [
        ({}, None),
        ({"token_type": "bearer"}, None),
        ({"expires_in": 3600}, 3600),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": True}, None),
        ({"expires_in": -1}, None),
        ({"expires_in": "soon"}, None),
        ({"scope": "openid admin"}, None),  # T18: no code reads it
        ({"refresh_token": "r"}, None),
    ],
)
def test_a_token_response_that_is_whole_is_taken(
    changes: dict[str, Any], expires_in: int | None
) -> None:
    # T53
    tokens = parse({**GOOD, **changes})
    assert (tokens.access_token, tokens.expires_in) == ("a", expires_in)
    assert "i.d.t" not in repr(tokens)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"access_token": ["a"]}, "token.invalid_member"),
        ({"access_token": 0}, "token.invalid_member"),
        ({"access_token": False}, "token.invalid_member"),
        ({"access_token": {"a": 1}}, "token.invalid_member"),
        ({"access_token": "a\n"}, "token.invalid_member"),
        ({"token_type": None}, "token.token_type"),
        ({"token_type": "DPoP"}, "token.token_type"),
        ({"id_token": None}, "token.id_token_missing"),
        ({"id_token": ""}, "token.id_token_missing"),
        ({"id_token": 1}, "token.invalid_member"),
        ({"error": "invalid_grant"}, "token.refused"),
        ({"error": "bad_verification_code"}, "token.refused"),
        ({"error": "invalid_code"}, "token.refused"),
        ({"error": "invalid_client"}, "config.client_refused"),
        ({"error": "unauthorized_client"}, "config.client_refused"),
        ({"error": "incorrect_client_credentials"}, "config.client_refused"),
        ({"error": "bad_client_secret"}, "config.client_refused"),
        ({"error": "invalid_scope"}, "token.error"),
        ({"error": False}, "token.error"),
        ({"error": 0}, "token.error"),
        ({"error": ["invalid_grant"]}, "token.error"),
        ({"error": {"invalid_client": 1}}, "token.error"),
    ],
)
def test_a_token_response_that_is_not_whole_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    # T53; pains 50
    with pytest.raises(OAuthLoginError) as caught:
        parse({**GOOD, **changes})
    assert caught.value.code == code


@pytest.mark.parametrize("absent", [..., None, ""])
def test_an_id_token_may_come_alone(absent: object) -> None:
    tokens = parse(with_members(access_token=absent)(GOOD))
    assert (tokens.access_token, tokens.id_token) == (None, "i.d.t")
    # Without an access token, its type means nothing.
    assert parse(with_members(access_token=absent, token_type=...)(GOOD)) == tokens
    # Plain OAuth 2.0 has nothing else.
    with pytest.raises(OAuthLoginError) as caught:
        parse(with_members(access_token=absent)(GOOD), client=PLAIN)
    assert caught.value.code == "token.invalid_member"


@pytest.mark.parametrize("absent", [None, "", [], {}])
def test_an_empty_member_of_a_token_response_says_nothing(absent: object) -> None:
    changes = {"error": absent, "expires_in": absent, "scope": absent}
    assert parse({**GOOD, **changes}) == parse(GOOD)
    for name in ("token_type", "id_token"):
        with pytest.raises(OAuthLoginError):
            parse({**GOOD, name: absent})


def test_an_access_token_is_as_long_as_the_response_may_be() -> None:
    longest = "a" * (MAX_BODY - len(json.dumps({**GOOD, "access_token": ""})))
    assert parse({**GOOD, "access_token": longest}).access_token == longest
    with pytest.raises(OAuthLoginError) as caught:
        parse({**GOOD, "access_token": longest + "a"})
    assert caught.value.code == "token.too_large"


def test_a_refused_client_is_told_what_was_tried() -> None:
    # pains 33, 34
    with pytest.raises(ConfigurationError) as caught:
        parse(
            {"error": "invalid_client"},
            status=401,
            client=Client(client_id="a", client_secret="s+/"),
        )
    assert caught.value.detail["method"] == "client_secret_basic"
    assert caught.value.detail["secret_has_special_characters"] is True
    assert "s+/" not in str(caught.value.detail)


def test_an_error_may_say_no_more() -> None:
    with pytest.raises(ProviderRefused):
        parse({"error": "invalid_grant"}, status=400)


def test_the_state_of_another_login_is_refused() -> None:
    with pytest.raises(InvalidCallback) as caught:
        parse_authorization_response(
            [("code", "c"), ("state", "a" * 20)],
            expected_state="b" * 20,
            client=CLIENT,
            metadata=METADATA,
        )
    assert caught.value.code == "callback.state_mismatch"


@pytest.mark.parametrize("iss", [[], [("iss", METADATA.issuer)]])
def test_extra_parameters_are_tolerated(iss: list[tuple[str, str]]) -> None:
    # pains 50
    code = parse_authorization_response(
        [
            ("code", "c"),
            ("state", "a"),
            ("session_state", "x"),
            ("authuser", "0"),
            *iss,
        ],
        expected_state="a",
        client=CLIENT,
        metadata=METADATA,
    )
    assert code.value == "c"
    assert "c" not in repr(code).replace("AuthorizationCode", "")


def test_logging_out_names_us_and_where_to_come_back() -> None:
    # T110
    assert logout_url(METADATA) is None
    url = logout_url(with_metadata(end_session_endpoint="https://id.example.com/end"))
    assert url is not None
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["site"],
        "post_logout_redirect_uri": ["https://app.example.com/out"],
        "state": ["S"],
    }
    with_query = with_metadata(end_session_endpoint="https://id.example.com/end?p=1")
    assert "?p=1&client_id=site" in str(logout_url(with_query))


@pytest.mark.parametrize(("length", "hinted"), [(10, True), (5000, False)])
def test_a_hint_that_is_too_long_is_left_out(length: int, hinted: bool) -> None:
    # T110
    metadata = with_metadata(end_session_endpoint="https://id.example.com/end")
    url = logout_url(metadata, id_token_hint="h" * length)
    assert ("id_token_hint" in str(url)) is hinted


def logout_url(metadata: ServerMetadata, **options: Any) -> str | None:
    return end_session_url(
        metadata,
        client=CLIENT,
        post_logout_redirect_uri="https://app.example.com/out",
        state="S",
        **options,
    )


def parse(
    document: dict[str, Any], *, status: int = 200, client: Client = CLIENT
) -> Any:
    body = json.dumps(document).encode()
    response = ProviderResponse(status, {"content-type": "application/json"}, body)
    return parse_token_response(response, client=client, metadata=METADATA)

"""Signed userinfo, and the documents of providers that keep to themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oauth_login.errors import OAuthLoginError
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    parse_metadata,
)
from oauth_login.protocol.http import (
    MAX_USERINFO_BODY,
    ProviderRequest,
    ProviderResponse,
)
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.userinfo import (
    emails_request,
    parse_emails_response,
    parse_userinfo_response,
    userinfo_request,
)
from tests.protocol.answers import Row, refusal
from tests.protocol.test_id_token import hmac_client, hmac_token
from tests.protocol.tokens import (
    CLIENT,
    ISSUER,
    METADATA,
    NOW,
    changed,
    context_of,
    finder,
    sign,
)

CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": "site", "sub": "alice", "name": "A"}


def outcome(token: str, **options: Any) -> str:
    """The name, or the code of the error."""
    response = ProviderResponse(
        200, {"content-type": "application/jwt"}, token.encode()
    )
    try:
        claims = parse_userinfo_response(
            response, context_of(options), expected_subject="alice", **options
        )
    except OAuthLoginError as error:
        return error.code
    return str(claims["name"])


def announcing(**changes: Any) -> ServerMetadata:
    return parse_metadata(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/a",
            "token_endpoint": f"{ISSUER}/t",
            **changes,
        },
        MetadataSource(issuer=ISSUER),
    )


@pytest.mark.parametrize(
    ("for_id_tokens", "for_userinfo", "by", "result"),
    [
        # What the provider says of userinfo counts, not what it says of ID tokens.
        (["RS256"], ["ES256"], "ES256", "A"),
        (["RS256"], ["ES256"], "RS256", "userinfo.alg_not_allowed"),
        (["RS256"], ["ES256", "none"], "ES256", "A"),
        (["RS256"], ["none"], "RS256", "config.signing_algs"),
        (["RS256"], [], "RS256", "A"),
        # It need not say anything (Discovery 3).
        (["RS256"], None, "RS256", "A"),
        (["RS256"], None, "ES256", "userinfo.alg_not_allowed"),
        (None, None, "RS256", "A"),
        (None, None, "ES256", "userinfo.alg_not_allowed"),
    ],
)
def test_userinfo_has_algorithms_of_its_own(
    for_id_tokens: list[str] | None,
    for_userinfo: list[str] | None,
    by: str,
    result: str,
) -> None:
    # T63, T64
    metadata = announcing(
        id_token_signing_alg_values_supported=for_id_tokens,
        userinfo_signing_alg_values_supported=for_userinfo,
    )
    assert outcome(sign(CLAIMS, by=by), metadata=metadata) == result


def test_what_is_announced_of_userinfo_never_widens_our_own_list() -> None:
    # T64, T65, T66
    metadata = announcing(userinfo_signing_alg_values_supported=["HS256", "ES256"])
    client = replace(CLIENT, client_secret="s" * 32)
    token = hmac_token(b"s" * 32, CLAIMS)
    assert outcome(token, metadata=metadata, client=client) == (
        "userinfo.alg_not_allowed"
    )
    assert outcome(token, metadata=metadata, client=hmac_client()) == "A"


@pytest.mark.parametrize("value", ["ES256", [1], {}, {"ES256": 1}])
def test_algorithms_of_another_type_say_nothing(value: object) -> None:
    metadata = announcing(userinfo_signing_alg_values_supported=value)
    assert outcome(sign(CLAIMS, by="RS256"), metadata=metadata) == "A"
    token = sign(CLAIMS, by="ES256")
    assert outcome(token, metadata=metadata) == "userinfo.alg_not_allowed"


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"exp": NOW - 59}, "A"),
        ({"exp": NOW - 60}, "userinfo.expired"),
        ({"exp": "tomorrow"}, "userinfo.exp_invalid"),
        ({"exp": ""}, "userinfo.exp_invalid"),
        ({"exp": None}, "A"),
        ({"events": None, "nbf": None, "azp": None}, "A"),
        ({"sub": None}, "userinfo.sub_missing"),
        ({"sub": ""}, "userinfo.sub_missing"),
        ({"exp": 10**400}, "userinfo.exp_invalid"),
        # T77
        ({"events": {}}, "userinfo.typ"),
        ({"aud": ["other", "site"]}, "A"),
        ({"aud": ...}, "userinfo.aud_mismatch"),
        ({"iss": ...}, "userinfo.iss_mismatch"),
        ({"sub": "bob"}, "userinfo.sub_mismatch"),
        ({"sub": ...}, "userinfo.sub_missing"),
    ],
)
def test_signed_userinfo_is_judged_as_a_token(
    changes: dict[str, Any], result: str
) -> None:
    # T61, T63, T77
    claims = {n: v for n, v in {**CLAIMS, **changes}.items() if v is not ...}
    assert outcome(sign(claims)) == result


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt"])
def test_userinfo_is_no_other_token(typ: str) -> None:
    # T63, T77
    assert outcome(sign(CLAIMS, typ=typ)) == "userinfo.typ"


def test_white_space_around_a_signed_body_is_not_part_of_it() -> None:
    assert outcome(f"\n{sign(CLAIMS)}\r\n") == "A"


# --- addresses that are kept apart

GOOD = {"email": "alice@example.com", "primary": True, "verified": True}
BITBUCKET = {"email": "alice@example.com", "is_primary": True, "is_confirmed": True}


def emails(document: object, status: int = 200) -> dict[str, Any] | str:
    body = json.dumps(document).encode()
    response = ProviderResponse(status, {"content-type": "application/json"}, body)
    try:
        return parse_emails_response(response)
    except OAuthLoginError as error:
        return error.code


@pytest.mark.parametrize(
    ("document", "email"),
    [
        ([GOOD], "alice@example.com"),
        ([{**GOOD, "primary": False, "email": "a@b.example"}, GOOD], GOOD["email"]),
        ([{**GOOD, "verified": False}], None),
        ([{**GOOD, "verified": "true"}], None),
        ([{**GOOD, "verified": 1}], None),
        ([{**GOOD, "primary": "true"}], None),
        ([{**GOOD, "email": 5}], None),
        ([{"email": "alice@example.com"}], None),
        (["alice@example.com", None, []], None),
        ({"values": []}, None),
        ({"values": [GOOD]}, "alice@example.com"),
        ({"values": [BITBUCKET]}, "alice@example.com"),
        ([BITBUCKET], "alice@example.com"),
        ([{**BITBUCKET, "is_confirmed": False}], None),
        ([{**BITBUCKET, "is_primary": False}], None),
        # Half of each says nothing.
        ([{"email": "a@a.example", "primary": True, "is_confirmed": True}], None),
        ([{"email": "a@a.example", "is_primary": True, "verified": True}], None),
        ([], None),
    ],
)
def test_only_an_address_that_is_primary_and_verified_counts(
    document: object, email: str | None
) -> None:
    # T90, T94
    expected = {} if email is None else {"email": email, "email_verified": True}
    assert emails(document) == expected


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"email": "a@a.example"}, 200, "userinfo.not_json"),
        ({"values": {"email": "a@a.example"}}, 200, "userinfo.not_json"),
        ({"values": None}, 200, "userinfo.not_json"),
        ("a", 200, "userinfo.not_json"),
        ([GOOD], 401, "userinfo.refused"),
        ([GOOD], 403, "userinfo.refused"),
        ([GOOD], 404, "userinfo.unexpected_status"),
        ([GOOD], 500, "userinfo.status"),
    ],
)
def test_addresses_that_cannot_be_had_are_an_error(
    document: object, status: int, code: str
) -> None:
    assert emails(document, status) == code


def test_addresses_are_asked_for_as_userinfo_is() -> None:
    request = emails_request("token", emails_endpoint="https://api.example/emails")
    assert (request.method, request.url) == ("GET", "https://api.example/emails")
    assert request.headers["Authorization"] == "Bearer token"
    assert "token" not in repr(request)


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


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"a" * (MAX_USERINFO_BODY + 1), {}, "userinfo.too_large"),
        (b"a", {"content-encoding": "gzip"}, "userinfo.content_encoding"),
        # A space of another kind is none that may be around a token (T75).
        ("\u00a0".encode() + sign().encode(), {}, "userinfo.malformed"),
    ],
)
def test_signed_userinfo_is_a_token_and_nothing_around_it(
    body: bytes, headers: dict[str, str], code: str
) -> None:
    headers = {"content-type": "application/jwt", **headers}
    response = ProviderResponse(200, headers, body)
    attempt = refusal(
        lambda: parse_userinfo_response(
            response,
            TokenContext(client=CLIENT, metadata=METADATA, find_keys=finder(), now=NOW),
            expected_subject="alice",
        )
    )
    assert attempt[0] == code


# --- what the log says


def signed_userinfo(**changes: Any) -> Callable[[], object]:
    body = sign(changed(**changes)).encode()
    response = ProviderResponse(200, {"content-type": "application/jwt"}, body)
    return lambda: parse_userinfo_response(
        response,
        TokenContext(client=CLIENT, metadata=METADATA, find_keys=finder(), now=NOW),
        expected_subject="alice",
    )


USERINFOS: list[Row] = [
    (signed_userinfo(events={}), "userinfo.typ", {"received": "events"}),
    (signed_userinfo(exp=NOW - 60), "userinfo.expired", {"received": NOW - 60}),
    (signed_userinfo(exp="söon"), "userinfo.exp_invalid", {"received": "s?on"}),
    (
        signed_userinfo(iss=...),
        "userinfo.iss_mismatch",
        {"expected": ISSUER, "received": "None"},
    ),
    (
        signed_userinfo(aud=1),
        "userinfo.aud_mismatch",
        {"expected": "site", "received": "1"},
    ),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), USERINFOS)
def test_the_log_says_what_was_wrong_with_signed_userinfo(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)

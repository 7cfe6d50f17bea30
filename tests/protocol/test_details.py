"""What the log gets to know: of every refusal, what was expected and what came.

Each row is one refusal, with its code and its whole `detail`. Whatever a provider or a
browser wrote is in it as printable ASCII, and no code, no token and no secret ever is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauth_login.protocol.authorization import (
    authorization_parameters,
    authorization_url,
    parse_authorization_response,
    well_formed_response,
)
from oauth_login.protocol.client.authentication import (
    authenticate,
    authentication_method,
)
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    check_usable,
    endpoint_url,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import MAX_BODY, ProviderResponse
from oauth_login.protocol.jose.jwks import parse_jwks_response
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.logout.frontchannel import parse_frontchannel_logout
from oauth_login.protocol.request_parameters import (
    expected_acr_values,
    expected_max_age,
)
from oauth_login.protocol.token import parse_token_response
from oauth_login.protocol.userinfo import parse_user_document, parse_userinfo_response
from tests.protocol.answers import Row, answer, refusal
from tests.protocol.tokens import CLIENT, ISSUER, METADATA, NOW, finder

# --- what the browser brings


def back(*params: tuple[str, str], announced: bool = False) -> Callable[[], object]:
    metadata = ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        authorization_response_iss_parameter_supported=announced,
    )
    return lambda: parse_authorization_response(
        [("state", "S"), *params],
        expected_state="S",
        client=CLIENT,
        metadata=metadata,
    )


def state(*params: tuple[str, str]) -> Callable[[], object]:
    return lambda: well_formed_response(params).state


S, C = ("state", "S"), ("code", "C")
SAID = ("error_description", "nö, not\nyou")
CALLBACK: list[Row] = [
    (
        state(S, C, S, C),
        "callback.duplicate_parameter",
        {"received": ["code", "state"]},
    ),
    (
        state(S, C, ("id_token", "x"), ("access_token", "x")),
        "callback.token_in_response",
        {"received": ["access_token", "id_token"]},
    ),
    (state(C), "callback.state_missing", {}),
    (state(("state", ""), C), "callback.state_missing", {}),
    (state(("state", "S S"), C), "callback.malformed", {"parameter": "state"}),
    (state(S), "callback.malformed", {"parameter": "code or error"}),
    (state(S, C, ("error", "e")), "callback.malformed", {"parameter": "code or error"}),
    (state(S, ("code", "")), "callback.malformed", {"parameter": "code"}),
    (state(S, ("code", "c" * 8193)), "callback.malformed", {"parameter": "code"}),
    (
        back(C, ("iss", "https://évil.example")),
        "callback.iss_mismatch",
        {"expected": ISSUER, "received": "https://?vil.example"},
    ),
    (back(C, announced=True), "callback.iss_missing", {"expected": ISSUER}),
    (
        back(("error", "access_denied"), SAID),
        "authorization.refused",
        {"received": "access_denied", "description": "n?, not?you"},
    ),
    (
        back(("error", "login_required"), SAID),
        "authorization.interaction_required",
        {"received": "login_required", "description": "n?, not?you"},
    ),
    (
        back(("error", "server_error"), SAID),
        "authorization.unavailable",
        {"received": "server_error", "description": "n?, not?you"},
    ),
    (
        back(("error", "ünknown")),
        "authorization.error",
        {"received": "?nknown", "description": ""},
    ),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), CALLBACK)
def test_the_log_says_what_was_wrong_with_a_callback(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)


def test_a_state_is_given_back_as_it_came_whatever_else_is_there() -> None:
    others = [("error_uri", "https://a.example"), ("session_state", "1"), ("x", "y")]
    assert well_formed_response([S, C, *others, ("x", "z")]).state == "S"
    assert well_formed_response([*others, ("error", "access_denied"), S]).state == "S"
    assert well_formed_response([S, ("code", "c" * 8192)]).state == "S"


def test_a_response_is_checked_once() -> None:
    response = well_formed_response([S, C])

    assert well_formed_response(response) is response
    assert well_formed_response(tuple(response)) is not response


@pytest.mark.parametrize("name", ["iss", "error", "error_description", "error_uri"])
def test_nothing_that_counts_may_be_there_twice(name: str) -> None:
    # T40
    code, detail = refusal(state(S, C, (name, "a"), (name, "b")))
    assert (code, detail) == ("callback.duplicate_parameter", {"received": [name]})


def frontchannel(*params: tuple[str, str]) -> Callable[[], object]:
    return lambda: parse_frontchannel_logout(params, client=CLIENT, metadata=METADATA)


FRONTCHANNEL: list[Row] = [
    (
        frontchannel(("iss", ISSUER), ("iss", ISSUER), ("sid", "1")),
        "callback.duplicate_parameter",
        {"received": "iss or sid"},
    ),
    (
        frontchannel(("iss", "https://évil.example"), ("sid", "1")),
        "callback.iss_mismatch",
        {"expected": ISSUER, "received": "https://?vil.example"},
    ),
    (
        frontchannel(("sid", "1")),
        "callback.iss_mismatch",
        {"expected": ISSUER, "received": ""},
    ),
    (frontchannel(("iss", ISSUER)), "callback.malformed", {"parameter": "sid"}),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), FRONTCHANNEL)
def test_the_log_says_what_was_wrong_with_a_logout_by_browser(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    # T118
    assert refusal(attempt) == (code, detail)


# --- what we were to ask for


def request(client: Client, **params: str) -> Callable[[], object]:
    return lambda: authorization_parameters(
        client=client,
        metadata=METADATA,
        state="S",
        nonce="N",
        code_challenge="C",
        redirect_uri="https://app.example.com/cb",
        params=params,
    )


def wishing(**params: str) -> Client:
    return Client(client_id="site", authorization_params=params)


METADATA_WITH_STATE = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize?state=1",
    token_endpoint=f"{ISSUER}/token",
)
OTHER = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    token_endpoint_auth_methods_supported=("other",),
    token_endpoint_auth_signing_alg_values_supported=("RS256",),
)
ESSENTIAL = '{"id_token": {"acr": {"essential": true, "values": ["gold"]}}}'
UNANSWERABLE = '{"id_token": {"acr": {"essential": true, "values": [1]}}}'
REQUESTS: list[Row] = [
    (
        request(CLIENT, state="x", nonce="y"),
        "config.auth_params",
        {"received": ["nonce", "state"]},
    ),
    (request(wishing(prompt="none")), "config.auth_params", {"received": ["prompt"]}),
    (
        lambda: expected_max_age({"max_age": "soon"}),
        "config.auth_params",
        {"received": "max_age"},
    ),
    (
        lambda: expected_acr_values({"acr_values": "a b", "claims": ESSENTIAL}),
        "config.auth_params",
        {"expected": ("gold",), "received": ("a", "b")},
    ),
    (
        lambda: expected_acr_values({"claims": "{"}),
        "config.auth_params",
        {"received": "claims"},
    ),
    (
        lambda: expected_acr_values({"claims": UNANSWERABLE}),
        "config.auth_params",
        {"received": "claims"},
    ),
    (
        lambda: authorization_url(METADATA_WITH_STATE, {"state": "S"}),
        "discovery.insecure_endpoint",
        {"member": "authorization_endpoint"},
    ),
    (
        lambda: authentication_method(Client(client_id="a", client_secret="b"), OTHER),
        "config.client_auth",
        {
            "expected": (
                *("client_secret_basic", "client_secret_post", "client_secret_jwt"),
            ),
            "received": ("other",),
        },
    ),
    (
        lambda: sent(method="client_secret_jwt", secret="s" * 32),
        "config.client_auth",
        {"expected": ("HS256",), "received": ("RS256",)},
    ),
    (
        lambda: sent(method="private_key_jwt"),
        "config.client_auth",
        {"expected": "CLIENT_KEYS"},
    ),
    (
        lambda: sent(id="a:b", method="client_secret_basic", raw=True),
        "config.client_auth",
        {"expected": "no ':' in the ID"},
    ),
]


def sent(
    *, id: str = "site", method: str, secret: str = "secret", raw: bool = False
) -> object:
    client = Client(
        client_id=id,
        client_secret=secret,
        token_endpoint_auth_method=method,
        deviations=Deviations(raw_basic=raw),
    )
    return authenticate({}, client=client, metadata=OTHER, now=NOW)


@pytest.mark.parametrize(("attempt", "code", "detail"), REQUESTS)
def test_the_log_says_why_nothing_could_be_asked(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)


# --- what the provider answers

GOOD = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}


def metadata(**changes: Any) -> Callable[[], object]:
    document = {n: v for n, v in {**GOOD, **changes}.items() if v is not ...}
    return lambda: parse_metadata(document, MetadataSource(issuer=ISSUER))


def needing(name: str, **changes: Any) -> Callable[[], object]:
    """A login that needs the member."""
    source = MetadataSource(issuer=ISSUER)
    return lambda: check_usable(parse_metadata({**GOOD, **changes}, source), name)


def discovery(response: ProviderResponse) -> Callable[[], object]:
    return lambda: parse_discovery_response(response, MetadataSource(issuer=ISSUER))


def tokens(response: ProviderResponse, **client: Any) -> Callable[[], object]:
    given = Client(**{"client_id": "site", "client_secret": "a+b", **client})
    return lambda: parse_token_response(response, client=given, metadata=METADATA)


def userinfo(response: ProviderResponse) -> Callable[[], object]:
    return lambda: parse_userinfo_response(
        response,
        TokenContext(client=CLIENT, metadata=METADATA, find_keys=finder(), now=NOW),
        expected_subject="alice",
    )


def document(response: ProviderResponse) -> Callable[[], object]:
    return lambda: parse_user_document(response, subject_field="id")


TOKENS = {"access_token": "secret-access", "token_type": "Bearer", "id_token": "a.b.c"}
NO = {"error_description": "nö"}
METHOD = {
    "method": "client_secret_basic",
    "methods_supported": ("client_secret_basic",),
}
ANSWERS: list[Row] = [
    (
        metadata(issuer="https://évil.example"),
        "discovery.issuer_mismatch",
        {"expected": ISSUER, "received": "https://?vil.example"},
    ),
    (metadata(issuer=...), "discovery.invalid_member", {"member": "issuer"}),
    (
        metadata(issuer=1),
        "discovery.invalid_member",
        {"member": "issuer", "expected": "str", "received": "int"},
    ),
    (
        metadata(token_endpoint=...),
        "discovery.invalid_member",
        {"member": "token_endpoint"},
    ),
    (
        metadata(authorization_endpoint=""),
        "discovery.invalid_member",
        {"member": "authorization_endpoint"},
    ),
    (
        needing("prompt_values_supported", prompt_values_supported=["login", 1]),
        "discovery.invalid_member",
        {"member": "prompt_values_supported"},
    ),
    (
        needing("jwks_uri", jwks_uri=["a"]),
        "discovery.invalid_member",
        {"member": "jwks_uri", "expected": "str", "received": "list"},
    ),
    (
        lambda: endpoint_url(METADATA, "userinfo_endpoint"),
        "discovery.invalid_member",
        {"member": "userinfo_endpoint"},
    ),
    (
        needing("jwks_uri", jwks_uri="http://évil.example"),
        "discovery.insecure_endpoint",
        {"member": "jwks_uri", "received": "http://?vil.example"},
    ),
    (
        needing(
            "mtls_endpoint_aliases.token_endpoint",
            mtls_endpoint_aliases={"token_endpoint": "http://a.example"},
        ),
        "discovery.insecure_endpoint",
        {"member": "token_endpoint", "received": "http://a.example"},
    ),
    (discovery(answer({}, 503)), "discovery.status", {"received": 503}),
    (
        discovery(answer({}, 404)),
        "discovery.unexpected_status",
        {"expected": (200,), "received": 404},
    ),
    (discovery(answer(b"{")), "discovery.not_json", {}),
    (
        discovery(answer(b" " * (MAX_BODY + 1))),
        "discovery.too_large",
        {"expected": MAX_BODY},
    ),
    (
        discovery(answer({}, content_encoding="GZÏP")),
        "discovery.content_encoding",
        {"received": "gz?p"},
    ),
    (
        discovery(answer({}, content_type="text/hTml; charset=ü")),
        "discovery.content_type",
        {"expected": "application/json", "received": "text/html"},
    ),
    (
        lambda: parse_jwks_response(answer({"keys": [1, {}, {"kty": "oct"}]})),
        "jwks.no_usable_key",
        {"received": 3},
    ),
    (lambda: parse_jwks_response(answer({"keys": {}})), "jwks.malformed", {}),
    (lambda: parse_jwks_response(answer({}, 500)), "jwks.status", {"received": 500}),
    (lambda: parse_jwks_response(answer([])), "jwks.not_json", {}),
    (
        tokens(answer({"error": "invalid_grant", **NO}, 400)),
        "token.refused",
        {"received": "invalid_grant", "description": "n?"},
    ),
    (
        tokens(answer({"error": "slow_down"}, 403)),
        "token.error",
        {"received": "slow_down", "description": ""},
    ),
    (
        tokens(answer({"error": "invalid_client", **NO}, 401)),
        "config.client_refused",
        {
            "received": "invalid_client",
            "description": "n?",
            "secret_has_special_characters": True,
            **METHOD,
        },
    ),
    (
        tokens(answer({"error": "unauthorized_client"}), client_secret="Az09._~-"),
        "config.client_refused",
        {
            "received": "unauthorized_client",
            "description": "",
            "secret_has_special_characters": False,
            **METHOD,
        },
    ),
    (
        tokens(answer({}, 404)),
        "token.unexpected_status",
        {"expected": (200, 400, 401, 403), "received": 404},
    ),
    (tokens(answer(b"{", 400)), "token.not_json", {}),
    (tokens(answer({}, 502)), "token.status", {"received": 502}),
    (
        tokens(answer({**TOKENS, "access_token": "ä"})),
        "token.invalid_member",
        {"member": "access_token"},
    ),
    (
        tokens(answer({**TOKENS, "id_token": 1})),
        "token.invalid_member",
        {"member": "id_token"},
    ),
    (
        tokens(answer({**TOKENS, "token_type": "mäc"})),
        "token.token_type",
        {"expected": "Bearer", "received": "m?c"},
    ),
    (tokens(answer({**TOKENS, "id_token": None})), "token.id_token_missing", {}),
    (
        userinfo(answer({}, 401, www_authenticate="Bearer realm=ü")),
        "userinfo.refused",
        {"received": "Bearer realm=?"},
    ),
    (document(answer({}, 403)), "userinfo.refused", {"received": ""}),
    (userinfo(answer({}, 500)), "userinfo.status", {"received": 500}),
    (userinfo(answer({"sub": ""})), "userinfo.sub_missing", {}),
    (userinfo(answer({"sub": "bob"})), "userinfo.sub_mismatch", {}),
    (userinfo(answer([])), "userinfo.not_json", {}),
    (
        document(answer({"id": [1]})),
        "userinfo.sub_missing",
        {"expected": "id", "received": "list"},
    ),
    (
        document(answer({"id": True})),
        "userinfo.sub_missing",
        {"expected": "id", "received": "bool"},
    ),
    (document(answer({}, 429)), "userinfo.status", {"received": 429}),
    (document(answer(b"[]")), "userinfo.not_json", {}),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), ANSWERS)
def test_the_log_says_what_was_wrong_with_an_answer(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)
    assert "secret-access" not in str(detail)  # T122

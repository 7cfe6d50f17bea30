"""The provider for tests refuses what a real one refuses, and says what one says."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import pytest

from oauth_login.protocol.client.pkce import code_challenge, new_code_verifier
from oauth_login.testing import FakeProvider
from oauth_login.testing.answer import Answer

CALLBACK = "https://app.example.com/auth/corp/callback/"
VERIFIER = new_code_verifier()
REQUEST = {
    "response_type": "code",
    "client_id": "site",
    "redirect_uri": CALLBACK,
    "scope": "openid profile email",
    "state": "the-state",
    "nonce": "the-nonce",
    "code_challenge": code_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


def changed(document: dict[str, str], **changes: Any) -> dict[str, str]:
    return {n: v for n, v in {**document, **changes}.items() if v is not ...}


def authorization_url(provider: FakeProvider, **changes: Any) -> str:
    query = urlencode(changed(REQUEST, **changes), doseq=True)
    return f"{provider.endpoints['authorization_endpoint']}?{query}"


def location_of(answer: Answer) -> tuple[str, dict[str, str]]:
    assert answer.status == 302
    where, _, query = answer.headers["Location"].partition("?")
    return where, dict(parse_qsl(query))


def new_code(provider: FakeProvider, **changes: Any) -> str:
    url = provider.authorize(authorization_url(provider, **changes))
    return dict(parse_qsl(urlsplit(url).query))["code"]


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def redeem(
    provider: FakeProvider,
    code: str,
    headers: dict[str, str] | None = None,
    /,
    **changes: Any,
) -> tuple[int, dict[str, Any]]:
    if headers is None:
        headers = basic(provider.client_id, provider.client_secret)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    body = urlencode(changed(form, **changes), doseq=True).encode()
    status, _, answer = provider.handle(
        "POST", provider.endpoints["token_endpoint"], headers, body
    )
    return status, json.loads(answer)


def payload(token: str) -> dict[str, Any]:
    segment = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


# --- the authorization endpoint


def test_a_person_is_sent_back_with_a_code(provider: FakeProvider) -> None:
    where, params = location_of(provider.handle("GET", authorization_url(provider)))

    assert where == CALLBACK
    assert params.keys() == {"code", "state", "iss"}
    assert (params["state"], params["iss"]) == ("the-state", provider.issuer)


def test_a_redirect_uri_keeps_its_own_query(provider: FakeProvider) -> None:
    url = authorization_url(provider, redirect_uri=CALLBACK + "?a=1")

    _, params = location_of(provider.handle("GET", url))

    assert params["a"] == "1"
    assert "code" in params


def test_an_authorization_request_can_be_a_form(provider: FakeProvider) -> None:
    # OpenID Connect Core 3.1.2.1
    url, _, query = authorization_url(provider).partition("?")

    assert location_of(provider.handle("POST", url, {}, query.encode()))[0] == CALLBACK


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"client_id": ...},
        {"redirect_uri": ...},
        {"redirect_uri": "/auth/corp/callback/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": CALLBACK + "#fragment"},
        {"state": ["one", "two"]},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_in_doubt(
    provider: FakeProvider, changes: dict[str, Any]
) -> None:
    # RFC 6749 4.1.2.1
    url = authorization_url(provider, **changes)

    answer = provider.handle("GET", url)

    assert answer.status == 400
    assert "Location" not in answer.headers
    with pytest.raises(ValueError, match="invalid_request"):
        provider.authorize(url)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ...}, "invalid_request"),
        ({"code_challenge": "A" * 42}, "invalid_request"),
        ({"code_challenge": "A" * 44}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ...}, "invalid_request"),
        ({"state": ...}, "invalid_request"),
        ({"nonce": ...}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"refused": "1"}, "access_denied"),
    ],
)
def test_other_errors_go_back_to_the_site(
    provider: FakeProvider, changes: dict[str, Any], error: str
) -> None:
    url = authorization_url(provider, **changes)

    where, params = location_of(provider.handle("GET", url))

    assert (where, params["error"], params["iss"]) == (CALLBACK, error, provider.issuer)
    assert params.get("state") == changed(REQUEST, **changes).get("state")
    assert "code" not in params


def test_who_logs_in_is_the_hint_or_the_one_at_the_browser(
    provider: FakeProvider,
) -> None:
    provider.person = "carol"
    subjects = []
    for changes in ({"login_hint": "bob"}, {"login_hint": "nobody"}, {}):
        url = authorization_url(provider, **changes)
        _, params = location_of(provider.handle("GET", url))
        _, tokens = redeem(provider, params["code"])
        subjects.append(payload(tokens["id_token"])["sub"])

    assert subjects == ["bob-0001", "carol-0001", "carol-0001"]


def test_a_page_asks_who_somebody_is(provider: FakeProvider) -> None:
    provider.asks_who = True
    provider.people = {'<b>"eve"</b>': {"sub": "eve"}}
    url = authorization_url(provider, state='"><script>alert(1)</script>')

    status, headers, body = provider.handle("GET", url)

    page = body.decode()
    assert status == 200
    assert '<html lang="en">' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<script" not in page
    assert "<b>" not in page
    assert 'value="&lt;b&gt;&quot;eve&quot;&lt;/b&gt;"' in page
    assert 'name="code_challenge"' in page

    picked = provider.handle("GET", f"{url}&person=%3Cb%3E%22eve%22%3C%2Fb%3E")
    assert "code" in location_of(picked)[1]


# --- the token endpoint


def test_a_code_is_good_for_tokens(provider: FakeProvider) -> None:
    status, tokens = redeem(provider, new_code(provider))

    assert status == 200
    assert tokens["token_type"] == "Bearer"
    claims = payload(tokens["id_token"])
    assert (claims["iss"], claims["aud"]) == (provider.issuer, "site")
    assert (claims["sub"], claims["nonce"]) == ("alice-0001", "the-nonce")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": new_code_verifier()}, "invalid_grant"),
        ({"code_verifier": ...}, "invalid_request"),
        ({"code_verifier": code_challenge(VERIFIER)}, "invalid_grant"),
        ({"code_verifier": "a" * 42}, "invalid_request"),
        ({"redirect_uri": CALLBACK + "x"}, "invalid_grant"),
        ({"redirect_uri": ...}, "invalid_grant"),
        ({"code": "another"}, "invalid_grant"),
        ({"code": ...}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ...}, "unsupported_grant_type"),
        ({"redirect_uri": [CALLBACK, CALLBACK]}, "invalid_request"),
    ],
)
def test_a_code_is_bound_to_its_request(
    provider: FakeProvider, changes: dict[str, Any], error: str
) -> None:
    status, answer = redeem(provider, new_code(provider), **changes)

    assert (status, answer["error"]) == (400, error)


def test_a_code_that_comes_twice_takes_its_tokens_along(provider: FakeProvider) -> None:
    # RFC 6749 4.1.2
    code = new_code(provider)
    _, tokens = redeem(provider, code)
    assert userinfo(provider, tokens["access_token"]).status == 200

    assert redeem(provider, code)[1]["error"] == "invalid_grant"
    assert userinfo(provider, tokens["access_token"]).status == 401


def test_a_code_is_used_up_by_a_wrong_try(provider: FakeProvider) -> None:
    code = new_code(provider)
    redeem(provider, code, code_verifier=new_code_verifier())

    assert redeem(provider, code)[1]["error"] == "invalid_grant"


SPECIAL = FakeProvider(client_id="a b:c%+/&=", client_secret="é:%+ /&=?")


@pytest.mark.parametrize(
    ("headers", "form", "expected"),
    [
        (basic(SPECIAL.client_id, SPECIAL.client_secret), {}, 200),
        (
            basic(SPECIAL.client_id, SPECIAL.client_secret),
            {"client_id": SPECIAL.client_id},
            200,
        ),
        (
            {},
            {"client_id": SPECIAL.client_id, "client_secret": SPECIAL.client_secret},
            200,
        ),
        (basic(SPECIAL.client_id, "wrong"), {}, 401),
        (basic("wrong", SPECIAL.client_secret), {}, 401),
        ({"Authorization": "Basic not-base64"}, {}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}, {}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff:x").decode()}, {}, 401),
        ({"Authorization": "Bearer x"}, {}, 401),
        ({}, {}, 401),
        ({}, {"client_id": SPECIAL.client_id}, 401),
        ({}, {"client_id": SPECIAL.client_id, "client_secret": "wrong"}, 401),
        ({}, {"client_id": SPECIAL.client_id, "client_secret": ""}, 401),
        # RFC 6749 2.3: more than one method
        (
            basic(SPECIAL.client_id, SPECIAL.client_secret),
            {"client_secret": SPECIAL.client_secret},
            400,
        ),
        (
            basic(SPECIAL.client_id, SPECIAL.client_secret),
            {"client_id": "another"},
            400,
        ),
    ],
)
def test_a_client_says_who_it_is_in_exactly_one_way(
    headers: dict[str, str], form: dict[str, str], expected: int
) -> None:
    code = new_code(SPECIAL, client_id=SPECIAL.client_id)

    status, answer = redeem(SPECIAL, code, headers, **form)

    assert status == expected
    error = {200: None, 400: "invalid_request", 401: "invalid_client"}[expected]
    assert answer.get("error") == error


def test_basic_credentials_are_form_decoded() -> None:
    # RFC 6749 2.3.1: a client that sends them as they are is another one
    raw = f"{SPECIAL.client_id}:{SPECIAL.client_secret}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(raw).decode()}
    code = new_code(SPECIAL, client_id=SPECIAL.client_id)

    assert redeem(SPECIAL, code, headers)[0] == 401


def test_only_announced_methods_are_accepted() -> None:
    provider = FakeProvider(auth_methods=["client_secret_post"])
    assert metadata(provider)["token_endpoint_auth_methods_supported"] == [
        "client_secret_post"
    ]

    assert redeem(provider, new_code(provider))[0] == 401


def test_a_client_without_a_secret_is_a_public_one() -> None:
    provider = FakeProvider(client_secret="")
    assert metadata(provider)["token_endpoint_auth_methods_supported"] == ["none"]
    code = new_code(provider)

    assert redeem(provider, code, {})[0] == 401
    assert redeem(provider, code, {}, client_id="site")[0] == 200
    code = new_code(provider)
    assert redeem(provider, code, {}, client_id="site", client_secret="")[0] == 401


# --- claims


def metadata(provider: FakeProvider) -> dict[str, Any]:
    return json.loads(provider.handle("GET", provider.endpoints["discovery_url"]).body)


def userinfo(provider: FakeProvider, token: str, scheme: str = "Bearer") -> Answer:
    headers = {"authorization": f"{scheme} {token}"}
    return provider.handle("GET", provider.endpoints["userinfo_endpoint"], headers)


@pytest.mark.parametrize("scheme", ["Basic", "", "DPoP"])
def test_userinfo_wants_a_bearer_token(provider: FakeProvider, scheme: str) -> None:
    _, tokens = redeem(provider, new_code(provider))

    assert userinfo(provider, tokens["access_token"], scheme).status == 401
    assert userinfo(provider, "another").status == 401
    assert userinfo(provider, tokens["access_token"]).status == 200


@pytest.mark.parametrize(
    ("claims_in", "in_id_token", "in_userinfo"),
    [("both", True, True), ("id_token", True, False), ("userinfo", False, True)],
)
def test_claims_are_where_they_should_be(
    claims_in: Any, in_id_token: bool, in_userinfo: bool
) -> None:
    provider = FakeProvider(claims_in=claims_in)
    _, tokens = redeem(provider, new_code(provider))
    id_token = payload(tokens["id_token"])
    document = json.loads(userinfo(provider, tokens["access_token"]).body)

    assert ("email" in id_token, "email" in document) == (in_id_token, in_userinfo)
    assert id_token["sub"] == document["sub"] == "alice-0001"


def test_a_claim_needs_the_scope_it_belongs_to(provider: FakeProvider) -> None:
    # OpenID Connect Core 5.4
    _, tokens = redeem(provider, new_code(provider, scope="openid email"))
    claims = payload(tokens["id_token"])

    assert claims["email"] == "alice@example.test"
    assert claims["groups"] == ["admins", "staff"]
    assert not {"name", "preferred_username"} & claims.keys()


def test_claims_of_one_login_are_gone_in_the_next(provider: FakeProvider) -> None:
    url = provider.authorize(authorization_url(provider), "bob", claims={"groups": []})
    code = dict(parse_qsl(urlsplit(url).query))["code"]
    claims = payload(redeem(provider, code)[1]["id_token"])

    assert (claims["sub"], claims["groups"]) == ("bob-0001", [])
    assert provider.people["bob"]["groups"] == ["staff", "editors"]


def test_two_providers_have_people_of_their_own() -> None:
    FakeProvider().people["alice"]["email"] = "changed@example.test"

    assert FakeProvider().people["alice"]["email"] == "alice@example.test"


def test_userinfo_can_be_signed() -> None:
    provider = FakeProvider(signs_userinfo=True)
    _, tokens = redeem(provider, new_code(provider))

    answer = userinfo(provider, tokens["access_token"])

    assert answer.content_type == "application/jwt"
    claims = payload(answer.body.decode())
    assert (claims["iss"], claims["aud"]) == (provider.issuer, "site")
    assert metadata(provider)["userinfo_signing_alg_values_supported"] == ["RS256"]


def test_plain_oauth_has_neither_id_tokens_nor_discovery() -> None:
    provider = FakeProvider(openid=False, subject_field="id")
    code = new_code(provider, scope="user", nonce=...)
    _, tokens = redeem(provider, code)
    document = json.loads(userinfo(provider, tokens["access_token"]).body)

    assert "id_token" not in tokens
    assert document["id"] == "alice-0001"
    assert document["email"] == "alice@example.test"
    assert provider.handle("GET", provider.endpoints["discovery_url"]).status == 404


# --- logout, addresses, the log


@pytest.mark.parametrize(
    ("query", "status", "location"),
    [
        ({}, 200, None),
        (
            {"client_id": "site", "post_logout_redirect_uri": "https://a.test/out"},
            302,
            "https://a.test/out",
        ),
        (
            {
                "client_id": "site",
                "post_logout_redirect_uri": "https://a.test/out",
                "state": "s",
            },
            302,
            "https://a.test/out?state=s",
        ),
        ({"post_logout_redirect_uri": "https://a.test/out"}, 400, None),
        (
            {"client_id": "other", "post_logout_redirect_uri": "https://a.test/out"},
            400,
            None,
        ),
    ],
)
def test_a_logout_leads_back_to_the_client_that_asked(
    provider: FakeProvider, query: dict[str, str], status: int, location: str | None
) -> None:
    # OpenID Connect RP-Initiated Logout 1.0, 2
    url = f"{provider.endpoints['end_session_endpoint']}?{urlencode(query)}"

    answer = provider.handle("GET", url)

    assert (answer.status, answer.headers.get("Location")) == (status, location)


def test_addresses_can_be_anywhere() -> None:
    provider = FakeProvider(
        endpoints={"token_endpoint": "https://api.example.test/v2/token?tenant=1"}
    )

    assert metadata(provider)["token_endpoint"].startswith("https://api.example.test/")
    assert redeem(provider, new_code(provider))[0] == 200


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://id.example.com/elsewhere"),
        ("GET", "https://id.example.com/token"),
        ("DELETE", "https://id.example.com/userinfo"),
    ],
)
def test_what_is_not_there_is_not_found(
    provider: FakeProvider, method: str, url: str
) -> None:
    assert provider.handle(method, url).status == 404


def test_requests_are_counted_and_kept(provider: FakeProvider) -> None:
    metadata(provider)
    redeem(provider, new_code(provider))
    provider.handle("GET", "https://id.example.com/elsewhere")

    assert provider.requests == {
        "discovery": 1,
        "authorize": 1,
        "token": 1,
        "unknown": 1,
    }
    assert [request.document for request in provider.request_log] == [
        *("discovery", "authorize", "token", "unknown")
    ]
    assert b"code_verifier=" in provider.request_log[2].body


def test_a_logged_request_shows_no_secret(provider: FakeProvider) -> None:
    # A failing assertion prints it, and the secret may be one of the site's.
    redeem(provider, new_code(provider))

    shown = repr(provider.request_log)
    assert "Basic" not in shown
    assert VERIFIER not in shown
    assert "the-state" not in shown

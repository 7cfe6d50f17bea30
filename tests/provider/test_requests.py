"""Where a provider is asked what, and with what: addresses, certificates, keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth_login.errors import InvalidProviderResponse, OAuthLoginError
from oauth_login.flow import finish_login, start_login
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.logout.backchannel import LOGOUT_EVENT
from oauth_login.protocol.urls import seen_from_here
from oauth_login.provider.provider import Provider
from tests.protocol.tokens import KEYS, NOW, sign
from tests.provider.test_provider import MemoryCache, source_of

ISSUER = "https://id.example.com"
BACKEND = "http://keycloak:8080"
MTLS = "https://mtls.id.example.com"
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "end_session_endpoint": f"{ISSUER}/logout",
}
JWKS = {"keys": [key.jwk() for key in KEYS.values()]}


class Scripted:
    """A provider whose answers are written down; notes what it was asked, where."""

    def __init__(self, **documents: Any) -> None:
        self.documents: dict[str, Any] = {
            "discovery": METADATA,
            "jwks": JWKS,
            "userinfo": {"sub": "alice", "name": "A"},
            **documents,
        }
        self.asked: list[ProviderRequest] = []

    def send(self, request: ProviderRequest) -> ProviderResponse:
        self.asked.append(request)
        document = self.documents[request.document]
        if isinstance(document, dict) and request.url in document:
            document = document[request.url]
        if isinstance(document, int):
            return ProviderResponse(document, {}, b"")
        body = json.dumps(document).encode()
        return ProviderResponse(200, {"content-type": "application/json"}, body)

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.asked]


def provider(scripted: Scripted, **options: Any) -> Provider:
    given = {
        "alias": "corp",
        "source": source_of(options, issuer=ISSUER),
        "client": Client(client_id="site", client_secret="s"),
        "transport": scripted,
        "cache": MemoryCache(),
        "userinfo": "always",
    }
    return Provider(**{**given, **options})


def log_in(
    at: Provider, scripted: Scripted, *, by: str = "RS256", **claims: Any
) -> Any:
    attempt, url = start_login(
        at,
        state="S",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=NOW,
    )
    id_token = sign(
        {
            **{"iss": ISSUER, "aud": "site", "sub": "alice", "nonce": attempt.nonce},
            **{"iat": NOW, "exp": NOW + 300, **claims},
        },
        by=by,
    )
    scripted.documents["token"] = {
        "access_token": "access",
        "token_type": "Bearer",
        "id_token": id_token,
    }
    identity = finish_login(at, attempt, [("code", "c"), ("state", "S")], now=NOW)
    return identity, url


# --- one provider, two names


def test_what_is_at_the_issuers_address_is_asked_at_the_other_one() -> None:
    # pains 28
    scripted = Scripted()
    at = provider(scripted, backend_base_url=BACKEND)
    identity, url = log_in(at, scripted)
    assert identity.issuer == ISSUER
    assert scripted.urls == [
        f"{BACKEND}/.well-known/openid-configuration",
        f"{BACKEND}/token",
        f"{BACKEND}/jwks",
        f"{BACKEND}/userinfo",
    ]
    # What the browser sees stays as it is.
    assert url.startswith(f"{ISSUER}/authorize?")
    assert at.metadata(now=NOW).end_session_endpoint == f"{ISSUER}/logout"


def test_what_is_elsewhere_is_asked_there() -> None:
    # T49
    elsewhere = {**METADATA, "jwks_uri": "https://keys.example.com/jwks"}
    scripted = Scripted(discovery=elsewhere)
    log_in(provider(scripted, backend_base_url=BACKEND), scripted)
    assert "https://keys.example.com/jwks" in scripted.urls
    assert f"{BACKEND}/token" in scripted.urls


def test_endpoints_of_the_settings_are_asked_at_the_other_name_too() -> None:
    # pains 28
    scripted = Scripted()
    endpoints = {name: url for name, url in METADATA.items() if name != "issuer"}
    at = provider(scripted, backend_base_url=BACKEND, endpoints=endpoints)
    _, url = log_in(at, scripted)
    assert scripted.urls == [f"{BACKEND}/{n}" for n in ("token", "jwks", "userinfo")]
    assert url.startswith(f"{ISSUER}/authorize?")


def test_a_browser_is_never_sent_to_the_other_name_to_log_out() -> None:
    # T43, T45
    scripted = Scripted(discovery={**METADATA, "end_session_endpoint": f"{BACKEND}/e"})
    at = provider(scripted, backend_base_url=BACKEND)
    log_in(at, scripted)
    assert at.metadata(now=NOW).end_session_endpoint is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # The provider may name what only we talk to by the name that we use.
        ({"token_endpoint": f"{BACKEND}/t"}, None),
        ({"userinfo_endpoint": f"{BACKEND}/u"}, None),
        ({"jwks_uri": f"{BACKEND}/j"}, None),
        # T43, T45: and nothing else may be http.
        ({"authorization_endpoint": f"{BACKEND}/a"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": "http://keycloak/t"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": "http://keycloak:80800/t"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": "http://other:8080/t"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": f"{BACKEND}@evil/t"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": f"{BACKEND}/t\r\nx"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": f"{BACKEND}/t#x"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": "HTTP://keycloak:8080/t"}, "discovery.insecure_endpoint"),
        # T37: it is the same provider, whatever we call it.
        ({"issuer": BACKEND}, "discovery.issuer_mismatch"),
    ],
)
def test_only_what_we_alone_talk_to_may_have_the_other_name(
    changes: dict[str, str], code: str | None
) -> None:
    scripted = Scripted(discovery={**METADATA, **changes})
    at = provider(scripted, backend_base_url=BACKEND)
    if code is None:
        log_in(at, scripted)
        assert changes.popitem()[1] in scripted.urls
        return
    with pytest.raises(InvalidProviderResponse) as caught:
        at.metadata(now=NOW)
    assert caught.value.code == code
    # Without the setting none of them passes.
    with pytest.raises(InvalidProviderResponse):
        provider(scripted).metadata(now=NOW)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (f"{ISSUER}/a?b=c", f"{BACKEND}/a?b=c"),
        (ISSUER, BACKEND),
        ("https://id.example.com.evil/a", None),
        ("https://id.example.com:8443/a", None),
        ("https://user@id.example.com/a", None),
        ("http://id.example.com/a", None),
        ("https://other.example.com/https://id.example.com", None),
    ],
)
def test_only_the_issuers_own_address_is_another_one_here(
    url: str, seen: str | None
) -> None:
    # T49
    issuer = f"{ISSUER}/realms/x"
    got = seen_from_here(url, issuer=issuer, backend_base_url=BACKEND)
    assert got == (seen or url)
    assert seen_from_here(url, issuer=issuer, backend_base_url=None) == url


# --- without discovery


@pytest.mark.parametrize("by", ["RS256", "PS256", "ES256", "EdDSA"])
def test_without_metadata_the_settings_say_what_may_sign(by: str) -> None:
    # pains 30
    scripted = Scripted()
    endpoints = {name: url for name, url in METADATA.items() if name != "issuer"}
    identity, _ = log_in(provider(scripted, endpoints=endpoints), scripted, by=by)
    assert identity.subject == "alice"
    only = Client(client_id="site", client_secret="s", id_token_signing_algs=("PS384",))
    with pytest.raises(OAuthLoginError) as caught:
        log_in(provider(scripted, endpoints=endpoints, client=only), scripted, by=by)
    assert caught.value.code == "id_token.alg_not_allowed"


# --- with a certificate


@pytest.mark.parametrize(
    ("method", "aliased"), [("tls_client_auth", True), ("client_secret_post", False)]
)
def test_the_access_token_is_used_where_it_was_got(method: str, aliased: bool) -> None:
    # T55; RFC 8705 5
    aliases = {
        "token_endpoint": f"{MTLS}/token",
        "userinfo_endpoint": f"{MTLS}/userinfo",
    }
    scripted = Scripted(discovery={**METADATA, "mtls_endpoint_aliases": aliases})
    client = Client(
        client_id="site",
        client_secret="s",
        has_certificate=True,
        token_endpoint_auth_method=method,
    )
    log_in(provider(scripted, client=client), scripted)
    at = MTLS if aliased else ISSUER
    assert {f"{at}/token", f"{at}/userinfo"} <= set(scripted.urls)


def test_an_alias_may_be_all_that_there_is() -> None:
    scripted = Scripted(
        discovery={
            **METADATA,
            "mtls_endpoint_aliases": {"token_endpoint": f"{MTLS}/token"},
        }
    )
    client = Client(
        client_id="site",
        has_certificate=True,
        token_endpoint_auth_method="tls_client_auth",
    )
    log_in(provider(scripted, client=client), scripted)
    assert {f"{MTLS}/token", f"{ISSUER}/userinfo"} <= set(scripted.urls)


# --- plain OAuth 2.0, and addresses that are kept apart

EMAILS = f"{ISSUER}/emails"
PLAIN = {
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "emails_endpoint": EMAILS,
}
GOOD_EMAILS = [{"email": "alice@example.com", "primary": True, "verified": True}]


def plain_claims(emails: Any, document: Mapping[str, Any]) -> tuple[Any, bool]:
    scripted = Scripted(
        userinfo={f"{ISSUER}/userinfo": {"id": 17, **document}, EMAILS: emails}
    )
    at = provider(
        scripted,
        client=Client(client_id="site", client_secret="s", scope="user"),
        endpoints=PLAIN,
        subject_field="id",
    )
    identity, _ = log_in(at, scripted)
    assert (identity.issuer, identity.subject) == (ISSUER, "17")
    assert [r.headers["Authorization"] for r in scripted.asked[-2:]] == [
        "Bearer access"
    ] * 2
    return identity.claims, identity.claims_complete


def test_the_verified_address_replaces_the_public_one() -> None:
    # T90, T94
    public = {"email": "anybody@example.com", "email_verified": True}
    claims, complete = plain_claims(GOOD_EMAILS, public)
    assert (claims["email"], claims["email_verified"]) == ("alice@example.com", True)
    assert complete


@pytest.mark.parametrize(
    ("emails", "complete"),
    [([], True), ([{**GOOD_EMAILS[0], "verified": False}], True)]
    + [(answer, False) for answer in (401, 403, 404, 503, {"a": 1})],
)
def test_an_address_that_nobody_verified_is_nobodys(
    emails: Any, complete: bool
) -> None:
    # T94
    public = {"email": "anybody@example.com", "email_verified": True, "name": "A"}
    claims, is_complete = plain_claims(emails, public)
    assert not {"email", "email_verified"} & claims.keys()
    assert claims["name"] == "A"
    assert is_complete is complete


def test_a_provider_without_that_endpoint_is_not_asked() -> None:
    scripted = Scripted(userinfo={"id": "17", "email": "a@a.example"})
    endpoints = {n: url for n, url in PLAIN.items() if n != "emails_endpoint"}
    at = provider(
        scripted,
        client=Client(client_id="site", client_secret="s", scope="user"),
        endpoints=endpoints,
        subject_field="id",
    )
    identity, _ = log_in(at, scripted)
    assert identity.claims["email"] == "a@a.example"
    assert len(scripted.asked) == 2


# --- a name that came by way of the browser


@pytest.mark.parametrize("switched", [True, False])
def test_a_name_by_way_of_the_browser_needs_a_switch(switched: bool) -> None:
    # T97
    scripted = Scripted()
    deviations = Deviations(user_in_response=switched)
    at = provider(
        scripted,
        client=Client(client_id="site", client_secret="s", deviations=deviations),
    )
    attempt, _ = start_login(
        at,
        state="S",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=NOW,
    )
    token = {"iss": ISSUER, "aud": "site", "sub": "alice", "nonce": attempt.nonce}
    scripted.documents["token"] = {
        "access_token": "access",
        "token_type": "Bearer",
        "id_token": sign({**token, "iat": NOW, "exp": NOW + 300}),
    }
    user = json.dumps({"name": {"firstName": "Alice"}, "email": "evil@example.com"})
    params = [("code", "c"), ("state", "S"), ("user", user)]
    identity = finish_login(at, attempt, params, now=NOW)
    assert identity.unsigned_names == ({"given_name": "Alice"} if switched else {})
    assert "evil" not in str(identity.claims)


def test_no_verifier_is_sent_where_no_challenge_was() -> None:
    # pains 35
    scripted = Scripted()
    client = Client(
        client_id="site",
        client_secret="s",
        deviations=Deviations(without_pkce=True, nonce_optional=True),
    )
    _, url = log_in(provider(scripted, client=client), scripted, nonce=None)
    assert "code_challenge" not in dict(parse_qsl(urlsplit(url).query))
    (token,) = [r for r in scripted.asked if r.document == "token"]
    assert "code_verifier" not in (token.form or {})


@pytest.mark.parametrize("nonce", ["", "another", 0, False, []])
def test_a_nonce_that_is_there_is_never_ignored(nonce: object) -> None:
    # T33
    scripted = Scripted()
    client = Client(
        client_id="site",
        client_secret="s",
        deviations=Deviations(nonce_optional=True),
    )
    with pytest.raises(InvalidProviderResponse) as caught:
        log_in(provider(scripted, client=client), scripted, nonce=nonce)
    assert caught.value.code in ("id_token.nonce_missing", "id_token.nonce_mismatch")


# --- logging out by the provider


def test_a_logout_token_is_judged_with_the_providers_keys() -> None:
    # T112
    scripted = Scripted()
    at = provider(scripted)
    claims = {
        **{"iss": ISSUER, "aud": "site", "sub": "alice", "jti": "j", "iat": NOW},
        **{"exp": NOW + 120, "events": {LOGOUT_EVENT: {}}},
    }
    token = at.validate_logout(sign(claims, typ="logout+jwt"), now=NOW)
    assert (token.subject, token.sid) == ("alice", None)
    with pytest.raises(InvalidProviderResponse) as caught:
        at.validate_logout(sign({**claims, "aud": "other"}), now=NOW)
    assert caught.value.code == "logout_token.aud_mismatch"
    # T69: invented keys cost one more request, however many there are.
    for number in range(20):
        with pytest.raises(InvalidProviderResponse):
            at.validate_logout(sign(claims, kid=f"k{number}"), now=NOW)
    assert scripted.urls.count(f"{ISSUER}/jwks") == 2

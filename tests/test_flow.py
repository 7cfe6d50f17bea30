"""The two halves of a login: everything that is remembered, sent and found out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from oauth_login.errors import (
    ConfigurationError,
    InvalidProviderResponse,
    OAuthLoginError,
)
from oauth_login.flow import (
    LoginAttempt,
    PendingLogin,
    VerifiedIdentity,
    finish_login,
    start_login,
)
from oauth_login.protocol.client.pkce import code_challenge
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import check_usable
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.logout.backchannel import LOGOUT_EVENT
from oauth_login.provider.group_overage import Get, Overage
from oauth_login.provider.provider import Provider
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.fault import Change, Fault, Place, with_members
from tests.provider.test_provider import NOW, Direct, MemoryCache, provider_for

REDIRECT_URI = "https://app.example.com/cb"
BACKEND = "http://keycloak:8080"
WELL_KNOWN = ".well-known/openid-configuration"


class Changing:
    """A transport that asks a FakeProvider, and may change what comes back.

    `answers` are bodies by document; `urls` are where requests went.
    """

    def __init__(self, fake: FakeProvider, **answers: Any) -> None:
        self._direct = Direct(fake)
        self._issuer = fake.issuer
        self.answers = answers
        self.requests: list[ProviderRequest] = []

    def send(self, request: ProviderRequest) -> ProviderResponse:
        self.requests.append(request)
        path = urlsplit(request.url).path.strip("/")
        if path in self.answers:
            body = json.dumps(self.answers[path]).encode()
            return ProviderResponse(200, {"content-type": "application/json"}, body)
        url = request.url.replace(BACKEND, self._issuer)
        return self._direct.send(replace(request, url=url))


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider(now=lambda: NOW, authenticated_at=NOW - 100, acr="gold")


def started(provider: Provider, **options: Any) -> tuple[LoginAttempt, str]:
    given: dict[str, Any] = {
        "state": "a-state",
        "redirect_uri": REDIRECT_URI,
        "next": "/next/",
        "started_by": "7",
        "now": NOW + 0.5,
    }
    return start_login(provider, **{**given, **options})


def finished(
    provider: Provider,
    fake: FakeProvider,
    *more: tuple[str, str],
    changes: Mapping[str, Any] = {},  # noqa: B006 - it is only read
    **options: Any,
) -> VerifiedIdentity:
    attempt, url = started(provider, **options)
    params = parse_qsl(urlsplit(str(fake.authorize(url))).query)
    return finish_login(
        provider, replace(attempt, **changes), [*params, *more], now=NOW
    )


def refused(*args: Any, **kwargs: Any) -> tuple[str, dict[str, Any]]:
    with pytest.raises(OAuthLoginError) as caught:
        finished(*args, **kwargs)
    return caught.value.code, caught.value.detail


def described(fake: FakeProvider) -> dict[str, Any]:
    """Metadata of a provider, whether it announces it or not."""
    fake.openid, was = True, fake.openid
    answer = fake.handle("GET", fake.endpoints["discovery_url"])
    fake.openid = was
    return dict(json.loads(answer.body))


def plain(fake: FakeProvider, **options: Any) -> Provider:
    """Plain OAuth 2.0, with metadata all the same."""
    fake.openid = False
    if "endpoints" not in options and "transport" not in options:
        options["transport"] = Changing(fake, **{WELL_KNOWN: described(fake)})
    client = Client(
        client_id=fake.client_id, client_secret=fake.client_secret, scope="user"
    )
    return provider_for(fake, client=client, subject_field="sub", **options)


# --- the first half


def test_an_attempt_can_still_be_imported_by_its_former_name() -> None:
    assert PendingLogin is LoginAttempt


def test_everything_that_the_second_half_needs_is_remembered(
    fake: FakeProvider,
) -> None:
    params = {"max_age": "300", "acr_values": "gold silver", "login_hint": "alice"}
    attempt, url = started(provider_for(fake), params=params, mode="link")

    assert attempt == LoginAttempt(
        provider="corp",
        state="a-state",
        nonce=attempt.nonce,
        code_verifier=attempt.code_verifier,
        redirect_uri=REDIRECT_URI,
        next="/next/",
        started_by="7",
        started_at=int(NOW),
        max_age=300,
        acr_values=("gold", "silver"),
        mode="link",
    )
    assert attempt.authenticated_since == int(NOW) - 300
    endpoint, _, query = url.partition("?")
    assert endpoint == fake.endpoints["authorization_endpoint"]
    assert dict(parse_qsl(query)) == {
        "response_type": "code",
        "client_id": fake.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email",
        "state": "a-state",
        "nonce": attempt.nonce,
        "code_challenge": code_challenge(attempt.code_verifier),
        "code_challenge_method": "S256",
        **params,
    }


def test_a_login_is_a_login_unless_it_is_said_to_be_something_else(
    fake: FakeProvider,
) -> None:
    attempt, url = started(provider_for(fake))
    assert (attempt.mode, attempt.max_age, attempt.acr_values) == ("login", None, ())
    assert attempt.authenticated_since is None
    assert "prompt" not in url


def test_the_secrets_of_two_logins_are_different_and_long(fake: FakeProvider) -> None:
    # T31, T33
    provider = provider_for(fake)
    logins = [started(provider)[0] for _ in range(20)]
    assert {len(login.nonce) for login in logins} == {43}  # 32 bytes
    assert {len(login.code_verifier) for login in logins} == {86}
    assert len({login.nonce for login in logins}) == 20


@pytest.mark.parametrize(
    ("known", "prompt"),
    [((), "login"), (["login", "select_account"], "select_account")],
)
def test_another_account_is_asked_for_as_the_provider_knows_it(
    fake: FakeProvider, known: object, prompt: str
) -> None:
    provider = provider_for(fake)
    endpoints = {**fake.endpoints, "prompt_values_supported": list(known)}  # type: ignore[call-overload]
    provider = provider_for(fake, endpoints=endpoints)
    _, url = started(provider, switch_account=True)
    assert dict(parse_qsl(urlsplit(url).query))["prompt"] == prompt


@pytest.mark.parametrize("params", [{"max_age": "0"}, {"acr_values": "gold"}])
def test_what_nothing_could_prove_is_not_asked_for(
    fake: FakeProvider, params: dict[str, str]
) -> None:
    # T27
    with pytest.raises(ConfigurationError) as caught:
        started(plain(fake), params=params)
    assert (caught.value.code, caught.value.detail) == (
        "config.step_up",
        {"provider": "corp"},
    )
    assert started(plain(fake))


# --- the second half


def test_an_identity_is_who_the_provider_says_and_where_it_says_so(
    fake: FakeProvider,
) -> None:
    identity = finished(provider_for(fake), fake)
    assert identity == VerifiedIdentity(
        provider="corp",
        issuer=fake.issuer,
        subject="alice-0001",
        claims=identity.claims,
        claims_complete=True,
        unsigned_names={},
    )
    assert identity.claims["email"] == "alice@example.test"
    assert identity.claims["iss"] == fake.issuer


def test_what_was_asked_for_is_looked_for(fake: FakeProvider) -> None:
    # T27
    provider = provider_for(fake)
    asked = {"max_age": "300", "acr_values": "gold"}
    assert finished(provider, fake, params=asked)
    assert refused(provider, fake, changes={"acr_values": ("platinum",)}) == (
        "id_token.acr_mismatch",
        {"expected": ("platinum",), "received": "gold"},
    )
    assert refused(provider, fake, changes={"max_age": 39}) == (
        "id_token.auth_time_too_old",
        {"expected": int(NOW) - 39, "received": int(NOW) - 100},
    )
    assert finished(provider, fake, changes={"max_age": 40})


def test_the_code_is_the_one_that_the_token_was_made_with(fake: FakeProvider) -> None:
    # T60
    fake.people["alice"]["c_hash"] = "x"
    fake.people["alice"]["email"] = "alice@example.test"
    provider = provider_for(fake)
    params = {"claims": '{"id_token": {"c_hash": null}}'}
    assert refused(provider, fake, params=params)[0] == "id_token.c_hash_mismatch"


@pytest.mark.parametrize("takes", [True, False])
def test_a_name_by_way_of_the_browser_is_kept_apart(
    fake: FakeProvider, takes: bool
) -> None:
    client = Client(
        client_id=fake.client_id,
        client_secret=fake.client_secret,
        deviations=Deviations(user_in_response=takes),
    )
    provider = provider_for(fake, client=client)
    user = json.dumps({"name": {"firstName": "Alice", "lastName": "Liddell"}})
    names = {"given_name": "Alice", "family_name": "Liddell"}
    identity = finished(provider, fake, ("user", user))
    assert identity.unsigned_names == (names if takes else {})
    assert finished(provider, fake).unsigned_names == {}


def test_a_login_with_fewer_claims_says_so_in_the_log(
    fake: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider = provider_for(fake, userinfo="always")
    with fake.fault("userinfo.status"):
        identity = finished(provider, fake)
    assert not identity.claims_complete
    assert [
        record.getMessage()
        for record in caplog.records
        if record.name == "oauth_login.flow" and record.levelno == logging.WARNING
    ] == ["logging in with fewer claims: userinfo.status"]


def test_userinfo_that_is_compressed_is_a_login_with_fewer_claims(
    fake: FakeProvider,
) -> None:
    class Compressing(Changing):
        def send(self, request: ProviderRequest) -> ProviderResponse:
            response = super().send(request)
            if request.document == "userinfo":
                headers = {**response.headers, "content-encoding": "gzip"}
                return replace(response, headers=headers)
            return response

    provider = provider_for(fake, userinfo="always", transport=Compressing(fake))
    assert not finished(provider, fake).claims_complete


def test_signed_userinfo_is_checked_with_the_providers_keys(
    fake: FakeProvider,
) -> None:
    # T63
    fake.signs_userinfo = True
    fake.claims_in = "userinfo"
    provider = provider_for(fake, userinfo="always")
    identity = finished(provider, fake)
    assert identity.claims["email"] == "alice@example.test"
    assert identity.claims_complete
    with fake.fault("userinfo.signature"):
        assert refused(provider, fake)[0] == "userinfo.signature"


# --- one document for one login


class Refreshing(Changing):
    """Refreshes the metadata at the token endpoint: the new document is another one."""

    def __init__(self, fake: FakeProvider, *, later: Mapping[str, Any]) -> None:
        super().__init__(fake, **{WELL_KNOWN: described(fake)})
        self._later = {WELL_KNOWN: {**described(fake), **later}}
        self.refresh: Callable[[], object] = lambda: None

    def send(self, request: ProviderRequest) -> ProviderResponse:
        response = super().send(request)
        if request.document == "token":
            self.answers = self._later
            self.refresh()
        return response


@pytest.mark.parametrize(
    "later",
    [
        {"id_token_signing_alg_values_supported": ["ES512"]},
        {"jwks_uri": "https://id.example.com/other-keys"},
        {"userinfo_endpoint": "https://id.example.com/other-userinfo"},
        {"userinfo_endpoint": None},
    ],
)
def test_a_refresh_of_the_metadata_does_not_change_a_login_under_way(
    fake: FakeProvider, later: dict[str, Any]
) -> None:
    transport = Refreshing(fake, later=later)
    provider = provider_for(fake, userinfo="always", transport=transport)
    before = provider.metadata(now=NOW)
    # As another thread would, two hours later.
    transport.refresh = lambda: provider.metadata(now=NOW + 7200)

    identity = finished(provider, fake)

    assert identity.claims_complete
    assert provider.metadata(now=NOW + 7200) != before
    asked = [urlsplit(request.url).path for request in transport.requests]
    assert asked[-1] == urlsplit(str(before.userinfo_endpoint)).path


def test_a_refresh_does_not_change_a_plain_oauth_login_under_way(
    fake: FakeProvider,
) -> None:
    later = {"userinfo_endpoint": "https://id.example.com/other-userinfo"}
    transport = Refreshing(fake, later=later)
    provider = plain(fake, transport=transport)
    transport.refresh = lambda: provider.metadata(now=NOW + 7200)

    assert finished(provider, fake).subject == "alice-0001"


# --- plain OAuth 2.0


def test_plain_oauth_may_have_metadata_too(fake: FakeProvider) -> None:
    identity = finished(plain(fake), fake)
    assert identity == VerifiedIdentity(
        provider="corp",
        issuer=fake.issuer,
        subject="alice-0001",
        claims=identity.claims,
        claims_complete=True,
    )
    assert identity.claims["email"] == "alice@example.test"


def with_addresses(fake: FakeProvider, **answers: Any) -> tuple[Provider, Changing]:
    document = {**described(fake), "emails_endpoint": f"{fake.issuer}/emails"}
    transport = Changing(fake, **answers, **{WELL_KNOWN: document})
    return plain(fake, transport=transport), transport


def test_an_address_comes_from_where_the_verified_ones_are(fake: FakeProvider) -> None:
    # T94
    fake.people["alice"] |= {"email": "old@example.test", "email_verified": True}
    listed = [{"email": "new@example.test", "primary": True, "verified": True}]
    provider, transport = with_addresses(fake, emails=listed)
    identity = finished(provider, fake)
    assert identity.claims["email"] == "new@example.test"
    assert identity.claims["email_verified"] is True
    assert identity.claims["sub"] == "alice-0001"
    assert identity.claims_complete
    # With the access token of this login, as the user document was.
    asked = [request for request in transport.requests if request.method == "GET"]
    assert asked[-1].url == f"{fake.issuer}/emails"
    assert asked[-1].headers == asked[-2].headers
    assert asked[-1].headers["Authorization"].removeprefix("Bearer ") in (
        fake.access_tokens
    )


def test_an_address_that_nobody_verified_is_not_taken_from_elsewhere(
    fake: FakeProvider,
) -> None:
    # T94
    fake.people["alice"] |= {"email": "old@example.test", "email_verified": True}
    provider, _ = with_addresses(fake, emails=[])
    identity = finished(provider, fake)
    assert not identity.claims.keys() & {"email", "email_verified"}
    assert identity.claims_complete
    # Nor when the list of addresses cannot be had.
    provider, _ = with_addresses(fake, emails={})
    identity = finished(provider, fake)
    assert not identity.claims.keys() & {"email", "email_verified"}
    assert identity.claims["sub"] == "alice-0001"
    assert identity.claims_complete is False


# --- the provider's own


def test_without_metadata_the_settings_own_algorithms_stand(
    fake: FakeProvider,
) -> None:
    fake = FakeProvider(now=lambda: NOW, alg="ES384")
    provider = provider_for(fake, endpoints=fake.endpoints)
    assert finished(provider, fake)
    algs = provider.metadata(now=NOW).id_token_signing_alg_values_supported
    assert algs == provider.client.id_token_signing_algs
    assert fake.requests["discovery"] == 0


def test_a_provider_with_two_names_is_asked_by_the_one_and_shown_by_the_other(
    fake: FakeProvider,
) -> None:
    transport = Changing(fake)
    provider = provider_for(
        fake, transport=transport, backend_base_url=BACKEND, userinfo="always"
    )
    _, url = started(provider)
    assert url.startswith(f"{fake.issuer}/")
    assert finished(provider, fake)
    assert {request.url[: len(BACKEND)] for request in transport.requests} == {BACKEND}


def test_what_is_behind_may_be_http(fake: FakeProvider) -> None:
    document = described(fake)
    document["jwks_uri"] = document["jwks_uri"].replace(fake.issuer, BACKEND)
    cache = MemoryCache()
    for transport in (
        Changing(fake, **{WELL_KNOWN: document}),
        Changing(fake),  # what the first one kept is judged as it was
    ):
        provider = provider_for(
            fake, cache, transport=transport, backend_base_url=BACKEND
        )
        assert provider.metadata(now=NOW).jwks_uri == document["jwks_uri"]
    metadata = provider_for(fake, endpoints=document).metadata(now=NOW)
    assert metadata.jwks_uri is None
    with pytest.raises(InvalidProviderResponse):
        check_usable(metadata, "jwks_uri")


def test_http_on_this_machine_is_for_those_who_say_so() -> None:
    # T45
    fake = FakeProvider("http://localhost:9000", now=lambda: NOW)
    cache = MemoryCache()
    for _ in range(2):  # from the provider, and from the cache
        provider = provider_for(fake, cache, allow_http_loopback=True)
        assert provider.metadata(now=NOW).issuer == fake.issuer
    assert fake.requests["discovery"] == 1
    with pytest.raises(InvalidProviderResponse) as caught:
        provider_for(fake).metadata(now=NOW)
    assert caught.value.code == "discovery.insecure_endpoint"


def test_metadata_is_where_the_settings_say(fake: FakeProvider) -> None:
    elsewhere = "https://metadata.example.com/corp"
    fake = FakeProvider(now=lambda: NOW, endpoints={"discovery_url": elsewhere})
    transport = Changing(fake)
    provider = provider_for(fake, transport=transport, discovery_url=elsewhere)
    assert provider.metadata(now=NOW).issuer == fake.issuer
    assert [request.url for request in transport.requests] == [elsewhere]


def test_a_client_with_a_certificate_asks_where_certificates_are_asked_for() -> None:
    # RFC 8705 5
    fake = FakeProvider(
        now=lambda: NOW,
        auth_methods=["tls_client_auth"],
        client_secret="",
        mtls_base="https://mtls.example.com",
    )
    client = Client(client_id=fake.client_id, has_certificate=True)
    transport = Changing(fake)
    provider = provider_for(fake, client=client, transport=transport, userinfo="always")
    assert finished(provider, fake)
    asked = {request.document: request.url for request in transport.requests}
    assert asked["token"] == fake.mtls_endpoints["token_endpoint"]
    assert asked["userinfo"] == fake.mtls_endpoints["userinfo_endpoint"]
    assert asked["token"].startswith("https://mtls.example.com/")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jwks_uri": None}, "discovery.invalid_member"),
        ({"jwks_uri": "http://id.example.com/jwks"}, "discovery.insecure_endpoint"),
        ({"id_token_signing_alg_values_supported": ["none"]}, "config.signing_algs"),
        ({"token_endpoint_auth_methods_supported": ["x"]}, "config.client_auth"),
    ],
)
def test_what_cannot_succeed_ends_before_the_browser_leaves(
    fake: FakeProvider, changes: dict[str, Any], code: str
) -> None:
    transport = Changing(fake, **{WELL_KNOWN: {**described(fake), **changes}})
    with pytest.raises(OAuthLoginError) as caught:
        started(provider_for(fake, transport=transport))
    assert caught.value.code == code


HTTP = "http://id.example.com/x"


@pytest.mark.parametrize("url", [HTTP, "/userinfo", 7])
def test_a_userinfo_endpoint_that_cannot_be_used_makes_claims_unknown(
    fake: FakeProvider, url: object
) -> None:
    # T45, T61: unknown, and not absent
    document = {**described(fake), "userinfo_endpoint": url}
    answers = {WELL_KNOWN: document}

    def identity(**options: Any) -> VerifiedIdentity:
        transport = Changing(fake, **answers)
        return finished(provider_for(fake, transport=transport, **options), fake)

    lacking = identity(lacks_claims=lambda claims: True)
    assert (lacking.claims_complete, fake.requests["userinfo"]) == (False, 0)
    assert identity(lacks_claims=lambda claims: False).claims_complete
    assert identity(userinfo="never").claims_complete
    with pytest.raises(OAuthLoginError) as caught:
        identity(userinfo="always")
    assert str(caught.value.code).startswith("discovery.in")
    # The settings may say where userinfo is.
    own = {"userinfo_endpoint": fake.endpoints["userinfo_endpoint"]}
    assert identity(userinfo="always", endpoints=own).claims_complete


@pytest.mark.parametrize("absent", [..., None, ""])
def test_a_login_needs_no_access_token_but_for_userinfo(
    fake: FakeProvider, absent: object, caplog: pytest.LogCaptureFixture
) -> None:
    # T98
    changes: Mapping[Place, Change] = {
        "token": with_members(access_token=absent),
        "claims": with_members(at_hash=...),
    }
    fake.active_faults.add(Fault(code=None, changes=changes))
    assert finished(provider_for(fake, userinfo="never"), fake).claims_complete
    assert not caplog.records
    identity = finished(provider_for(fake, userinfo="always"), fake)
    assert (identity.claims_complete, fake.requests["userinfo"]) == (False, 0)
    assert [record.getMessage() for record in caplog.records] == [
        "logging in with fewer claims: token.access_token_missing"
    ]


def test_an_at_hash_without_an_access_token_is_refused(fake: FakeProvider) -> None:
    # T60
    change = with_members(access_token=...)
    fake.active_faults.add(Fault(code=None, changes={"token": change}))
    code, _ = refused(provider_for(fake, userinfo="never"), fake)
    assert code == "id_token.at_hash_mismatch"


def test_plain_oauth_needs_an_access_token(fake: FakeProvider) -> None:
    change = with_members(access_token="")
    fake.active_faults.add(Fault(code=None, changes={"token": change}))
    code, detail = refused(plain(fake), fake)
    assert (code, detail) == ("token.invalid_member", {"member": "access_token"})


@pytest.mark.parametrize("missing", ["jwks_uri", "userinfo_endpoint"])
def test_what_is_needed_and_not_announced_is_named(
    fake: FakeProvider, missing: str
) -> None:
    endpoints = {n: u for n, u in fake.endpoints.items() if n != missing}
    if missing == "userinfo_endpoint":
        provider = plain(fake, endpoints=endpoints)
    else:
        provider = provider_for(fake, endpoints=endpoints)
    assert refused(provider, fake) == (
        "discovery.invalid_member",
        {"member": missing},
    )


def test_a_key_is_found_by_its_id(fake: FakeProvider) -> None:
    # T69: a key of another name is not tried, however well it would fit.
    provider = provider_for(fake)
    finished(provider, fake)
    fake.key.kid = "renamed"
    keys = {"keys": [{**fake.key.jwk(), "kid": "another"}]}
    provider = provider_for(fake, transport=Changing(fake, jwks=keys))
    assert refused(provider, fake) == (
        "id_token.key_not_found",
        {"alg": "RS256", "kid": "renamed"},
    )


def test_a_logout_token_is_judged_with_the_same_keys(fake: FakeProvider) -> None:
    # T112
    provider = provider_for(fake)
    claims = {
        "iss": fake.issuer,
        "aud": fake.client_id,
        "sub": "alice-0001",
        "jti": "token-1",
        "iat": int(NOW),
        "exp": int(NOW) + 120,
        "events": {LOGOUT_EVENT: {}},
    }
    header = {"alg": "RS256", "typ": "logout+jwt", "kid": fake.key.kid}
    token = fake.key.sign(header, claims)
    logout = provider.validate_logout(token, now=NOW)
    assert (logout.issuer, logout.subject) == (fake.issuer, "alice-0001")
    with pytest.raises(InvalidProviderResponse) as caught:
        provider.validate_logout(token, now=NOW + 180)
    assert caught.value.code == "logout_token.expired"


def test_what_a_url_was_sent_with_is_no_part_of_what_is_remembered(
    fake: FakeProvider,
) -> None:
    # T19
    attempt, url = started(provider_for(fake))
    assert attempt.code_verifier not in url
    assert urlencode({"state": attempt.state}) in url


def test_an_assertion_of_ours_is_made_now(fake: FakeProvider) -> None:
    secret = "s" * 32
    fake = FakeProvider(
        now=lambda: NOW, client_secret=secret, auth_methods=["client_secret_jwt"]
    )
    assert finished(provider_for(fake), fake)


def test_the_log_says_how_we_authenticated_and_what_the_provider_takes(
    fake: FakeProvider,
) -> None:
    provider = provider_for(fake)
    with fake.fault("config.client_refused"):
        code, detail = refused(provider, fake)
    assert code == "config.client_refused"
    assert detail["method"] == "client_secret_basic"
    assert detail["methods_supported"] == (
        "client_secret_basic",
        "client_secret_post",
    )


def test_signed_userinfo_may_say_how_long_it_is_good_for(fake: FakeProvider) -> None:
    # T63
    class Signing(Changing):
        def send(self, request: ProviderRequest) -> ProviderResponse:
            if request.document != "userinfo":
                return super().send(request)
            claims = {"iss": fake.issuer, "aud": fake.client_id, "sub": "alice-0001"}
            header = {"alg": "RS256", "kid": fake.key.kid}
            token = fake.key.sign(header, {**claims, "exp": self.exp})
            headers = {"content-type": "application/jwt"}
            return ProviderResponse(200, headers, token.encode())

        exp = NOW

    transport = Signing(fake)
    provider = provider_for(fake, transport=transport, userinfo="always")
    assert finished(provider, fake).claims_complete
    transport.exp = NOW - 60
    assert refused(provider, fake)[0] == "userinfo.expired"


def test_groups_that_had_no_room_are_fetched_with_this_logins_token(
    fake: FakeProvider,
) -> None:
    # T98
    del fake.people["alice"]["groups"]
    fake.people["alice"]["hasgroups"] = True
    asked: list[Mapping[str, Any]] = []

    def resolver(get: Get, claims: Mapping[str, Any]) -> list[str]:
        asked.append(claims)
        return list(get("https://graph.example.com/groups")["value"])

    transport = Changing(fake, groups={"value": ["ops", "dev"]})
    overage = Overage("groups", resolver=lambda: resolver, wanted=None)
    provider = provider_for(fake, transport=transport, overage=overage)
    params = {"claims": '{"id_token": {"hasgroups": null}}'}
    identity = finished(provider, fake, params=params)
    assert identity.claims["groups"] == ["dev", "ops"]
    assert [claims["sub"] for claims in asked] == ["alice-0001"]
    last = transport.requests[-1]
    assert last.url == "https://graph.example.com/groups"
    assert last.headers["Authorization"].removeprefix("Bearer ") in fake.access_tokens
    assert "groups" not in finished(provider_for(fake), fake, params=params).claims

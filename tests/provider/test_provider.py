"""One provider: its documents, and what a login does with them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth_login.errors import (
    InvalidCallback,
    InvalidProviderResponse,
    OAuthLoginError,
    ProviderUnavailable,
)
from oauth_login.flow import VerifiedIdentity, finish_login, start_login
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import MetadataSource
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.provider.document_cache import CachedDocument
from oauth_login.provider.provider import Provider
from oauth_login.testing import FakeProvider

NOW = 1_900_000_000.0
ISSUER = "https://id.example.com"
ENDPOINTS = {
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
}


class MemoryCache:
    """A cache without a clock; `is_down` makes it fail."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.is_down = False

    def get(self, key: str) -> Any:
        self._check()
        return self.entries.get(key)

    def set(self, key: str, value: str, timeout: int) -> None:
        self._check()
        self.entries[key] = value
        if not timeout:
            del self.entries[key]

    def add(self, key: str, value: str, timeout: int) -> bool:
        self._check()
        if key in self.entries:
            return False
        self.entries[key] = value
        return True

    def _check(self) -> None:
        if self.is_down:
            raise ConnectionError


class Direct:
    """A transport that asks a FakeProvider without any network."""

    def __init__(self, fake: FakeProvider) -> None:
        self._fake = fake

    def send(self, request: ProviderRequest) -> ProviderResponse:
        from urllib.parse import urlencode

        body = urlencode(request.form or {}).encode()
        answer = self._fake.handle(request.method, request.url, request.headers, body)
        headers = {"content-type": answer.content_type}
        return ProviderResponse(answer.status, headers, answer.body)


def source_of(options: dict[str, Any], *, issuer: str) -> MetadataSource:
    """The source of the issuer's metadata; what belongs to it leaves `options`."""
    names = [field.name for field in fields(MetadataSource) if field.name in options]
    client = options.get("client")
    template = client.deviations.issuer_template if client else None
    given = {"issuer": issuer, "issuer_template": template}
    return MetadataSource(**{**given, **{name: options.pop(name) for name in names}})


def provider_for(
    fake: FakeProvider, cache: MemoryCache | None = None, **options: Any
) -> Provider:
    client = Client(client_id=fake.client_id, client_secret=fake.client_secret)
    source = source_of(options, issuer=fake.issuer)
    return Provider(
        **{
            "alias": "corp",
            "source": source,
            "client": client,
            "transport": Direct(fake),
            "cache": cache or MemoryCache(),
            **options,
        }
    )


def log_in(
    provider: Provider, fake: FakeProvider, now: float = NOW, person: str = "alice"
) -> VerifiedIdentity:
    attempt, url = start_login(
        provider,
        state="a-state",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=now,
    )
    params = parse_qsl(urlsplit(fake.authorize(url, person)).query)
    return finish_login(provider, attempt, params, now=now)


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider(now=lambda: NOW)


def test_the_story_needs_neither_django_nor_requests() -> None:
    code = (
        "import sys, oauth_login.flow;"
        "print({'django', 'requests', 'urllib3'} & set(sys.modules))"
    )
    run = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_an_identity_shows_no_claims(fake: FakeProvider) -> None:
    # T102, T134
    identity = log_in(provider_for(fake), fake)
    assert "alice" not in repr(identity)
    with pytest.raises(TypeError):
        identity.claims["groups"] = []  # type: ignore[index] # that is the point


def test_the_answer_for_another_provider_is_not_taken(fake: FakeProvider) -> None:
    # T36
    provider = provider_for(fake)
    attempt, url = start_login(
        provider,
        state="s",
        redirect_uri="https://app.example.com/cb",
        next="",
        started_by=None,
        now=NOW,
    )
    with pytest.raises(InvalidCallback) as caught:
        finish_login(provider_for(fake, alias="other"), attempt, [], now=NOW)
    assert caught.value.code == "callback.wrong_provider"
    assert attempt.code_verifier not in repr(attempt) + url  # T32


def test_a_stolen_code_is_of_no_use_in_another_login(fake: FakeProvider) -> None:
    # T28: the provider refuses the verifier of the other login
    provider = provider_for(fake)
    options: dict[str, Any] = {
        "state": "s",
        "redirect_uri": "https://app.example.com/cb",
        "next": "",
        "started_by": None,
        "now": NOW,
    }
    _, victims_url = start_login(provider, **options)
    attacker, _ = start_login(provider, **options)
    params = parse_qsl(urlsplit(fake.authorize(victims_url)).query)
    with pytest.raises(OAuthLoginError) as caught:
        finish_login(provider, attacker, params, now=NOW)
    assert caught.value.code == "token.refused"


def test_plain_oauth_takes_the_user_document(fake: FakeProvider) -> None:
    fake.openid = False
    fake.people["alice"]["id"] = 17
    provider = provider_for(
        fake,
        client=Client(
            client_id=fake.client_id, client_secret=fake.client_secret, scope="user"
        ),
        endpoints=ENDPOINTS,
        subject_field="id",
    )
    identity = log_in(provider, fake)
    assert (identity.issuer, identity.subject) == (ISSUER, "17")
    assert identity.claims["email"] == "alice@example.test"
    assert fake.requests["discovery"] == 0


@pytest.mark.parametrize("missing", ["userinfo_endpoint"])
def test_an_endpoint_that_is_needed_and_missing_is_an_error(
    fake: FakeProvider, missing: str
) -> None:
    fake.openid = False
    provider = provider_for(
        fake,
        client=Client(
            client_id=fake.client_id, client_secret=fake.client_secret, scope="user"
        ),
        endpoints={n: url for n, url in ENDPOINTS.items() if n != missing},
        subject_field="id",
    )
    with pytest.raises(InvalidProviderResponse) as caught:
        log_in(provider, fake)
    assert caught.value.detail["member"] == missing


@pytest.mark.parametrize(
    ("mode", "lacking", "asked"),
    [
        ("auto", False, 0),
        ("auto", True, 1),
        ("always", False, 1),
        ("never", True, 0),
    ],
)
def test_userinfo_is_asked_when_it_is_needed(
    fake: FakeProvider, mode: str, lacking: bool, asked: int
) -> None:
    # pains 14
    provider = provider_for(fake, userinfo=mode, lacks_claims=lambda claims: lacking)
    assert log_in(provider, fake).claims_complete
    assert fake.requests["userinfo"] == asked


@pytest.mark.parametrize(
    "fault",
    [
        "userinfo.status",
        "userinfo.refused",
        "userinfo.not_json",
        "userinfo.content_type",
        "userinfo.too_large",
        "userinfo.unexpected_status",
    ],
)
def test_a_login_can_do_without_userinfo(fake: FakeProvider, fault: str) -> None:
    # pains 14
    provider = provider_for(fake, lacks_claims=lambda claims: "email" not in claims)
    with fake.fault(fault):
        identity = log_in(provider, fake)
    assert identity.subject == "alice-0001"
    assert not identity.claims_complete


@pytest.mark.parametrize("fault", ["userinfo.sub_mismatch", "userinfo.sub_missing"])
def test_userinfo_that_lies_ends_the_login(fake: FakeProvider, fault: str) -> None:
    # T61
    provider = provider_for(fake, lacks_claims=lambda claims: "email" not in claims)
    with fake.fault(fault), pytest.raises(InvalidProviderResponse) as caught:
        log_in(provider, fake)
    assert caught.value.code == fault


def test_documents_are_asked_for_once_an_hour(fake: FakeProvider) -> None:
    # pains 11
    provider = provider_for(fake)
    log_in(provider, fake)
    fake.now = lambda: NOW + 3599
    log_in(provider, fake, now=NOW + 3599)
    assert (fake.requests["discovery"], fake.requests["jwks"]) == (1, 1)
    fake.now = lambda: NOW + 3600
    log_in(provider, fake, now=NOW + 3600)
    assert (fake.requests["discovery"], fake.requests["jwks"]) == (2, 2)


def test_another_process_finds_them_in_the_cache(fake: FakeProvider) -> None:
    cache = MemoryCache()
    log_in(provider_for(fake, cache), fake)
    log_in(provider_for(fake, cache), fake)
    assert (fake.requests["discovery"], fake.requests["jwks"]) == (1, 1)


def test_a_cache_full_of_rubbish_is_a_cache_that_is_empty(fake: FakeProvider) -> None:
    # T85
    cache = MemoryCache()
    log_in(provider_for(fake, cache), fake)
    for key in cache.entries:
        cache.entries[key] = '{"fetched_at": 1900000000, "text": "{}"}'
    assert log_in(provider_for(fake, cache), fake)


def test_a_cache_that_is_down_costs_requests_and_no_login(fake: FakeProvider) -> None:
    cache = MemoryCache()
    cache.is_down = True
    assert log_in(provider_for(fake, cache), fake)
    # T143: keys that were rotated are found; this process asks once a minute (T69).
    provider = provider_for(fake, cache)
    log_in(provider, fake)
    with fake.fault("rotated_key"):
        assert log_in(provider, fake)
    asked = fake.requests["jwks"]
    with fake.fault("id_token.key_not_found"), pytest.raises(InvalidProviderResponse):
        log_in(provider, fake)
    assert fake.requests["jwks"] == asked


def test_two_providers_never_share_a_key(fake: FakeProvider) -> None:
    # T85
    cache = MemoryCache()
    log_in(provider_for(fake, cache), fake)
    other = FakeProvider("https://other.example.com", now=lambda: NOW)
    log_in(provider_for(other, cache), other)
    assert other.requests["jwks"] == 1


@pytest.mark.parametrize(("age", "served"), [(86399, True), (86400, False)])
def test_old_documents_serve_for_a_day_while_the_provider_is_down(
    fake: FakeProvider, age: int, served: bool
) -> None:
    # T129; pains 11
    provider = provider_for(fake)
    log_in(provider, fake)
    with fake.fault("discovery.status"):
        if served:
            assert provider.metadata(now=NOW + age).issuer == ISSUER
        else:
            with pytest.raises(ProviderUnavailable):
                provider.metadata(now=NOW + age)


def test_a_provider_that_is_down_is_not_asked_again_at_once(fake: FakeProvider) -> None:
    # T129
    provider = provider_for(fake)
    codes = []
    with fake.fault("discovery.status"):
        for _ in range(10):
            with pytest.raises(ProviderUnavailable) as caught:
                provider.metadata(now=NOW)
            codes.append(caught.value.code)
    assert fake.requests["discovery"] == 1
    assert codes == ["discovery.status", *["discovery.recently_failed"] * 9]


def test_a_new_key_is_found_with_one_more_request(fake: FakeProvider) -> None:
    # T86; pains 11
    provider = provider_for(fake)
    log_in(provider, fake)
    with fake.fault("rotated_key"):
        log_in(provider, fake)
        log_in(provider, fake)
    assert fake.requests["jwks"] == 2


def test_a_thousand_invented_keys_cost_one_request(fake: FakeProvider) -> None:
    # T69; pains 11
    provider = provider_for(fake)
    log_in(provider, fake)
    for _ in range(50):
        with fake.fault("bad_signature"), pytest.raises(InvalidProviderResponse):
            log_in(provider, fake)
    assert fake.requests["jwks"] == 2
    assert log_in(provider, fake)


def test_a_bad_answer_never_replaces_good_keys(fake: FakeProvider) -> None:
    # pains 11
    provider = provider_for(fake)
    log_in(provider, fake)
    with (
        fake.fault("jwks.no_usable_key"),
        fake.fault("bad_signature"),
        pytest.raises(InvalidProviderResponse) as caught,
    ):
        log_in(provider, fake)
    assert caught.value.code == "id_token.signature"
    assert log_in(provider, fake)


def test_another_processs_new_document_is_taken() -> None:
    cache = MemoryCache()
    texts = iter(["one", "two"])

    def document() -> CachedDocument[str]:
        def fetch() -> tuple[str, str]:
            text = next(texts)
            return text, text

        return CachedDocument("d", cache=cache, fetch=fetch, parse=str)

    mine, theirs = document(), document()
    assert mine.get(now=NOW) == theirs.get(now=NOW) == "one"
    assert theirs.refetch(now=NOW + 5) == "two"
    assert mine.refetch(now=NOW + 6) == "two"


def test_single_endpoints_replace_what_the_metadata_says(fake: FakeProvider) -> None:
    # T85: what is cached is what came over the wire
    cache = MemoryCache()
    out = {"end_session_endpoint": "https://id.example.com/other-way-out"}
    for _ in range(2):
        metadata = provider_for(fake, cache, endpoints=out).metadata(now=NOW)
        assert metadata.end_session_endpoint == out["end_session_endpoint"]
        assert metadata.token_endpoint == fake.endpoints["token_endpoint"]
    plain = provider_for(fake, cache).metadata(now=NOW)
    assert plain.end_session_endpoint == fake.endpoints["end_session_endpoint"]
    assert fake.requests["discovery"] == 1


def test_a_single_endpoint_is_judged_as_the_metadatas_are(fake: FakeProvider) -> None:
    # T45
    provider = provider_for(fake, endpoints={"jwks_uri": "http://id.example.com/keys"})
    with pytest.raises(InvalidProviderResponse) as caught:
        log_in(provider, fake)
    assert caught.value.code == "discovery.insecure_endpoint"


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_without_metadata_the_settings_say_what_may_sign(alg: str) -> None:
    fake = FakeProvider(alg=alg, now=lambda: NOW)
    endpoints = {**ENDPOINTS, "jwks_uri": fake.endpoints["jwks_uri"]}
    provider = provider_for(fake, endpoints=endpoints)
    assert log_in(provider, fake).subject == "alice-0001"
    assert fake.requests["discovery"] == 0

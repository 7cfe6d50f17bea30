"""Metadata: each member is taken as it is, and where it may lead."""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    discovery_request,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from tests.protocol.answers import answer, refusal
from tests.protocol.tokens import ISSUER

BACKEND = "http://keycloak:8080"
GOOD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}
WHOLE: dict[str, Any] = {
    **GOOD,
    "jwks_uri": f"{ISSUER}/jwks",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "end_session_endpoint": f"{ISSUER}/logout",
    "emails_endpoint": f"{ISSUER}/emails",
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
    "id_token_signing_alg_values_supported": ["ES384"],
    "userinfo_signing_alg_values_supported": ["ES512"],
    "authorization_response_iss_parameter_supported": True,
    "prompt_values_supported": ["login", "create"],
    "mtls_endpoint_aliases": {
        "token_endpoint": "https://mtls.example.com/token",
        "userinfo_endpoint": "https://mtls.example.com/userinfo",
        "jwks_uri": "https://mtls.example.com/jwks",
    },
}


def parsed(document: dict[str, Any], **options: Any) -> ServerMetadata:
    return parse_metadata(document, MetadataSource(**{"issuer": ISSUER, **options}))


def refused(document: dict[str, Any], **options: Any) -> str:
    with pytest.raises(InvalidProviderResponse) as caught:
        parsed(document, **options)
    return caught.value.code


def test_every_member_is_taken_as_it_is() -> None:
    expected: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in WHOLE.items()
    }
    expected["mtls_endpoint_aliases"] = {
        "token_endpoint": "https://mtls.example.com/token",
        "userinfo_endpoint": "https://mtls.example.com/userinfo",
    }
    assert parsed(WHOLE) == ServerMetadata(**expected)


def test_a_member_that_is_missing_is_what_the_standard_says() -> None:
    # RFC 8414 2
    metadata = parsed(GOOD)
    assert metadata == ServerMetadata(**GOOD)
    assert metadata.token_endpoint_auth_methods_supported == ("client_secret_basic",)
    assert metadata.id_token_signing_alg_values_supported == ("RS256",)
    assert metadata.userinfo_signing_alg_values_supported is None
    assert metadata.prompt_values_supported == ()
    assert metadata.token_endpoint_auth_signing_alg_values_supported == ()
    assert metadata.authorization_response_iss_parameter_supported is False
    assert metadata.mtls_endpoint_aliases == {}


def test_a_member_that_is_null_is_missing() -> None:
    assert parsed({**GOOD, **{n: None for n in WHOLE if n not in GOOD}}) == (
        ServerMetadata(**GOOD)
    )


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"issuer"}))
def test_a_member_of_another_type_is_refused(name: str) -> None:
    assert refused({**WHOLE, name: 1}) == "discovery.invalid_member"


@pytest.mark.parametrize(
    "name",
    [
        *("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"),
        *("end_session_endpoint", "emails_endpoint"),
    ],
)
def test_every_endpoint_is_https_or_at_this_machine(name: str) -> None:
    # T45
    plain, here = "http://id.example.com/x", "http://localhost:8000/x"
    assert refused({**WHOLE, name: plain}) == "discovery.insecure_endpoint"
    assert refused({**WHOLE, name: here}) == "discovery.insecure_endpoint"
    document = {**WHOLE, name: here}
    assert getattr(parsed(document, allow_http_loopback=True), name) == here


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("token_endpoint", True),
        ("jwks_uri", True),
        ("userinfo_endpoint", True),
        ("authorization_endpoint", False),
        ("end_session_endpoint", False),
    ],
)
def test_what_only_this_server_asks_may_be_behind(name: str, passes: bool) -> None:
    document = {**WHOLE, name: f"{BACKEND}/x"}
    if passes:
        metadata = parsed(document, backend_base_url=BACKEND)
        assert getattr(metadata, name) == f"{BACKEND}/x"
    else:
        code = refused(document, backend_base_url=BACKEND)
        assert code == "discovery.insecure_endpoint"
    assert refused(document) == "discovery.insecure_endpoint"


@pytest.mark.parametrize(
    "url",
    [
        "http://keycloak:8081/x",
        "http://keycloak/x",
        "https://a@keycloak:8080/x",
        "http://keycloak:8080/x#y",
        "http://keycloak:8080/<x>",
        "http://keycloak:8080@evil.example/x",
        "http://[",
        "http://localhost/x",
    ],
)
def test_nothing_else_is_behind(url: str) -> None:
    code = refused({**WHOLE, "jwks_uri": url}, backend_base_url=BACKEND)
    assert code == "discovery.insecure_endpoint"


def test_a_response_is_judged_as_its_document_is() -> None:
    def judged(response: ProviderResponse, **options: Any) -> ServerMetadata:
        source = MetadataSource(**{"issuer": ISSUER, **options})
        return parse_discovery_response(response, source)

    assert judged(answer(WHOLE)) == parsed(WHOLE)
    behind = {**WHOLE, "jwks_uri": f"{BACKEND}/jwks"}
    metadata = judged(answer(behind), backend_base_url=BACKEND)
    assert metadata.jwks_uri == f"{BACKEND}/jwks"
    here = {**WHOLE, "jwks_uri": "http://127.0.0.1/jwks"}
    assert judged(answer(here), allow_http_loopback=True).jwks_uri
    with pytest.raises(InvalidProviderResponse):
        judged(answer(behind))


def test_the_document_is_asked_for_where_the_standard_or_the_settings_say() -> None:
    well_known = f"{ISSUER}/.well-known/openid-configuration"
    expected = ProviderRequest(
        "GET", well_known, "discovery", {"Accept": "application/json"}
    )
    assert discovery_request(MetadataSource(issuer=ISSUER)) == expected
    assert discovery_request(MetadataSource(issuer=f"{ISSUER}/")) == expected
    elsewhere = discovery_request(
        MetadataSource(issuer=ISSUER, discovery_url="https://a.example/d")
    )
    assert elsewhere.url == "https://a.example/d"


def test_another_spelling_of_the_scheme_is_not_behind() -> None:
    # T45
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": "HTTP://localhost:8080/token",
    }
    code, _ = refusal(
        lambda: parse_metadata(
            document,
            MetadataSource(issuer=ISSUER, backend_base_url="http://localhost:8080"),
        )
    )
    assert code == "discovery.insecure_endpoint"

"""Metadata: each member is taken as it is, and where it may lead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    check_usable,
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
    """The error of parsing it, or of a login that needs what is wrong in it."""

    def parse_and_need() -> None:
        metadata = parsed(document, **options)
        for name in metadata.unusable:
            check_usable(metadata, name)

    code, _ = refusal(parse_and_need)
    return code


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


EMPTY: list[Any] = [None, "", [], {}]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("name", sorted(WHOLE.keys() - GOOD.keys()))
def test_an_empty_member_says_nothing(name: str, empty: object) -> None:
    without = {n: v for n, v in WHOLE.items() if n != name}
    assert parsed({**WHOLE, name: empty}) == parsed(without)


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_empty_member_that_is_required_is_missing(name: str, empty: object) -> None:
    # T37
    assert refused({**WHOLE, name: empty}) == "discovery.invalid_member"


@pytest.mark.parametrize("name", [n for n in WHOLE if n.endswith("_supported")])
def test_an_empty_item_of_a_list_says_nothing(name: str) -> None:
    if isinstance(WHOLE[name], list):
        assert parsed({**WHOLE, name: [None, *WHOLE[name], ""]}) == parsed(WHOLE)


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"issuer"}))
def test_a_member_of_another_type_is_refused(name: str) -> None:
    assert refused({**WHOLE, name: 1}) == "discovery.invalid_member"


ESSENTIAL = {*GOOD, "authorization_response_iss_parameter_supported"}


@pytest.mark.parametrize("value", [1, True, "x", "http://a.example", [1], {"a": 1}])
@pytest.mark.parametrize("name", sorted(WHOLE.keys() - ESSENTIAL))
def test_what_is_wrong_with_a_member_that_not_every_login_needs_is_only_noted(
    name: str, value: object
) -> None:
    # T35, T43, T45: nothing takes its place but what the standard says of its absence
    metadata = parsed({**WHOLE, name: value})
    noted = [noted for noted in metadata.unusable if noted.startswith(name)]
    if name == "mtls_endpoint_aliases" and isinstance(value, dict):
        assert not noted  # of no endpoint that we know
    else:
        assert noted
    without = parsed({n: v for n, v in WHOLE.items() if n != name})
    assert replace(metadata, unusable={}) == without
    for name in metadata.unusable:
        with pytest.raises(InvalidProviderResponse):
            check_usable(metadata, name)


@pytest.mark.parametrize("value", ["true", "false", 1, 0, ["x"]])
def test_whether_iss_comes_is_never_guessed(value: object) -> None:
    # T35
    name = "authorization_response_iss_parameter_supported"
    with pytest.raises(InvalidProviderResponse) as caught:
        parsed({**WHOLE, name: value})
    assert caught.value.code == "discovery.invalid_member"


@pytest.mark.parametrize("name", ["jwks_uri", "userinfo_endpoint", "token_endpoint"])
def test_what_the_settings_say_takes_the_place_of_what_is_wrong(name: str) -> None:
    own = "https://own.example/x"
    metadata = parsed({**WHOLE, name: "http://a.example"}, endpoints={name: own})
    assert getattr(metadata, name) == own
    assert metadata.unusable == {}
    # RFC 8705 5: nor does an alias of the metadata stand above it.
    assert name not in metadata.mtls_endpoint_aliases
    # The issuer is always judged.
    assert refused({**WHOLE, "issuer": "https://evil.example"}, endpoints={name: own})


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
    assert judged(answer(behind)).jwks_uri is None
    assert "jwks_uri" in judged(answer(behind)).unusable


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

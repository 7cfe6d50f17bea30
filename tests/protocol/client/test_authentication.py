"""Who we are at the token endpoint: exactly one method, and what it proves."""

from __future__ import annotations

import base64
import json
import string
from typing import Any
from urllib.parse import unquote_plus

import jwt
import pytest

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.authorization import AuthorizationCode
from oauth_login.protocol.client.authentication import (
    METHODS,
    authenticate,
    authentication_method,
    mtls_alias,
)
from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    parse_metadata,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.token import code_request, parse_token_response
from tests.keys import new_pem
from tests.protocol.tokens import METADATA

NOW = 1_900_000_000.9
ISSUER = "https://id.example.com"
TOKEN = f"{ISSUER}/token"
MTLS = "https://mtls.id.example.com"
EC = parse_client_key(new_pem("P-256"))
RSA = parse_client_key(new_pem("RSA"), kid="rsa-1")
ED = parse_client_key(new_pem("Ed25519"))
LONG = "s" * 64


def metadata(*methods: str, **changes: Any) -> ServerMetadata:
    return ServerMetadata(
        **{
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": TOKEN,
            "token_endpoint_auth_methods_supported": methods,
            **changes,
        }
    )


def client(method: str = "auto", **options: Any) -> Client:
    return Client(client_id="site", token_endpoint_auth_method=method, **options)


def request(of: Client, at: ServerMetadata) -> ProviderRequest:
    return code_request(
        AuthorizationCode("code"),
        code_verifier="verifier",
        redirect_uri="https://app.example.com/cb",
        client=of,
        metadata=at,
        now=NOW,
    )


def refused(of: Client, at: ServerMetadata) -> dict[str, Any]:
    with pytest.raises(ConfigurationError) as caught:
        request(of, at)
    assert caught.value.code == "config.client_auth"
    return caught.value.detail


# --- which one


@pytest.mark.parametrize(
    ("options", "supported", "method"),
    [
        ({}, ("client_secret_basic",), "none"),
        ({}, ("none",), "none"),
        ({}, (), "none"),
        (
            {"client_secret": "s"},
            ("client_secret_post", "client_secret_basic"),
            "client_secret_basic",
        ),
        (
            {"client_secret": "s"},
            ("private_key_jwt", "client_secret_post"),
            "client_secret_post",
        ),
        ({"client_secret": LONG}, ("client_secret_jwt",), "client_secret_jwt"),
        ({"keys": (EC,)}, ("none", "private_key_jwt"), "private_key_jwt"),
        ({"has_certificate": True}, ("tls_client_auth",), "tls_client_auth"),
        (
            {"has_certificate": True},
            ("self_signed_tls_client_auth",),
            "self_signed_tls_client_auth",
        ),
        (
            {"has_certificate": True, "keys": (EC,)},
            ("private_key_jwt", "tls_client_auth"),
            "tls_client_auth",
        ),
        # What is there was registered to be used: never something else instead.
        (
            {"client_secret": "s", "keys": (EC,), "has_certificate": True},
            ("private_key_jwt", "tls_client_auth", "client_secret_basic"),
            "client_secret_basic",
        ),
    ],
)
def test_the_method_is_the_best_that_both_have(
    options: dict[str, Any], supported: tuple[str, ...], method: str
) -> None:
    # T54; pains 33
    assert authentication_method(client(**options), metadata(*supported)) == method


@pytest.mark.parametrize(
    ("options", "supported"),
    [
        ({"client_secret": "s"}, ("private_key_jwt",)),
        ({"client_secret": "s"}, ("none",)),
        ({"client_secret": "s"}, ()),
        ({"client_secret": "s", "keys": (EC,)}, ("private_key_jwt",)),
        ({"keys": (EC,)}, ("client_secret_basic",)),
        ({"has_certificate": True}, ("client_secret_basic",)),
    ],
)
def test_no_common_method_is_our_problem(
    options: dict[str, Any], supported: tuple[str, ...]
) -> None:
    # T54: and nothing is tried
    detail = refused(client(**options), metadata(*supported))
    assert detail["received"] == supported


@pytest.mark.parametrize("method", METHODS)
def test_what_the_settings_say_is_used_whatever_the_provider_says(method: str) -> None:
    # T54: never tried in turn
    of = client(method, client_secret=LONG, keys=(EC,), has_certificate=True)
    assert authentication_method(of, metadata("client_secret_post")) == method


@pytest.mark.parametrize(
    ("method", "sent"),
    [
        ("none", {"client_id"}),
        ("client_secret_basic", {"Authorization"}),
        ("client_secret_post", {"client_id", "client_secret"}),
        (
            "client_secret_jwt",
            {"client_id", "client_assertion", "client_assertion_type"},
        ),
        ("private_key_jwt", {"client_id", "client_assertion", "client_assertion_type"}),
        ("tls_client_auth", {"client_id"}),
        ("self_signed_tls_client_auth", {"client_id"}),
        ("signed_client_secret", {"client_id", "client_secret"}),
    ],
)
def test_exactly_one_method_is_sent(method: str, sent: set[str]) -> None:
    # T54; pains 33: also with everything at hand that another would need
    of = client(method, client_secret=LONG, keys=(EC,), has_certificate=True)
    got = request(of, metadata())
    form = dict(got.form or {})
    assert form.pop("grant_type") == "authorization_code"
    assert form.pop("code") == "code"
    assert form.pop("code_verifier") == "verifier"
    assert form.pop("redirect_uri") == "https://app.example.com/cb"
    headers = {name: v for name, v in got.headers.items() if name != "Accept"}
    assert form.keys() | headers.keys() == sent
    assert form.get("client_id", "site") == "site"
    assert LONG not in repr(got) + repr(of)  # T122


# --- by secret


@pytest.mark.parametrize("raw", [False, True])
def test_a_secret_arrives_as_it_is(raw: bool) -> None:
    # T54; pains 34
    secret = string.punctuation + " ü€\t"
    of = client(
        "client_secret_basic",
        client_secret=secret,
        deviations=Deviations(raw_basic=raw),
    )
    _, _, credentials = request(of, metadata()).headers["Authorization"].partition(" ")
    user, _, password = base64.b64decode(credentials).decode().partition(":")
    decoded = password if raw else unquote_plus(password)
    assert (user, decoded) == ("site", secret)
    assert (password == secret) is raw


def test_a_colon_in_the_id_would_name_another_client() -> None:
    # T54; RFC 7617 2
    options: dict[str, Any] = {
        "client_id": "site:1",
        "client_secret": "s",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    raw = Client(**options, deviations=Deviations(raw_basic=True))
    assert refused(raw, metadata())["expected"] == "no ':' in the ID"
    _, headers = authenticate({}, client=Client(**options), metadata=metadata(), now=0)
    assert base64.b64decode(headers["Authorization"][6:]) == b"site%3A1:s"


@pytest.mark.parametrize(
    ("length", "supported", "alg"),
    [
        (32, (), "HS256"),
        (47, ("HS384", "HS256"), "HS256"),
        (47, ("HS384",), None),
        (48, ("HS384",), "HS384"),
        (63, ("HS512",), None),
        (64, ("HS512",), "HS512"),
        (64, ("HS512", "HS256"), "HS256"),
        (64, ("RS256", "ES256"), None),
        (31, (), None),
        (31, ("HS256",), None),
    ],
)
def test_a_secret_signs_with_what_it_is_long_enough_for(
    length: int, supported: tuple[str, ...], alg: str | None
) -> None:
    # T66; RFC 7518 3.2
    of = client("client_secret_jwt", client_secret="s" * length)
    at = metadata(token_endpoint_auth_signing_alg_values_supported=supported)
    if alg is None:
        assert refused(of, at)["received"] == supported
        return
    assertion = (request(of, at).form or {})["client_assertion"]
    assert jwt.get_unverified_header(assertion) == {"alg": alg, "typ": "JWT"}
    claims = jwt.decode(
        assertion, "s" * length, algorithms=[alg], options=UNDATED, audience=ISSUER
    )
    assert claims["iss"] == claims["sub"] == "site"


# --- by key

UNDATED: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


def assertion_of(of: Client, at: ServerMetadata) -> str:
    form = request(of, at).form or {}
    assert form["client_assertion_type"] == (
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    )
    return form["client_assertion"]


def test_an_assertion_is_for_the_issuer_and_for_a_minute() -> None:
    # T38; RFC 7523 3
    at = metadata("private_key_jwt")
    assertion = assertion_of(client(keys=(EC, RSA)), at)
    claims = jwt.decode(
        assertion,
        EC.private_key.public_key(),
        algorithms=["ES256"],
        audience=ISSUER,
        options=UNDATED,
    )
    jti = claims.pop("jti")
    assert claims == {
        "iss": "site",
        "sub": "site",
        # One string, and not the token endpoint that the metadata names.
        "aud": ISSUER,
        "iat": int(NOW),
        "exp": int(NOW) + 60,
    }
    assert len(jti) == 43
    header = jwt.get_unverified_header(assertion)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": EC.kid}


def test_no_assertion_is_made_twice() -> None:
    # T38
    of, at = client(keys=(EC,)), metadata("private_key_jwt")
    jtis = {
        jwt.decode(assertion_of(of, at), options={"verify_signature": False})["jti"]
        for _ in range(50)
    }
    assert len(jtis) == 50


def test_metadata_that_names_another_token_endpoint_gets_nothing_for_it() -> None:
    # T38: an assertion that a hostile provider could use elsewhere is not made
    at = metadata("private_key_jwt", token_endpoint="https://honest.example.com/token")
    claims = jwt.decode(
        assertion_of(client(keys=(EC,)), at), options={"verify_signature": False}
    )
    assert "honest" not in json.dumps(claims)


def test_a_switch_makes_assertions_for_the_token_endpoint() -> None:
    of = client(keys=(EC,), deviations=Deviations(audience_is_token_endpoint=True))
    claims = jwt.decode(
        assertion_of(of, metadata("private_key_jwt")),
        options={"verify_signature": False},
    )
    assert claims["aud"] == TOKEN


@pytest.mark.parametrize(
    ("key", "supported", "alg"),
    [
        (RSA, (), "RS256"),
        (RSA, ("PS256",), "PS256"),
        (RSA, ("ES256", "PS512"), "PS512"),
        (RSA, ("PS256", "RS256"), "RS256"),
        (RSA, ("ES256",), None),
        (EC, ("RS256", "ES256"), "ES256"),
        (EC, ("ES384",), None),
        (ED, ("EdDSA",), "EdDSA"),
        (ED, ("RS256",), None),
    ],
)
def test_a_key_signs_with_what_the_provider_announces(
    key: Any, supported: tuple[str, ...], alg: str | None
) -> None:
    # pains 33
    of = client("private_key_jwt", keys=(key,))
    at = metadata(token_endpoint_auth_signing_alg_values_supported=supported)
    if alg is None:
        assert refused(of, at)["received"] == supported
        return
    assertion = assertion_of(of, at)
    assert jwt.get_unverified_header(assertion)["alg"] == alg
    public = key.private_key.public_key()
    assert jwt.decode(
        assertion, public, algorithms=[alg], audience=ISSUER, options=UNDATED
    )


def test_without_a_key_nothing_is_signed() -> None:
    assert refused(client("private_key_jwt"), metadata())["expected"] == "CLIENT_KEYS"


@pytest.mark.parametrize("team_id", [None, "TEAM"])
def test_a_client_secret_may_be_signed_for_each_request(team_id: str | None) -> None:
    # Apple: one that is made by hand ends after six months
    of = client("signed_client_secret", keys=(EC,), team_id=team_id)
    secret = (request(of, metadata()).form or {})["client_secret"]
    assert jwt.get_unverified_header(secret)["kid"] == EC.kid
    claims = jwt.decode(
        secret,
        EC.private_key.public_key(),
        algorithms=["ES256"],
        audience=ISSUER,
        options=UNDATED,
    )
    assert claims == {
        "iss": team_id or "site",
        "sub": "site",
        "aud": ISSUER,
        "iat": int(NOW),
        "exp": int(NOW) + 60,
    }


# --- by certificate

ALIASES = {"token_endpoint": f"{MTLS}/token", "userinfo_endpoint": f"{MTLS}/userinfo"}


@pytest.mark.parametrize(
    ("method", "aliased"),
    [
        ("tls_client_auth", True),
        ("self_signed_tls_client_auth", True),
        ("client_secret_basic", False),
        ("private_key_jwt", False),
        ("none", False),
    ],
)
def test_a_certificate_is_shown_where_the_provider_asks_for_one(
    method: str, aliased: bool
) -> None:
    # RFC 8705 5
    of = client(method, client_secret="s", keys=(EC,), has_certificate=True)
    at = metadata(mtls_endpoint_aliases=ALIASES)
    assert request(of, at).url == (f"{MTLS}/token" if aliased else TOKEN)
    alias = mtls_alias("userinfo_endpoint", client=of, metadata=at)
    assert alias == (f"{MTLS}/userinfo" if aliased else None)


def test_without_an_alias_the_usual_endpoint_is_asked() -> None:
    of = client("tls_client_auth", has_certificate=True)
    assert request(of, metadata()).url == TOKEN
    assert mtls_alias("userinfo_endpoint", client=of, metadata=metadata()) is None


@pytest.mark.parametrize(
    ("aliases", "code"),
    [
        ({"token_endpoint": "http://mtls.example.com"}, "discovery.insecure_endpoint"),
        ({"userinfo_endpoint": "https://a@b.example"}, "discovery.insecure_endpoint"),
        ({"token_endpoint": 5}, "discovery.invalid_member"),
        ([1], "discovery.invalid_member"),
        ("x", "discovery.invalid_member"),
        ([], None),
        ("", None),
        ({"token_endpoint": "", "userinfo_endpoint": None}, None),
        ({"token_endpoint": f"{MTLS}/token", "other_endpoint": 5}, None),
        (None, None),
    ],
)
def test_an_alias_is_judged_as_any_endpoint(aliases: Any, code: str | None) -> None:
    # T43, T45, T49
    document = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/a",
        "token_endpoint": TOKEN,
        "mtls_endpoint_aliases": aliases,
    }
    seen = None
    try:
        parsed = parse_metadata(document, MetadataSource(issuer=ISSUER))
        of = client("tls_client_auth", has_certificate=True)
        for name in ("token_endpoint", "userinfo_endpoint"):
            mtls_alias(name, client=of, metadata=parsed)
            # No client without a certificate asks there.
            assert mtls_alias(name, client=client("none"), metadata=parsed) is None
        assert set(parsed.mtls_endpoint_aliases) <= {"token_endpoint"}
    except Exception as error:
        seen = getattr(error, "code", repr(error))
    assert seen == code


# --- refused


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
@pytest.mark.parametrize("method", METHODS)
def test_a_refused_client_is_told_which_method_it_used(method: str, error: str) -> None:
    # pains 33
    of = client(method, client_secret=LONG, keys=(EC,), has_certificate=True)
    body = json.dumps({"error": error, "error_description": "no\r\nno"}).encode()
    with pytest.raises(ConfigurationError) as caught:
        parse_token_response(
            ProviderResponse(401, {"content-type": "application/json"}, body),
            client=of,
            metadata=metadata("client_secret_post", "private_key_jwt"),
        )
    assert caught.value.code == "config.client_refused"
    assert caught.value.detail["method"] == method
    assert caught.value.detail["methods_supported"] == (
        "client_secret_post",
        "private_key_jwt",
    )
    assert caught.value.detail["description"] == "no??no"
    assert LONG not in str(caught.value.detail)


def test_a_method_that_the_settings_name_is_the_one() -> None:
    client = Client(client_id="site", token_endpoint_auth_method="none")
    assert authentication_method(client, METADATA) == "none"

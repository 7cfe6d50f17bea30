"""A provider's documents: metadata, keys, tokens, userinfo, addresses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.claims import BOOLEANS, TEXTS, is_subject, standard_claims
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import ProviderResponse
from oauth_login.protocol.jose.jwks import (
    KeySet,
    VerifyingKey,
    find_keys,
    parse_jwks_response,
    parse_key_set,
)
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.members import without_empty_claims
from oauth_login.protocol.token import parse_token_response
from oauth_login.protocol.urls import is_allowed_url
from oauth_login.protocol.userinfo import (
    EMAIL_CLAIMS,
    PROTOCOL_CLAIMS,
    merged_claims,
    parse_emails_response,
    parse_user_document,
    parse_userinfo_response,
)
from oauth_login.testing.keys import SigningKey
from tests.properties.strategies import (
    any_text,
    bodies,
    changed,
    headers,
    json_objects,
    json_values,
    judged,
    response,
    statuses,
    text,
)
from tests.providers.corpus import documents

ISSUER = "https://id.example.com"
CLIENT = Client(client_id="site", client_secret="secret")
METADATA = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    id_token_signing_alg_values_supported=("EdDSA", "ES256", "RS256"),
)
KEYS = {alg: SigningKey(alg, f"key-{alg}") for alg in ("EdDSA", "ES256", "RS256")}
KEY_SET = parse_key_set(json.dumps({"keys": [key.jwk() for key in KEYS.values()]}))

# Any answer at all: to whatever was asked for.
answers = st.builds(ProviderResponse, statuses, headers, bodies)

urls = st.sampled_from(
    [f"{ISSUER}/token", "https://id.example.com:8443/a?b=c", "http://127.0.0.1/x"]
    + ["http://localhost:8000/", "http://[::1]/", "https://[", "http://[", "https://"]
    + ["https://a@id.example.com/", "https://id.example.com/#", "https://x:0/"]
    + ["https://x:99999/", "javascript:alert(1)", "//id.example.com", "HTTPS://X/"]
    + ["https://id.example.com\\@evil.example", "https://127.1/", "ftp://x/", ""]
    + [f"https://{'a' * 254}/", "https://\u2460.example/", "http://evil.example/"]
) | st.text(st.sampled_from("htps:/[]@\\#?%.:1a\u00e9\n ")).map("https://".__add__)
GOOD_METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}
URL_MEMBERS = (
    *("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"),
    *("end_session_endpoint", "emails_endpoint"),
)
lists = st.lists(text | st.integers(), max_size=4)
near_metadata = changed(
    documents("discovery", GOOD_METADATA),
    {
        "issuer": st.sampled_from([f"{ISSUER}/", f"{ISSUER}//", "https://evil.example"])
        | urls,
        **dict.fromkeys(URL_MEMBERS, urls),
        "mtls_endpoint_aliases": st.dictionaries(
            st.sampled_from(["token_endpoint", "userinfo_endpoint", "jwks_uri"]),
            urls | json_values,
        ),
        "authorization_response_iss_parameter_supported": st.sampled_from(
            [True, False, "true", 1, None]
        ),
        **dict.fromkeys(
            (
                "token_endpoint_auth_methods_supported",
                "id_token_signing_alg_values_supported",
                "prompt_values_supported",
            ),
            lists,
        ),
    },
)


@given(urls | any_text, st.booleans())
def test_a_url_that_is_allowed_is_https_at_a_plain_host_or_this_machine(
    url: str, loopback: bool
) -> None:
    # T45, T49
    if is_allowed_url(url, allow_http_loopback=loopback):
        parts = urlsplit(url)
        assert parts.scheme == "https" or (
            loopback and parts.hostname in ("localhost", "127.0.0.1", "::1")
        )
        assert parts.hostname
        assert parts.username is None
        assert not parts.fragment
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(' \\"<>^`{|}#@') - {"@"}
        assert "@" not in parts.netloc
        assert parts.port != 0


@given(
    near_metadata | json_objects,
    st.booleans(),
    st.sampled_from([None, "http://keycloak:8080"]),
)
@example({**GOOD_METADATA, "jwks_uri": "http://["}, False, "http://keycloak:8080")
def test_metadata_is_the_expected_issuers_and_leads_to_allowed_urls_alone(
    document: dict[str, Any], loopback: bool, backend: str | None
) -> None:
    # T35, T37, T45
    metadata = judged(
        lambda: parse_metadata(
            document,
            MetadataSource(
                issuer=ISSUER, allow_http_loopback=loopback, backend_base_url=backend
            ),
        )
    )
    if metadata is None:
        return
    assert metadata.issuer == document["issuer"]
    assert metadata.issuer in (ISSUER, f"{ISSUER}/")
    for name in URL_MEMBERS:
        url = getattr(metadata, name)
        if url is None:
            # Absent, empty, or noted for a login that needs it.
            assert (name in metadata.unusable) == (
                document.get(name) not in (None, "", [], {})
            )
            continue
        assert url == document.get(name)
        assert is_allowed_url(url, allow_http_loopback=loopback) or (
            backend is not None and url.startswith(backend)
        )
    assert all(
        is_allowed_url(url, allow_http_loopback=loopback)
        or url.startswith(str(backend))
        for url in metadata.mtls_endpoint_aliases.values()
    )
    announced = document.get("authorization_response_iss_parameter_supported")
    assert metadata.authorization_response_iss_parameter_supported is bool(announced)
    for name in ("prompt_values_supported", "id_token_signing_alg_values_supported"):
        assert all(isinstance(value, str) for value in getattr(metadata, name))


@given(answers)
def test_any_answer_to_any_question_ends_in_a_document_or_in_an_error_of_ours(
    answer: ProviderResponse,
) -> None:
    # T51, T52, T53
    judged(lambda: parse_discovery_response(answer, MetadataSource(issuer=ISSUER)))
    judged(lambda: parse_jwks_response(answer))
    judged(lambda: parse_token_response(answer, client=CLIENT, metadata=METADATA))
    judged(lambda: parse_user_document(answer, subject_field="id"))
    judged(lambda: parse_emails_response(answer))
    judged(lambda: userinfo(answer))


# --- keys

jwk_values = {
    "kty": st.sampled_from(["RSA", "EC", "OKP", "oct", "rsa", "", None, ["RSA"]]),
    "crv": st.sampled_from(["P-256", "P-384", "P-521", "Ed25519", "Ed448", "", None]),
    "use": st.sampled_from(["sig", "enc", None]),
    "alg": st.sampled_from(["RS256", "ES256", "EdDSA", "RSA-OAEP", None]),
    "key_ops": st.sampled_from([["verify"], ["sign"], [], "verify", None]),
    "kid": st.sampled_from(["key-RS256", "", None]),
    "issuer": st.just(ISSUER),
    **dict.fromkeys(
        ("n", "e", "x", "y"), st.sampled_from(["", "AQAB", "AQ", "Aw", "*", "A" * 3000])
    ),
    **dict.fromkeys(("d", "p", "q", "k"), st.sampled_from(["c2VjcmV0", "", None])),
}
near_keys = changed(
    [jwk for key in KEYS.values() for jwk in documents("jwks", key.jwk())], jwk_values
)


@given(
    st.lists(near_keys | json_values, max_size=4) | json_values,
    st.sampled_from([*KEYS, "PS256", "ES384", "HS256", "none", "enc"]),
    st.sampled_from([None, "key-RS256", "key-EdDSA", ""]),
)
@example([{"kty": ["RSA"]}], "RS256", None)
def test_a_key_is_found_if_it_is_public_strong_and_made_for_that(
    keys: object, alg: str, kid: str | None
) -> None:
    # T67, T69, T71, T72
    body = json.dumps({"keys": keys}).encode()
    key_set = judged(lambda: parse_jwks_response(response(body)))
    if not isinstance(keys, list) or key_set is None:
        assert key_set is None
        return
    assert 1 <= len(key_set.entries) <= 50
    found = find_keys(key_set, alg=alg, kid=kid)
    assert len(found) <= 4
    entries = [key for key in keys if isinstance(key, dict)]
    fitting = [
        key
        for key in entries
        if not any(key.get(name) for name in ("d", "p", "q", "k"))
        and (key.get("use") or "sig") == "sig"
        and (key.get("alg") or alg) == alg
        and (kid is None or (key.get("kid") or kid) == kid)
    ]
    assert len(found) <= len(fitting)
    for key in found:
        match key.public_key:
            case rsa.RSAPublicKey() as public:
                assert alg in ("RS256", "PS256")
                assert 2048 <= public.key_size <= 8192
            case ec.EllipticCurvePublicKey() as public:
                assert (alg, public.curve.name) in (
                    ("ES256", "secp256r1"),
                    ("ES384", "secp384r1"),
                )
            case public:
                assert alg == "EdDSA"
                assert isinstance(public, ed25519.Ed25519PublicKey)


@given(st.lists(st.sampled_from([*KEYS]), min_size=1, max_size=6))
def test_a_key_set_kept_as_text_is_the_one_that_came(algs: list[str]) -> None:
    body = json.dumps({"keys": [KEYS[alg].jwk() for alg in algs]})
    key_set = parse_jwks_response(response(body.encode()))
    assert key_set == parse_key_set(body)
    for alg in algs:
        assert find_keys(key_set, alg=alg, kid=f"key-{alg}")


@given(any_text | bodies.map(lambda data: data.decode("latin-1")))
def test_a_text_that_is_no_key_set_is_refused_as_documented(kept: str) -> None:
    # T85
    with suppress(ValueError, InvalidProviderResponse):
        assert isinstance(parse_key_set(kept), KeySet)


# --- tokens

near_tokens = changed(
    documents(
        "token",
        {"access_token": "access", "token_type": "Bearer", "id_token": "a.b.c"},
    ),
    {
        "access_token": st.sampled_from(
            ["", None, "a" * 16385, "\u00e9", "a b", 0, False]
        ),
        "token_type": st.sampled_from(["bearer", "BEARER", "mac", "", "DPoP"]),
        "id_token": st.sampled_from(["", "x", None]),
        "expires_in": st.sampled_from([0, -1, 3600, 2**31, "3600", "\u0661", True]),
        "error": st.sampled_from(["invalid_grant", "invalid_client", "", None]),
        "error_description": st.text(),
    },
)


@given(near_tokens | json_objects, statuses, st.booleans())
def test_tokens_are_whole_and_of_the_right_types(
    document: dict[str, Any], status: int, is_openid: bool
) -> None:
    # T53, T60
    client = Client(client_id="site", scope="openid" if is_openid else "user")
    tokens = judged(
        lambda: parse_token_response(
            response(json.dumps(document).encode(), status),
            client=client,
            metadata=METADATA,
        )
    )
    access_token, token_type = document.get("access_token"), document.get("token_type")
    id_token = document.get("id_token")
    empty: tuple[Any, ...] = (None, "", [], {})
    whole = (
        status == 200
        and document.get("error") in empty
        and (
            is_openid
            if access_token in empty
            else isinstance(access_token, str)
            and all(" " <= letter <= "~" for letter in access_token)
            and isinstance(token_type, str)
            and token_type.lower() == "bearer"
        )
        and (not is_openid or (isinstance(id_token, str) and id_token != ""))
    )
    assert (tokens is not None) == whole
    if tokens is not None:
        assert tokens.access_token == (access_token or None)
        assert tokens.id_token == (id_token if is_openid else None)
        assert tokens.expires_in is None or type(tokens.expires_in) is int
        assert 0 <= (tokens.expires_in or 0) < 2**31


# --- userinfo


def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
    return find_keys(KEY_SET, alg=alg, kid=kid)


def userinfo(answer: ProviderResponse) -> Any:
    return parse_userinfo_response(
        answer,
        TokenContext(
            client=CLIENT, metadata=METADATA, find_keys=find, now=1_900_000_000
        ),
        expected_subject="alice",
    )


near_userinfo = changed(
    documents(
        "userinfo",
        {"sub": "alice", "iss": ISSUER, "aud": "site", "email": "alice@example.com"},
    ),
    {
        "sub": st.sampled_from(["bob", "Alice", "alice ", "", None]),
        "iss": st.sampled_from([f"{ISSUER}/", "https://evil.example"]),
        "aud": st.sampled_from([["site"], ["other", "site"], "other", [], "Site"]),
        "email_verified": st.sampled_from([True, False, "true", "false", 1]),
    },
)


@given(near_userinfo | json_objects)
def test_userinfo_is_about_the_person_of_the_id_token_signed_or_not(
    claims: dict[str, Any],
) -> None:
    # T61, T63
    plain = judged(lambda: userinfo(response(json.dumps(claims).encode())))
    assert (plain is not None) == (claims.get("sub") == "alice")

    token = KEYS["EdDSA"].sign({"alg": "EdDSA", "kid": "key-EdDSA"}, claims).encode()
    signed = judged(lambda: userinfo(response(token, content_type="application/jwt")))
    audiences = claims.get("aud")
    for_us = audiences == "site" or (
        isinstance(audiences, list)
        and "site" in audiences
        and all(isinstance(audience, str) for audience in audiences)
        and len(set(audiences)) == len(audiences)
    )
    assert (signed is not None) == (
        claims.get("sub") == "alice" and claims.get("iss") == ISSUER and for_us
    )
    assert signed in (None, without_empty_claims(claims))


@given(json_objects, json_values, st.sampled_from(["id", "data.id", ""]))
def test_a_user_document_has_a_subject_where_the_settings_say(
    claims: dict[str, Any], subject: Any, field: str
) -> None:
    # T82
    body = json.dumps({**claims, field: subject}).encode()
    found = judged(lambda: parse_user_document(response(body), subject_field=field))
    fits = is_subject(subject) or (type(subject) is int and len(str(subject)) <= 255)
    assert (found is not None) == fits
    if found is not None:
        assert found[0] == str(subject)
        assert is_subject(found[0])


@given(
    st.lists(
        changed(
            {"email": "alice@example.com", "primary": True, "verified": True},
            {
                "email": any_text.filter(lambda s: s.isascii()) | st.none(),
                **dict.fromkeys(
                    ("primary", "verified"),
                    st.sampled_from([True, False, None, 1, "true"]),
                ),
            },
        )
        | json_values,
        max_size=4,
    )
    | json_values
)
def test_an_address_is_one_that_is_primary_and_verified(entries: Any) -> None:
    # T94
    found = judged(
        lambda: parse_emails_response(response(json.dumps(entries).encode()))
    )
    good = [
        entry["email"]
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("email"), str)
        and entry.get("primary") is True
        and entry.get("verified") is True
    ]
    if not isinstance(entries, list):
        assert found is None
    elif good:
        assert found == {"email": good[0], "email_verified": True}
    else:
        assert found == {}


claim_names = st.sampled_from(
    ["sub", "iss", "nonce", "acr", "email", "email_verified", "name", "groups", "login"]
)
some_claims = st.dictionaries(
    claim_names, json_values | st.sampled_from(["true", "True", "false"]), max_size=6
)


@given(some_claims, some_claims)
def test_userinfo_adds_to_the_id_token_and_changes_nothing_of_it(
    id_token: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    # T62
    merged = merged_claims(id_token, userinfo)

    assert {name: merged[name] for name in id_token} == id_token
    assert merged.keys() <= id_token.keys() | userinfo.keys() - PROTOCOL_CLAIMS
    assert all(merged[n] == userinfo[n] for n in merged.keys() - id_token.keys())
    if id_token.keys() & EMAIL_CLAIMS:
        assert merged.keys() & EMAIL_CLAIMS == id_token.keys() & EMAIL_CLAIMS
    assert merged_claims(merged, userinfo) == merged


@given(
    some_claims, st.dictionaries(claim_names, claim_names, max_size=4), st.booleans()
)
def test_standard_claims_never_replace_what_the_provider_said(
    claims: dict[str, Any], aliases: dict[str, str], string_booleans: bool
) -> None:
    # T94
    deviations = Deviations(claim_aliases=aliases, string_booleans=string_booleans)
    standard = standard_claims(claims, deviations)

    def as_said(name: str, value: Any) -> Any:
        """Where one text is expected, the first of a list."""
        if name not in TEXTS or not isinstance(value, list):
            return value
        return value[0] if value and isinstance(value[0], str) else None

    for name in claims:
        if claims[name] is not None and name not in BOOLEANS:
            assert standard[name] == as_said(name, claims[name])
    for name in standard.keys() - claims.keys() - {*BOOLEANS}:
        assert standard[name] == as_said(name, claims[aliases[name]])
    # Which of several addresses is verified, the provider did not say.
    email = claims.get("email")
    if email is None:
        email = claims.get(aliases.get("email", ""))
    from_list = isinstance(email, list)
    if claims.get("email_verified") == "1" and not from_list:
        assert standard["email_verified"] == "1"
    assert not from_list or standard["email_verified"] in (None, False)
    if not string_booleans and not aliases and not from_list:
        assert standard == {n: as_said(n, value) for n, value in claims.items()}

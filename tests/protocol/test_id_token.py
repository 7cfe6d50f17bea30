"""ID tokens, signed userinfo and keys: one good one, then one change per row."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, RSAAlgorithm

from oauth_login.errors import (
    ConfigurationError,
    InvalidProviderResponse,
    OAuthLoginError,
)
from oauth_login.protocol.claims import is_subject
from oauth_login.protocol.client.keys import signed_jwt
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import ProviderResponse
from oauth_login.protocol.id_token import MAX_ID_TOKEN, IdToken, validate_id_token
from oauth_login.protocol.jose.jwks import (
    find_keys,
    parse_jwks_response,
    parse_key_set,
)
from oauth_login.protocol.jose.jws import MAX_HEADER, TokenContext
from oauth_login.protocol.userinfo import (
    merged_claims,
    parse_user_document,
    parse_userinfo_response,
)
from oauth_login.testing.keys import SigningKey, base64url
from tests.protocol.answers import Row, refusal
from tests.protocol.tokens import (
    ALGS,
    CLAIMS,
    CLIENT,
    ISSUER,
    KEYS,
    METADATA,
    NOW,
    changed,
    context_of,
    finder,
    sign,
)


def validate(token: str, **options: Any) -> IdToken:
    given: dict[str, Any] = {
        "expected_nonce": "the-nonce",
        "access_token": "access",
        "code": "code",
    }
    context = context_of(options)
    return validate_id_token(token, context, **{**given, **options})


def refused(token: str, **options: Any) -> str:
    with pytest.raises(OAuthLoginError) as caught:
        validate(token, **options)
    assert isinstance(caught.value, InvalidProviderResponse | ConfigurationError)
    return caught.value.code


@pytest.mark.parametrize("alg", ALGS)
def test_a_good_token_says_who_it_is(alg: str) -> None:
    id_token = validate(sign(by=alg))
    assert (id_token.issuer, id_token.subject) == (ISSUER, "alice")
    assert "alice@" not in repr(id_token)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # T78
        ({"iss": ...}, "id_token.iss_mismatch"),
        ({"iss": f"{ISSUER}/"}, "id_token.iss_mismatch"),
        ({"iss": [ISSUER]}, "id_token.iss_mismatch"),
        ({"iss": "https://id.example.co"}, "id_token.iss_mismatch"),
        # T80
        ({"aud": ...}, "id_token.aud_mismatch"),
        ({"aud": "sit"}, "id_token.aud_mismatch"),
        ({"aud": []}, "id_token.aud_mismatch"),
        ({"aud": {"site": 1}}, "id_token.aud_mismatch"),
        ({"aud": ["site", 1]}, "id_token.aud_mismatch"),
        ({"aud": ["site", "site"]}, "id_token.aud_mismatch"),
        ({"aud": ["site", *"abcdefghij"]}, "id_token.aud_mismatch"),
        ({"aud": ["site", "other"]}, "id_token.azp_mismatch"),
        ({"aud": ["site", "other"], "azp": "other"}, "id_token.azp_mismatch"),
        ({"azp": "other"}, "id_token.azp_mismatch"),
        ({"azp": []}, "id_token.azp_mismatch"),
        ({"aud": ["site", "other"], "azp": None}, "id_token.azp_mismatch"),
        ({"aud": ["site", "other"], "azp": ""}, "id_token.azp_mismatch"),
        # T58, T82
        ({"sub": ...}, "id_token.sub_invalid"),
        ({"sub": 1}, "id_token.sub_invalid"),
        ({"sub": ["alice"]}, "id_token.sub_invalid"),
        ({"sub": " alice"}, "id_token.sub_invalid"),
        ({"sub": "alice\n"}, "id_token.sub_invalid"),
        ({"sub": "al\0ice"}, "id_token.sub_invalid"),
        ({"sub": "aliçe"}, "id_token.sub_invalid"),
        ({"sub": "a" * 256}, "id_token.sub_invalid"),
        ({"sub": "site"}, "id_token.sub_invalid"),
        # T81
        ({"exp": ...}, "id_token.exp_invalid"),
        ({"exp": str(NOW + 300)}, "id_token.exp_invalid"),
        ({"exp": True}, "id_token.exp_invalid"),
        ({"exp": 10**30}, "id_token.exp_invalid"),
        ({"exp": 10**400}, "id_token.exp_invalid"),  # no float holds it
        ({"iat": -(10**400)}, "id_token.iat_invalid"),
        ({"exp": 253402300800}, "id_token.exp_invalid"),
        ({"exp": NOW - 1, "iat": NOW - 1}, "id_token.exp_invalid"),
        ({"exp": NOW - 60, "iat": NOW - 100}, "id_token.expired"),
        ({"iat": ...}, "id_token.iat_invalid"),
        ({"iat": -1}, "id_token.iat_invalid"),
        ({"iat": 0}, "id_token.iat_invalid"),
        ({"iat": None}, "id_token.iat_invalid"),
        ({"exp": 0}, "id_token.exp_invalid"),
        ({"exp": None}, "id_token.exp_invalid"),
        ({"aud": None}, "id_token.aud_mismatch"),
        ({"iss": None}, "id_token.iss_mismatch"),
        ({"sub": None}, "id_token.sub_invalid"),
        ({"nonce": None}, "id_token.nonce_missing"),
        ({"iat": NOW + 61}, "id_token.iat_future"),
        ({"iat": NOW - 661}, "id_token.iat_too_old"),
        ({"nbf": NOW + 61}, "id_token.nbf_future"),
        ({"nbf": "now"}, "id_token.nbf_invalid"),
        ({"nbf": ""}, "id_token.nbf_invalid"),
        ({"nbf": "0"}, "id_token.nbf_invalid"),
        ({"nbf": False}, "id_token.nbf_invalid"),
        ({"nbf": -1}, "id_token.nbf_invalid"),
        ({"nbf": -0.5}, "id_token.nbf_invalid"),
        # T33
        ({"nonce": ...}, "id_token.nonce_missing"),
        ({"nonce": ""}, "id_token.nonce_missing"),
        ({"nonce": "another"}, "id_token.nonce_mismatch"),
        ({"nonce": 5}, "id_token.nonce_mismatch"),
        ({"nonce": "é"}, "id_token.nonce_mismatch"),  # T84
        # T60
        ({"at_hash": "x"}, "id_token.at_hash_mismatch"),
        ({"at_hash": 5}, "id_token.at_hash_mismatch"),
        ({"at_hash": []}, "id_token.at_hash_mismatch"),
        ({"c_hash": "x"}, "id_token.c_hash_mismatch"),
        # T77
        ({"events": {}}, "id_token.typ"),
    ],
)
def test_a_claim_that_is_wrong_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refused(sign(changed(**changes))) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["site"]},
        {"aud": ["other", "site"], "azp": "site"},
        {"azp": "site"},
        {"sub": "a" * 255},
        {"sub": "auth0|7 x"},
        {"exp": NOW - 59, "iat": NOW - 100},
        {"iat": NOW + 60},
        {"iat": NOW - 660},
        {"nbf": NOW + 60},
        {"nbf": 0},
        {"nbf": 0.0},
        {"nbf": 1},
        # Null and, in a text, nothing: as if it were absent.
        *(
            {name: None}
            for name in (
                *("azp", "at_hash", "c_hash", "nbf", "events", "acr", "auth_time"),
                *("sid", "jti", "amr", "email", "groups"),
            )
        ),
        *({name: ""} for name in ("azp", "at_hash", "c_hash", "acr", "sid")),
        {"exp": NOW + 0.5},
        {"auth_time": "nonsense"},
        {"_claim_sources": {"a": {"endpoint": "https://evil.example"}}},  # T50
        {"picture": "https://evil.example/x.png"},
    ],
)
def test_the_other_side_of_each_limit_passes(changes: dict[str, Any]) -> None:
    # pains 29, 31
    assert validate(sign(changed(**changes))).subject


@pytest.mark.parametrize(("alg", "size"), [("RS256", 16), ("ES384", 24), ("EdDSA", 32)])
def test_a_right_at_hash_passes(alg: str, size: int) -> None:
    import hashlib

    name = "sha512" if alg == "EdDSA" else f"sha{alg[-3:]}"
    digest = hashlib.new(name, b"access").digest()[:size]
    at_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert validate(sign(changed(at_hash=at_hash), by=alg))


@pytest.mark.parametrize(
    ("claims", "max_age", "acr", "code"),
    [
        ({"auth_time": NOW - 360}, 300, (), None),
        ({"auth_time": NOW - 361}, 300, (), "id_token.auth_time_too_old"),
        ({"auth_time": NOW + 61}, 300, (), "id_token.auth_time_invalid"),
        ({}, 300, (), "id_token.auth_time_invalid"),
        ({"auth_time": True}, 0, (), "id_token.auth_time_invalid"),
        ({"acr": "gold"}, None, ("gold", "silver"), None),
        ({"acr": "bronze"}, None, ("gold",), "id_token.acr_mismatch"),
        ({"acr": "gol"}, None, ("gold",), "id_token.acr_mismatch"),
        ({"acr": ["gold"]}, None, ("gold",), "id_token.acr_mismatch"),
        ({"acr": None}, None, ("gold",), "id_token.acr_mismatch"),
        ({"auth_time": str(NOW)}, 300, (), "id_token.auth_time_invalid"),
        ({"auth_time": None}, 300, (), "id_token.auth_time_invalid"),
        ({"auth_time": 10**400}, 300, (), "id_token.auth_time_invalid"),
        ({"auth_time": NOW + 60}, 0, (), None),
        ({}, None, ("gold",), "id_token.acr_mismatch"),
    ],
)
def test_freshness_and_strength_hold_when_they_were_asked_for(
    claims: dict[str, Any], max_age: int | None, acr: tuple[str, ...], code: str | None
) -> None:
    # T27
    token = sign(changed(**claims))
    since = None if max_age is None else NOW - max_age
    options = {"authenticated_since": since, "expected_acr_values": acr}
    if code is None:
        assert validate(token, **options)
    else:
        assert refused(token, **options) == code


@pytest.mark.parametrize(
    ("order", "acr", "is_met"),
    [
        (("bronze", "silver", "gold"), "gold", True),
        (("bronze", "silver", "gold"), "silver", True),
        (("bronze", "silver", "gold"), "bronze", False),
        (("bronze", "silver", "gold"), "phr", False),
        (("bronze", "silver", "gold"), ["gold"], False),
        (("bronze", "silver", "gold"), None, False),
        (("gold", "bronze"), "gold", False),
        ((), "gold", False),
    ],
)
def test_a_stronger_class_will_do_where_the_order_is_known(
    order: tuple[str, ...], acr: object, is_met: bool
) -> None:
    # T27
    options = {
        "client": replace(CLIENT, acr_order=order),
        "expected_acr_values": ("silver",),
    }
    if is_met:
        assert validate(sign(changed(acr=acr)), **options)
    else:
        assert refused(sign(changed(acr=acr)), **options) == "id_token.acr_mismatch"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none"}, "id_token.alg_not_allowed"),  # T64
        ({"alg": "None"}, "id_token.alg_not_allowed"),
        ({"alg": "rs256"}, "id_token.alg_not_allowed"),
        ({"alg": ["RS256"]}, "id_token.alg_not_allowed"),
        ({"alg": None}, "id_token.alg_not_allowed"),
        ({"alg": ...}, "id_token.alg_not_allowed"),
        ({"alg": "HS256"}, "id_token.alg_not_allowed"),  # T65
        ({"alg": "RS512"}, "id_token.alg_not_allowed"),
        ({"alg": "RS384", "kid": ...}, "id_token.signature"),  # T67
        ({"alg": "ES256", "kid": "key-ES256"}, "id_token.signature"),
        ({"alg": "ES256"}, "id_token.key_not_found"),
        ({"crit": ["exp"]}, "id_token.crit"),  # T73
        ({"b64": False}, "id_token.crit"),
        ({"typ": "at+jwt"}, "id_token.typ"),  # T77
        ({"typ": "logout+jwt"}, "id_token.typ"),
        ({"typ": 1}, "id_token.typ"),
        ({"cty": "JWT"}, "id_token.typ"),
        ({"kid": 5}, "id_token.key_not_found"),  # T69
        ({"kid": "k" * 257}, "id_token.key_not_found"),
        ({"kid": "../../etc/passwd"}, "id_token.key_not_found"),
        ({"pad": "x" * 8192}, "id_token.malformed"),
    ],
)
def test_a_header_that_is_wrong_is_refused(header: dict[str, Any], code: str) -> None:
    assert refused(sign(**header)) == code


def test_keys_inside_of_the_token_are_ignored() -> None:
    # T68
    evil = SigningKey("RS256", "evil")
    header = {"alg": "RS256", "jwk": evil.jwk(), "jku": "https://evil.example/jwks"}
    assert refused(evil.sign(header, CLAIMS)) == "id_token.signature"


def test_a_public_key_is_no_secret() -> None:
    # T65: with HS256 allowed, which it is only without the others
    pem = KEYS["RS256"].private_key.public_key()
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    text = pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert refused(hmac_token(text), client=hmac_client()) == "id_token.signature"


def test_hmac_is_an_exclusive_choice_with_a_long_secret() -> None:
    # T66
    token = hmac_token(b"s" * 32)
    assert validate(token, client=hmac_client()).subject == "alice"
    assert refused(token, client=hmac_client("s" * 31)) == "config.signing_algs"
    assert refused(token, client=hmac_client(algs=("HS256", "RS256"))) == (
        "config.signing_algs"
    )
    assert refused(token, client=hmac_client("t" * 32)) == "id_token.signature"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda t: t + "=", "id_token.malformed"),  # T75
        (lambda t: t + "\n", "id_token.malformed"),
        (lambda t: " " + t, "id_token.malformed"),
        (lambda t: t.rpartition(".")[0] + ".", "id_token.malformed"),
        (lambda t: t.replace(".", "..", 1), "id_token.malformed"),
        (lambda t: t + ".x", "id_token.malformed"),
        (lambda t: "a.b.c.d.e", "id_token.encrypted"),  # T74
        (lambda t: "{}", "id_token.malformed"),
        (lambda t: "", "id_token.malformed"),
        (lambda t: "A" + t, "id_token.not_json"),
        (lambda t: t[:-4] + "AAAA", "id_token.signature"),
        (lambda t: t[:-1] + chr(ord(t[-1]) + 1), "id_token.signature"),
        (lambda t: t + "A" * 65536, "id_token.too_large"),
    ],
)
def test_another_spelling_of_a_token_is_refused(
    spoil: Callable[[str], str], code: str
) -> None:
    assert refused(spoil(sign())) == code


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_one_bit_in_any_part_spoils_the_token(segment: int) -> None:
    # T87
    parts = sign().split(".")
    data = bytearray(base64.urlsafe_b64decode(parts[segment] + "=="))
    data[-2] ^= 1
    parts[segment] = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert refused(".".join(parts)).startswith("id_token.")


@pytest.mark.parametrize(
    "payload", [b"[]", b'{"a": 1, "a": 2}', b"\xef\xbb\xbf{}", b'{"a": NaN}', b"x"]
)
def test_a_signed_payload_is_still_strict_json(payload: bytes) -> None:
    # T76
    assert refused(sign(payload)) == "id_token.not_json"


def test_a_signature_of_zeros_is_refused() -> None:
    # T83
    signed = sign(by="ES256").rpartition(".")[0]
    assert refused(f"{signed}.{'A' * 86}") == "id_token.signature"


def test_no_common_algorithm_is_our_problem() -> None:
    metadata = ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="a",
        token_endpoint="b",
        id_token_signing_alg_values_supported=("none",),
    )
    assert refused(sign(), metadata=metadata) == "config.signing_algs"


# --- keys -------------------------------------------------------------------------


def rsa_jwk(bits: int, **members: Any) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return {**dict(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)), **members}


GOOD_KEY = KEYS["RS256"].jwk()


@pytest.mark.parametrize(
    "junk",
    [
        None,
        "key",
        {},
        {**GOOD_KEY, "use": "enc"},  # T72
        {**GOOD_KEY, "key_ops": ["encrypt"]},
        {**GOOD_KEY, "key_ops": "verify"},
        {**GOOD_KEY, "d": "AQAB"},  # T71
        {**GOOD_KEY, "kid": 5},
        {**GOOD_KEY, "alg": ["RS256"]},
        {**GOOD_KEY, "oth": [{"r": "AQAB"}]},
        {**GOOD_KEY, "d": 0},
        {**GOOD_KEY, "d": False},
        {**GOOD_KEY, "kty": ["RSA"]},
        {**GOOD_KEY, "kty": {}},
        {**GOOD_KEY, "kty": None},
        {**GOOD_KEY, "use": ["sig"]},
        {**GOOD_KEY, "issuer": 5},
        {"kty": "oct", "k": "AAAA"},
        {"kty": "unknown"},
        {"keys": [GOOD_KEY]},
    ],
)
def test_an_entry_that_is_no_signing_key_is_ignored(junk: object) -> None:
    response = ProviderResponse(
        200,
        {"content-type": "application/json"},
        json.dumps({"keys": [junk]}).encode(),
    )
    with pytest.raises(InvalidProviderResponse) as caught:
        parse_jwks_response(response)
    assert caught.value.code == "jwks.no_usable_key"

    key_set = parse_key_set(json.dumps({"keys": [junk, GOOD_KEY]}))
    assert len(key_set.entries) == 1


@pytest.mark.parametrize(
    ("key", "usable"),
    [
        (rsa_jwk(1024), False),
        (rsa_jwk(2048), True),
        ({**rsa_jwk(2048), "e": "AQ"}, False),  # 1
        ({**rsa_jwk(2048), "e": "BA"}, False),  # 4
        ({**rsa_jwk(2048), "e": "AQAAAAE"}, False),  # 2 ** 32 + 1
        ({**rsa_jwk(2048), "n": "!"}, False),
        ({"kty": "RSA"}, False),
        ({"kty": "RSA", "n": "A" * 12000, "e": "AQAB"}, False),
        (
            {
                "kty": "EC",
                "crv": "P-256",
                "x": base64.urlsafe_b64encode(b"1" * 32).decode().rstrip("="),
                "y": base64.urlsafe_b64encode(b"2" * 32).decode().rstrip("="),
            },
            False,
        ),
        (
            dict(
                ECAlgorithm.to_jwk(
                    ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
                )
            ),
            True,
        ),
    ],
)
def test_weak_keys_verify_nothing(key: dict[str, Any], usable: bool) -> None:
    # T71
    alg = "ES256" if key["kty"] == "EC" else "RS256"
    key_set = parse_key_set(json.dumps({"keys": [key]}))
    assert bool(find_keys(key_set, alg=alg, kid=None)) is usable


def test_a_key_set_without_keys_is_malformed() -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        parse_key_set('{"keys": {}}')
    assert caught.value.code == "jwks.malformed"


def test_without_a_kid_every_fitting_key_is_tried() -> None:
    # T70; pains 29, 30
    others = [SigningKey("RS256", f"other-{i}").jwk() for i in range(2)]
    token = sign(kid=...)
    assert validate(token, find_keys=finder(*others, GOOD_KEY))
    nameless = {n: v for n, v in GOOD_KEY.items() if n not in ("kid", "alg", "use")}
    assert validate(token, find_keys=finder(nameless))


def test_a_key_without_a_kid_is_tried_after_those_that_have_the_right_one() -> None:
    # RFC 7517 4.5: a kid is optional in the key as well as in the header.
    nameless = {n: v for n, v in GOOD_KEY.items() if n != "kid"}
    assert validate(sign(), find_keys=finder(nameless))
    others = [SigningKey("RS256", f"other-{i}").jwk() for i in range(4)]
    without = [{n: v for n, v in key.items() if n != "kid"} for key in others]
    assert validate(sign(), find_keys=finder(*without, GOOD_KEY))
    # T69, T70: another name is not no name, and the signature decides.
    assert refused(sign(), find_keys=finder(*others)) == "id_token.key_not_found"
    assert refused(sign(), find_keys=finder(*without)) == "id_token.signature"


@pytest.mark.parametrize("empty", [None, "", [], {}])
@pytest.mark.parametrize(
    "name",
    [
        *("use", "key_ops", "alg", "kid", "issuer", "crv", "x5c", "x5t"),
        *("d", "p", "q", "dp", "dq", "qi", "oth", "k"),
    ],
)
def test_an_empty_member_of_a_key_says_nothing(name: str, empty: object) -> None:
    key = {**GOOD_KEY, name: empty}
    assert validate(sign(), find_keys=finder(key))


@pytest.mark.parametrize("typ", ["application/jwt", "Application/JWT", None, ""])
def test_the_type_may_have_its_prefix(typ: object) -> None:
    # RFC 7515 4.1.9
    assert validate(sign(typ=typ))


@pytest.mark.parametrize(
    "typ",
    [
        *(
            "application/at+jwt",
            "application/logout+jwt",
            "application/application/jwt",
        ),
        *("application/", "text/jwt", "application/jwt/x", "jwt/", "/jwt", 5, ["JWT"]),
    ],
)
def test_another_media_type_stays_another_type(typ: object) -> None:
    # T77
    assert refused(sign(typ=typ)) == "id_token.typ"


@pytest.mark.parametrize("empty", [None, "", [], False])
@pytest.mark.parametrize("name", ["crit", "b64"])
def test_an_empty_extension_is_an_extension(name: str, empty: object) -> None:
    # T73
    header: dict[str, Any] = {name: empty}
    assert refused(sign(CLAIMS, **header)) == "id_token.crit"


@pytest.mark.parametrize("absent", [..., None, ""])
def test_without_an_access_token_there_is_no_hash_of_one(absent: object) -> None:
    # T60
    assert validate(sign(changed(at_hash=absent)), access_token=None)
    for at_hash in (KEYS["RS256"].half_hash("access"), KEYS["RS256"].half_hash("")):
        token = sign(changed(at_hash=at_hash))
        assert refused(token, access_token=None) == "id_token.at_hash_mismatch"


@pytest.mark.parametrize("announced", [("RS256",), ("RS384", "PS256"), ()])
def test_the_sites_own_algorithms_stand_above_the_metadatas(
    announced: tuple[str, ...],
) -> None:
    # T64
    metadata = replace(METADATA, id_token_signing_alg_values_supported=announced)
    own = replace(CLIENT, id_token_signing_algs=("ES256",), has_own_signing_algs=True)
    assert validate(sign(by="ES256"), client=own, metadata=metadata)
    for by in ("RS256", "ES384"):
        assert refused(sign(by=by), client=own, metadata=metadata) == (
            "id_token.alg_not_allowed"
        )
    default = replace(own, has_own_signing_algs=False)
    assert refused(sign(by="ES256"), client=default, metadata=metadata) == (
        "config.signing_algs"
    )


def test_one_kid_for_several_keys_is_no_obstacle() -> None:
    other = {**SigningKey("RS256", "other").jwk(), "kid": "key-RS256"}
    assert validate(sign(), find_keys=finder(other, GOOD_KEY))


def test_at_most_four_of_fifty_keys_are_tried() -> None:
    # T70, T71
    many = [{**GOOD_KEY, "kid": f"k{i}"} for i in range(60)]
    key_set = parse_key_set(json.dumps({"keys": many}))
    assert len(key_set.entries) == 50
    assert len(find_keys(key_set, alg="RS256", kid=None)) == 4
    assert find_keys(key_set, alg="ES512", kid=None) == []


# --- userinfo ---------------------------------------------------------------------


def userinfo(
    body: bytes, content_type: str = "application/json", **options: Any
) -> Any:
    status = options.pop("status", 200)
    response = ProviderResponse(status, {"content-type": content_type}, body)
    return parse_userinfo_response(
        response,
        TokenContext(
            client=CLIENT,
            metadata=options.get("metadata", METADATA),
            find_keys=finder(),
            now=NOW,
        ),
        expected_subject="alice",
    )


def test_userinfo_is_json_or_signed() -> None:
    # T63
    assert userinfo(b'{"sub": "alice", "a": 1}')["a"] == 1
    signed = sign({"iss": ISSUER, "aud": "site", "sub": "alice", "a": 1}).encode()
    assert userinfo(signed, "application/jwt")["a"] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b'{"sub": "bob"}', "application/json", "userinfo.sub_mismatch"),  # T61
        (b"{}", "application/json", "userinfo.sub_missing"),
        (b'{"sub": 1}', "application/json", "userinfo.sub_missing"),
        (b"[]", "application/json", "userinfo.not_json"),
        (b"\xff", "application/jwt", "userinfo.malformed"),
        (b"a.b.c.d.e", "application/jwt", "userinfo.encrypted"),
        (
            sign({"iss": "https://evil", "aud": "site", "sub": "alice"}).encode(),
            "application/jwt",
            "userinfo.iss_mismatch",
        ),
        (
            sign({"iss": ISSUER, "aud": "other", "sub": "alice"}).encode(),
            "application/jwt",
            "userinfo.aud_mismatch",
        ),
        (sign()[:-4].encode() + b"AAAA", "application/jwt", "userinfo.signature"),
    ],
)
def test_userinfo_of_somebody_else_or_by_somebody_else_is_refused(
    body: bytes, content_type: str, code: str
) -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        userinfo(body, content_type)
    assert caught.value.code == code


def test_a_refused_access_token_has_a_code_of_its_own() -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        userinfo(b"{}", status=401)
    assert caught.value.code == "userinfo.refused"


def test_the_id_token_wins_over_userinfo() -> None:
    # T62
    merged = merged_claims(
        {"sub": "alice", "name": "A", "email": "a@a.example"},
        {
            "sub": "bob",
            "iss": "x",
            "acr": "gold",
            "name": "B",
            "email": "b@b.example",
            "email_verified": True,
            "groups": ["g"],
        },
    )
    assert merged == {
        "sub": "alice",
        "name": "A",
        "email": "a@a.example",
        "groups": ["g"],
    }


def test_an_address_and_its_proof_come_from_one_document() -> None:
    # T62; pains 14
    address = {"email": "b@b.example", "email_verified": True}
    assert merged_claims({"sub": "a"}, address) == {"sub": "a", **address}


@pytest.mark.parametrize(
    ("id_token", "userinfo"),
    [
        ({"realm_access": {"roles": []}}, {"realm_access.roles": ["admin"]}),
        ({"realm_access.roles": []}, {"realm_access": {"roles": ["admin"]}}),
        ({"a.b": {"c": 1}}, {"a.b.c": 2}),
        ({"a.b.c": 1}, {"a.b": {"c": 2}, "a": {"b": {"c": 2}}}),
        ({}, {"x" * 256: 1}),
        ({}, {"." * 10_000_000: 1}),
    ],
)
def test_userinfo_does_not_hide_a_claim_behind_a_dotted_name(
    id_token: dict[str, Any], userinfo: dict[str, Any]
) -> None:
    # T147
    assert merged_claims(id_token, userinfo) == id_token


def test_userinfo_adds_a_claim_with_a_dotted_name_that_the_id_token_does_not_have() -> (
    None
):
    id_token = {"realm": 1, "." * 10_000_000: 1}
    userinfo = {"realm_access.roles": ["a"], "https://a.example/b": 1, "y" * 255: 1}
    assert merged_claims(id_token, userinfo) == {**id_token, **userinfo}


@pytest.mark.parametrize(
    ("value", "subject"),
    [(17, "17"), ("17", "17"), (True, None), (False, None), (None, None), ("", None)],
)
def test_plain_oauth_takes_the_subject_from_the_field_that_is_named(
    value: object, subject: str | None
) -> None:
    response = ProviderResponse(
        200, {"content-type": "application/json"}, json.dumps({"id": value}).encode()
    )
    if subject is None:
        with pytest.raises(InvalidProviderResponse) as caught:
            parse_user_document(response, subject_field="id")
        assert caught.value.code == "userinfo.sub_missing"
    else:
        assert parse_user_document(response, subject_field="id")[0] == subject


def test_a_subject_is_text() -> None:
    assert is_subject("a")
    assert not is_subject(b"a")


def hmac_client(secret: str = "s" * 32, algs: tuple[str, ...] = ("HS256",)) -> Client:
    return Client(client_id="site", client_secret=secret, id_token_signing_algs=algs)


def hmac_token(
    secret: bytes, claims: dict[str, Any] = CLAIMS, alg: str = "HS256", **header: Any
) -> str:
    def segment(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = segment(json.dumps({"alg": alg, **header}).encode())
    signed = f"{head}.{segment(json.dumps(claims).encode())}"
    digest = getattr(HMACAlgorithm, alg.replace("HS", "SHA"))
    mac = HMACAlgorithm(digest).sign(signed.encode(), secret)
    return f"{signed}.{segment(mac)}"


def test_a_user_document_does_not_say_how_somebody_logged_in() -> None:
    # T27, T62
    said = {"id": 7, "auth_time": NOW, "acr": "gold", "amr": ["mfa"], "sid": "s"}
    response = ProviderResponse(
        200, {"content-type": "application/json"}, json.dumps(said).encode()
    )
    assert parse_user_document(response, subject_field="id") == ("7", {"id": 7})


# --- both sides of the limits


def test_a_token_may_be_as_large_as_it_may_be() -> None:
    at, over = "a" * MAX_ID_TOKEN, "a" * (MAX_ID_TOKEN + 1)
    assert refusal(lambda: validate(at))[0] == "id_token.malformed"
    assert refusal(lambda: validate(over))[0] == "id_token.too_large"


@pytest.mark.parametrize(("length", "passes"), [(MAX_HEADER, True), (8196, False)])
def test_a_header_may_be_as_large_as_it_may_be(length: int, passes: bool) -> None:
    # T51
    bare = {"alg": "EdDSA", "kid": "key-EdDSA", "x": ""}
    filling = length * 3 // 4 - len(json.dumps(bare))
    token = KEYS["EdDSA"].sign({**bare, "x": "x" * filling}, CLAIMS)
    assert token.index(".") == length
    if passes:
        assert validate(token)
    else:
        assert refusal(lambda: validate(token))[0] == "id_token.malformed"


@pytest.mark.parametrize(("others", "passes"), [(9, True), (10, False)])
def test_a_token_has_ten_audiences_at_most(others: int, passes: bool) -> None:
    # T80
    audiences = ["site", *map(str, range(others))]
    token = sign(changed(aud=audiences, azp="site"))
    if passes:
        assert validate(token)
    else:
        assert refusal(lambda: validate(token))[0] == "id_token.aud_mismatch"


@pytest.mark.parametrize("nbf", [0.5, 1, NOW + 60])
def test_a_time_is_any_number_above_zero(nbf: float) -> None:
    assert validate(sign(changed(nbf=nbf)))


@pytest.mark.parametrize(
    ("nonce", "code"),
    [
        (..., None),
        ("the-nonce", None),
        (None, None),
        ("", "id_token.nonce_missing"),
        (0, "id_token.nonce_missing"),
        ("another", "id_token.nonce_mismatch"),
    ],
)
def test_where_a_nonce_may_be_missing_a_wrong_one_may_not_be_there(
    nonce: Any, code: str | None
) -> None:
    # T33
    client = Client(client_id="site", deviations=Deviations(nonce_optional=True))
    token = sign(changed(nonce=nonce))
    if code is None:
        assert validate(token, client=client)
        return
    assert refusal(lambda: validate(token, client=client))[0] == code
    if nonce != "another":
        assert refusal(lambda: validate(token))[0] == code


def test_a_signature_is_whole_whatever_letter_it_ends_with() -> None:
    # 96 bytes: the last letter may be any. One in 64 is an X, as padding never is.
    key = ec.generate_private_key(ec.SECP384R1())
    made = [signed_jwt({}, alg="ES384", key=key) for _ in range(400)]
    assert {len(jwt.rpartition(".")[2]) for jwt in made} == {128}

    token = sign(by="ES384")
    while not token.endswith("X"):
        token = sign(by="ES384")
    assert validate(token)


def test_a_hash_is_whole_whatever_letter_it_ends_with() -> None:
    # T60
    access_token = next(
        name
        for name in map(str, range(10_000))
        if KEYS["ES384"].half_hash(name).endswith("X")
    )
    at_hash = KEYS["ES384"].half_hash(access_token)
    token = sign(changed(at_hash=at_hash), by="ES384")
    assert validate(token, access_token=access_token)
    short = sign(changed(at_hash=at_hash.rstrip("X")), by="ES384")
    assert refusal(lambda: validate(short, access_token=access_token))[0] == (
        "id_token.at_hash_mismatch"
    )


def test_a_segment_is_spelled_in_one_way() -> None:
    # T75
    for segment in (base64url(b"{}") + "=", "e31", "e3 0", "e30A"):
        token = f"{segment}.e30.e30"
        code = refusal(partial(validate, token))[0]
        assert code in ("id_token.malformed", "id_token.not_json")


# --- what the log says


ALLOWED = tuple(alg for alg in CLIENT.id_token_signing_algs if alg in ALGS)


TIMES = {"expected": NOW, "leeway": 60}


def attempt_with(token: str = "", **changes: Any) -> Callable[[], object]:
    return lambda: validate(token or sign(changed(**changes)))


def asked(acr: Any = ..., auth_time: Any = ...) -> Callable[[], object]:
    token = sign(changed(acr=acr, auth_time=auth_time))
    return lambda: validate(
        token, expected_acr_values=("gold",), authenticated_since=NOW - 100
    )


def with_header(by: str = "RS256", **header: Any) -> Callable[[], object]:
    return attempt_with(sign(by=by, **header))


def without_key(kid: str) -> Callable[[], object]:
    return lambda: validate(sign(kid=kid), find_keys=finder(KEYS["ES256"].jwk()))


FORGED = sign()[:-6] + "AAAAAA"


ID_TOKENS: list[Row] = [
    (attempt_with("a" * (MAX_ID_TOKEN + 1)), "id_token.too_large", {"expected": 65536}),
    (attempt_with(events={}), "id_token.typ", {"received": "events"}),
    (
        attempt_with(azp="öther"),
        "id_token.azp_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        attempt_with(aud=["site", "other"]),
        "id_token.azp_mismatch",
        {"expected": "site", "received": "None"},
    ),
    (
        attempt_with(aud="öther"),
        "id_token.aud_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        attempt_with(iss="https://évil.example"),
        "id_token.iss_mismatch",
        {"expected": ISSUER, "received": "https://?vil.example"},
    ),
    (
        attempt_with(exp=NOW - 60, iat=NOW - 99),
        "id_token.expired",
        {"received": NOW - 60, **TIMES},
    ),
    (
        attempt_with(iat=NOW + 61),
        "id_token.iat_future",
        {"received": NOW + 61, **TIMES},
    ),
    (
        attempt_with(iat=NOW - 661),
        "id_token.iat_too_old",
        {"received": NOW - 661, **TIMES},
    ),
    (
        attempt_with(nbf=NOW + 61),
        "id_token.nbf_future",
        {"received": NOW + 61, **TIMES},
    ),
    (
        attempt_with(exp=NOW - 1, iat=NOW - 1),
        "id_token.exp_invalid",
        {"received": NOW - 1, "iat": NOW - 1},
    ),
    (attempt_with(exp="söon"), "id_token.exp_invalid", {"received": "s?on"}),
    (attempt_with(nonce=...), "id_token.nonce_missing", {}),
    (attempt_with(nonce="x"), "id_token.nonce_mismatch", {}),
    (attempt_with(at_hash="x"), "id_token.at_hash_mismatch", {}),
    (attempt_with(c_hash="x"), "id_token.c_hash_mismatch", {}),
    (attempt_with(sub="aliçe"), "id_token.sub_invalid", {"received": "ali?e"}),
    (
        asked(acr="sílver", auth_time=NOW),
        "id_token.acr_mismatch",
        {"expected": ("gold",), "received": "s?lver"},
    ),
    (
        asked("gold", NOW + 61),
        "id_token.auth_time_invalid",
        {"received": NOW + 61},
    ),
    (
        asked("gold", NOW - 161),
        "id_token.auth_time_too_old",
        {"expected": NOW - 100, "received": NOW - 161},
    ),
    (
        with_header(alg="nöne"),
        "id_token.alg_not_allowed",
        {"expected": ALLOWED, "received": "n?ne"},
    ),
    (with_header(crit=["exp"]), "id_token.crit", {}),
    (
        with_header(typ="át+jwt"),
        "id_token.typ",
        {"expected": ("jwt",), "received": "?t+jwt"},
    ),
    (with_header(kid="k" * 257), "id_token.key_not_found", {}),
    (
        without_key("kéy"),
        "id_token.key_not_found",
        {"alg": "RS256", "kid": "k?y"},
    ),
    (attempt_with(FORGED), "id_token.signature", {"alg": "RS256"}),
    (attempt_with("a.b"), "id_token.malformed", {}),
    (attempt_with("a.b.c.d.e"), "id_token.encrypted", {}),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), ID_TOKENS)
def test_the_log_says_what_was_wrong_with_an_id_token(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)

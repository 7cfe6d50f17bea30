"""Encrypted tokens: each good kind, then one change per row. All of it is T74."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwe import encrypt_compact
from joserfc.jwk import OctKey, RSAKey
from jwt.algorithms import ECAlgorithm

from oauth_login.errors import ConfigurationError, InvalidProviderResponse
from oauth_login.protocol.client.keys import (
    ClientKey,
    parse_client_key,
    public_key_set,
)
from oauth_login.protocol.http import ProviderResponse
from oauth_login.protocol.jose.jwe import ALGS, ENCS, MAX_JWE, decrypted
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.logout.backchannel import (
    LOGOUT_EVENT,
    LogoutToken,
    validate_logout_token,
)
from oauth_login.protocol.userinfo import parse_userinfo_response
from oauth_login.testing import FakeProvider, logout_token
from oauth_login.testing.encryption import encrypted, sealed
from oauth_login.testing.keys import base64url
from tests.our_keys import pem_of
from tests.protocol.answers import refusal
from tests.protocol.test_id_token import (
    CLAIMS,
    CLIENT,
    KEYS,
    METADATA,
    NOW,
    finder,
    refused,
    validate,
)
from tests.protocol.tokens import sign

VECTORS = Path(__file__).parents[2] / "vectors"
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}


def ours(private_key: Any, **options: Any) -> ClientKey:
    return parse_client_key(pem_of(private_key), use="enc", **options)


def new_rsa() -> ClientKey:
    return ours(rsa.generate_private_key(public_exponent=65537, key_size=2048))


RSA = new_rsa()
EC = {crv: ours(ec.generate_private_key(curve())) for crv, curve in CURVES.items()}
ALL = (RSA, *EC.values())
TOKEN = sign()
ENCRYPTING = replace(CLIENT, decryption_keys=ALL)


def to(key: ClientKey, plaintext: str | bytes = TOKEN, **options: Any) -> str:
    return encrypted(plaintext, key.public_jwk(), **options)


def code_of(
    token: str, keys: tuple[ClientKey, ...] = ALL, document: str = "id_token"
) -> str:
    with pytest.raises(InvalidProviderResponse) as caught:
        decrypted(token, document=document, keys=keys)
    assert TOKEN[-20:] not in str(caught.value.detail)  # T122
    return caught.value.code


def with_part(token: str, number: int, change: Callable[[bytes], bytes]) -> str:
    """The token with another header (0), key, iv, ciphertext or tag (4)."""
    parts = token.split(".")
    data = base64.urlsafe_b64decode(parts[number] + "==")
    parts[number] = base64url(change(data))
    return ".".join(parts)


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


# --- what is taken ----------------------------------------------------------------


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
@pytest.mark.parametrize("key", ALL, ids=["RSA", *EC])
def test_a_token_that_is_encrypted_to_us_says_who_it_is(
    key: ClientKey, enc: str
) -> None:
    # fapi1-advanced-final-client-test-encrypted-idtoken
    id_token = validate(to(key, enc=enc), client=ENCRYPTING)
    assert id_token.subject == "alice"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": ...},
        {"cty": ...},
        {"cty": "jwt"},
        {"typ": "JWT"},
        {"iss": "https://id.example.com", "aud": "site"},  # RFC 7519 5.3
        {"x-unknown": {"a": 1}},
        {"x-name": "Zoë"},
    ],
)
def test_what_a_header_may_leave_out_or_add(header: dict[str, Any]) -> None:
    assert decrypted(to(RSA, **header), document="id_token", keys=ALL) == TOKEN


APPENDIX_C = json.loads((VECTORS / "rfc7518_appendix_c.json").read_text())
BOB = ours(ECAlgorithm.from_jwk(APPENDIX_C["recipient"]))


def from_alice(**epk: Any) -> str:
    """A token under the key that RFC 7518, Appendix C derives."""
    header = APPENDIX_C["header"]
    cek = base64.urlsafe_b64decode(APPENDIX_C["derived_key"] + "==")
    return sealed(TOKEN, cek, {**header, "epk": {**header["epk"], **epk}})


def test_the_derived_key_is_that_of_rfc_7518_appendix_c() -> None:
    assert decrypted(from_alice(), document="id_token", keys=[BOB]) == TOKEN
    # The same point, by another name: no key of that kind is ours.
    assert code_of(from_alice(kty="RSA"), (BOB,)) == "id_token.not_decrypted"
    assert code_of(from_alice(crv="P-521"), (BOB,)) == "id_token.not_decrypted"


@pytest.mark.usefixtures("without_key_validation")
def test_a_large_key_decrypts() -> None:
    # Its encrypted key is longer than what joserfc takes by itself. The key of the
    # file is used nowhere else.
    pem = (VECTORS / "rsa_6400_bits.pem").read_text()
    key = parse_client_key(pem, use="enc")
    assert decrypted(to(key), document="id_token", keys=[key]) == TOKEN


def test_the_public_halves_say_what_they_are_for() -> None:
    published = public_key_set(ALL)["keys"]
    assert [(jwk["use"], jwk["alg"]) for jwk in published] == [
        ("enc", "RSA-OAEP-256"),
        *[("enc", "ECDH-ES")] * 3,
    ]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {n for k in published for n in k}


def test_a_key_for_decryption_is_of_a_kind_that_decrypts() -> None:
    with pytest.raises(ValueError, match="but not decrypt"):
        ours(KEYS["EdDSA"].private_key)


# --- what is refused before any key is used -----------------------------------------


def by_another_library(alg: str, enc: str, key: Any) -> str:
    header = {"alg": alg, "enc": enc, "cty": "JWT"}
    return encrypt_compact(header, TOKEN, key, algorithms=[alg, enc])


RSA_PUBLIC = RSAKey.import_key(RSA.public_jwk())


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    ("alg", "enc", "key"),
    [
        # fapi1-advanced-final-client-test-encrypted-idtoken-usingrsa15
        ("RSA1_5", "A128GCM", RSA_PUBLIC),
        ("RSA-OAEP", "A256GCM", RSA_PUBLIC),
        ("RSA-OAEP-256", "A128CBC-HS256", RSA_PUBLIC),
        ("RSA-OAEP-256", "A192GCM", RSA_PUBLIC),
        ("A128KW", "A128GCM", OctKey.generate_key(128)),
        ("A256GCMKW", "A256GCM", OctKey.generate_key(256)),
        ("dir", "A128GCM", OctKey.generate_key(128)),
        ("PBES2-HS256+A128KW", "A128GCM", OctKey.import_key(b"secret" * 4)),
    ],
)
def test_whole_tokens_of_other_algorithms_are_refused(
    alg: str, enc: str, key: Any
) -> None:
    # T74
    assert code_of(by_another_library(alg, enc, key)) == "id_token.encryption_alg"


def test_the_example_of_rfc_7516_appendix_a1_is_refused_for_its_algorithm() -> None:
    vector = json.loads((VECTORS / "rfc7516_appendix_a1.json").read_text())
    assert code_of(".".join(vector["jwe"])) == "id_token.encryption_alg"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": ...}, "encryption_alg"),
        ({"alg": None}, "encryption_alg"),
        ({"alg": ["RSA-OAEP-256"]}, "encryption_alg"),
        ({"alg": "rsa-oaep-256"}, "encryption_alg"),
        ({"alg": "none"}, "encryption_alg"),  # T64
        ({"alg": "RSA1_5"}, "encryption_alg"),
        ({"alg": "ECDH-ES+A128KW"}, "encryption_alg"),
        # 2 ** 31 rounds: answered without counting one.
        ({"alg": "PBES2-HS512+A256KW", "p2c": 2**31, "p2s": "AAAA"}, "encryption_alg"),
        ({"enc": ...}, "encryption_alg"),
        ({"enc": {}}, "encryption_alg"),
        ({"enc": "A192GCM"}, "encryption_alg"),
        ({"enc": "A128CBC-HS256"}, "encryption_alg"),
        ({"zip": "DEF"}, "compressed"),
        ({"zip": None}, "compressed"),
        ({"crit": ["exp"], "exp": 1}, "crit"),  # T73
        ({"crit": []}, "crit"),
        ({"cty": "JSON"}, "typ"),
        ({"cty": 5}, "typ"),
        ({"cty": "application/at+jwt"}, "typ"),
        ({"cty": []}, "typ"),
        ({"zip": ""}, "compressed"),
        ({"crit": None}, "crit"),
    ],
)
@pytest.mark.parametrize("document", ["id_token", "userinfo"])
def test_a_header_that_asks_for_more_is_refused(
    header: dict[str, Any], code: str, document: str
) -> None:
    # T74
    good = {"alg": "RSA-OAEP-256", "enc": "A128GCM", "cty": "JWT"}
    token = sealed(TOKEN, bytes(16), {**good, **header})
    assert code_of(token, document=document) == f"{document}.{code}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda h: b"[]", "not_json"),
        (lambda h: h[:-1], "not_json"),
        (lambda h: h[:-1] + b', "enc": "A256GCM"}', "not_json"),  # T76
        (lambda h: b"\xff" + h, "not_json"),
    ],
)
def test_a_header_is_strict_json(change: Callable[[bytes], bytes], code: str) -> None:
    assert code_of(with_part(to(RSA), 0, change)) == f"id_token.{code}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t + "=",
        lambda t: t + "\n",
        lambda t: with_part(t, 2, lambda iv: iv[:-1]),
        lambda t: with_part(t, 2, lambda iv: iv + b"0"),
        # A tag of one byte is guessed in a moment.
        lambda t: with_part(t, 4, lambda tag: tag[:1]),
        lambda t: with_part(t, 4, lambda tag: tag[:-1]),
        lambda t: with_part(t, 4, lambda tag: tag + b"0"),
        lambda t: with_part(t, 3, lambda data: b""),
    ],
)
def test_another_spelling_is_refused(spoil: Callable[[str], str]) -> None:
    # T75
    assert code_of(spoil(to(RSA))) == "id_token.malformed"


def test_a_token_may_be_64_kb_long_and_its_header_eight() -> None:
    # T51
    padding = MAX_JWE - len(to(RSA, b"a.b." + b"c" * 3000)) + 4000
    tokens = (to(RSA, b"a.b." + b"c" * (padding * 3 // 4 + n)) for n in range(-8, 8))
    fits = max((t for t in tokens if len(t) <= MAX_JWE), key=len)
    assert len(fits) > MAX_JWE - 2
    inner = decrypted(fits, document="id_token", keys=ALL)
    assert len(inner) < MAX_JWE  # and nothing that comes out is longer
    assert code_of(fits + "A" * (MAX_JWE + 1 - len(fits))) == "id_token.too_large"

    # The longest header of 8192 characters, and the next one.
    room = 8192 * 3 // 4 - len(base64.urlsafe_b64decode(header_of(RSA, pad="") + "=="))
    long, longer = (to(RSA, pad="p" * (room + n)) for n in (0, 1))
    assert [len(t.partition(".")[0]) for t in (long, longer)] == [8192, 8194]
    assert decrypted(long, document="id_token", keys=ALL) == TOKEN
    assert code_of(longer) == "id_token.malformed"


def header_of(key: ClientKey, **header: Any) -> str:
    return to(key, **header).partition(".")[0]


# --- what no key decrypts: always the same answer -------------------------------------


OTHER_RSA, OTHER_EC = new_rsa(), ours(ec.generate_private_key(ec.SECP256R1()))
P256 = EC["P-256"]
EPK = ECAlgorithm.to_jwk(
    ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
)
# What a key agreement must not be given as the sender's point.
WRONG_POINTS: list[Any] = [
    ...,
    None,
    "P-256",
    [],
    {},
    EPK,
    {**EPK, "kty": "RSA"},
    {**EPK, "crv": "P-384"},
    {**EPK, "crv": "secp256k1"},
    {**EPK, "x": EPK["y"]},  # not on the curve
    {**EPK, "x": "", "y": ""},
    {**EPK, "x": 5},
    {**EPK, "y": "!"},
    {**EPK, "y": "é"},
    {"kty": "EC", "crv": "P-256"},
    {"kty": "OKP", "crv": "X25519", "x": EPK["x"]},
]


@pytest.mark.parametrize(
    "token",
    [
        to(OTHER_RSA),
        to(OTHER_RSA, kid=RSA.kid),
        to(RSA, kid="unknown"),
        to(RSA, kid=5),
        to(RSA, kid=None),
        to(RSA, kid=[]),
        to(RSA, kid=P256.kid),
        to(OTHER_EC, kid=P256.kid),
        *(with_part(to(RSA), part, flipped) for part in (1, 2, 3, 4)),
        with_part(to(RSA), 0, lambda h: h[:-1] + b', "a": 1}'),  # T83
        with_part(to(RSA), 1, lambda key: key[:-1]),
        with_part(to(RSA), 1, lambda key: b""),
        with_part(to(RSA), 1, lambda key: bytes(len(key))),
        # Direct agreement has no encrypted key (RFC 7518 4.6).
        with_part(to(P256), 1, lambda key: b"key"),
        *(with_part(to(P256), part, flipped) for part in (2, 3, 4)),
        *(to(P256, epk=epk) for epk in WRONG_POINTS),
        to(EC["P-384"], kid=P256.kid),
        to(P256, apu=5),
        to(P256, apv="!"),
    ],
)
def test_whatever_is_wrong_with_it_the_answer_is_the_same(token: str) -> None:
    # T74: no oracle
    assert code_of(token) == "id_token.not_decrypted"


def test_the_log_says_which_key_was_asked_for_and_which_there_are() -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        decrypted(to(OTHER_RSA), document="id_token", keys=[RSA])
    assert caught.value.detail == {
        "alg": "RSA-OAEP-256",
        "expected": [RSA.kid],
        "received": OTHER_RSA.kid,
    }
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_key_id_picks_the_key_and_without_one_four_are_tried() -> None:
    # T70
    keys = [*(new_rsa() for _ in range(3)), RSA, OTHER_RSA]
    assert decrypted(to(OTHER_RSA), document="id_token", keys=keys) == TOKEN
    assert decrypted(to(RSA, kid=...), document="id_token", keys=keys) == TOKEN
    assert code_of(to(OTHER_RSA, kid=...), tuple(keys)) == "id_token.not_decrypted"


# --- what is inside -------------------------------------------------------------------


@pytest.mark.parametrize(
    "plaintext",
    [
        b"x",
        json.dumps(CLAIMS).encode(),
        sign().rpartition(".")[0].encode() + b".",
        to(RSA).encode(),  # encrypted twice
        sign().encode() + b"\n",
        sign().encode("utf-16"),
        b"\xff\xfe",
        TOKEN.encode() + b"\xff",
    ],
)
def test_what_is_inside_must_be_signed(plaintext: bytes) -> None:
    # T74, T75, T87
    assert code_of(to(RSA, plaintext)) == "id_token.not_signed"


def test_encryption_proves_nothing() -> None:
    # T87: every holder of our public key can encrypt.
    unsigned = sign(alg="none")
    forged = TOKEN[:-8] + "AAAAAAAA"
    stranger = sign({**CLAIMS, "aud": "other"})
    assert [refused(to(RSA, t), client=ENCRYPTING) for t in (unsigned, forged)] == [
        "id_token.alg_not_allowed",
        "id_token.signature",
    ]
    assert refused(to(RSA, stranger), client=ENCRYPTING) == "id_token.aud_mismatch"


# --- who is asked for encryption, and who is not --------------------------------------


def test_a_token_whose_encryption_was_stripped_is_refused() -> None:
    # OpenID Connect Core 3.1.3.7 (1)
    for token in (TOKEN, "", to(RSA) + ".x", to(RSA).rpartition(".")[0]):
        assert refused(token, client=ENCRYPTING) == "id_token.not_encrypted"


def test_logout_tokens_are_encrypted_as_id_tokens_are() -> None:
    # OpenID Connect Back-Channel Logout 2.6 (1)
    logout = KEYS["RS256"].sign(LOGOUT_HEADER, LOGOUT_CLAIMS)
    assert logout_of(to(RSA, logout)).subject == "alice"
    for token, code in [
        (logout, "logout_token.not_encrypted"),
        (to(OTHER_RSA, logout), "logout_token.not_decrypted"),
        (to(RSA, json.dumps(LOGOUT_CLAIMS)), "logout_token.not_signed"),
    ]:
        with pytest.raises(InvalidProviderResponse) as caught:
            logout_of(token)
        assert caught.value.code == code


def test_the_kit_encrypts_logout_tokens_as_id_tokens() -> None:
    fake = FakeProvider(encrypts_to=RSA.public_jwk(), now=lambda: NOW)
    token = logout_token(fake)
    assert decrypted(token, document="logout_token", keys=ALL).count(".") == 2


LOGOUT_HEADER = {"alg": "RS256", "kid": "key-RS256", "typ": "logout+jwt"}
LOGOUT_CLAIMS = {
    **{name: CLAIMS[name] for name in ("iss", "aud", "sub", "iat", "exp")},
    "jti": "1",
    "events": {LOGOUT_EVENT: {}},
}


def logout_of(token: str) -> LogoutToken:
    return validate_logout_token(
        token,
        TokenContext(client=ENCRYPTING, metadata=METADATA, find_keys=finder(), now=NOW),
    )


def test_an_encrypted_token_needs_keys() -> None:
    assert refused(to(RSA)) == "id_token.encrypted"


def test_signed_userinfo_may_be_encrypted_too() -> None:
    # T63
    claims = {"iss": CLAIMS["iss"], "aud": "site", "sub": "alice"}
    for body in (to(RSA, sign(claims)), sign(claims)):
        assert userinfo_claims(body)["sub"] == "alice"
    with pytest.raises(InvalidProviderResponse) as caught:
        userinfo_claims(to(RSA, json.dumps(claims)))
    assert caught.value.code == "userinfo.not_signed"


def userinfo_claims(body: str) -> Any:
    return parse_userinfo_response(
        ProviderResponse(200, {"content-type": "application/jwt"}, body.encode()),
        TokenContext(client=ENCRYPTING, metadata=METADATA, find_keys=finder(), now=NOW),
        expected_subject="alice",
    )


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("joserfc", "joserfc.jwe", "joserfc.jwk"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError) as caught:
        decrypted(to(RSA), document="id_token", keys=ALL)
    assert caught.value.code == "config.jwe_missing"
    assert caught.value.detail == {"expected": "oauth-login[jwe]"}
    assert caught.value.__cause__ is None


# --- what the log says


OUR_PEM = pem_of(ec.generate_private_key(ec.SECP256R1()))


OUR_KEY = parse_client_key(OUR_PEM, kid="ours", use="enc")


def attempt(token: str = "", **header: Any) -> Callable[[], object]:
    token = token or encrypted(sign(), OUR_KEY.public_jwk(), **header)
    return lambda: decrypted(token, document="userinfo", keys=[OUR_KEY])


@pytest.mark.parametrize(
    ("attempt", "code", "detail"),
    [
        (attempt("a" * (MAX_JWE + 1)), "userinfo.too_large", {"expected": MAX_JWE}),
        (attempt("a" * MAX_JWE), "userinfo.not_encrypted", {}),
        (
            attempt(alg="RSA1_\u00e9"),
            "userinfo.encryption_alg",
            {"expected": (ALGS, ENCS), "received": "['RSA1_?', 'A256GCM']"},
        ),
        (attempt(zip="DEF"), "userinfo.compressed", {}),
        (attempt(crit=["exp"]), "userinfo.crit", {}),
        (
            attempt(cty="JW\u00cb"),
            "userinfo.typ",
            {"expected": "JWT", "received": "JW?"},
        ),
        (
            attempt(kid="th\u00e9irs"),
            "userinfo.not_decrypted",
            {"alg": "ECDH-ES", "expected": ["ours"], "received": "th?irs"},
        ),
        (
            attempt(encrypted("no token", OUR_KEY.public_jwk())),
            "userinfo.not_signed",
            {},
        ),
    ],
)
def test_the_log_says_what_was_wrong_with_an_encrypted_token(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    # T74
    assert refusal(attempt) == (code, detail)

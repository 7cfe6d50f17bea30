"""Encrypted tokens: nothing comes out of one but what was put in, by the rules."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from oauth_login.protocol.client.keys import parse_client_key
from oauth_login.protocol.jose.jwe import ALGS, ENCS, decrypted
from oauth_login.testing.encryption import encrypted, sealed
from tests.our_keys import pem_of
from tests.properties.strategies import (
    any_text,
    bodies,
    json_objects,
    json_values,
    judged,
)
from tests.properties.test_tokens import GOOD, edits

EC = parse_client_key(pem_of(ec.generate_private_key(ec.SECP256R1())), use="enc")
RSA = parse_client_key(
    pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048)), use="enc"
)
KEYS = (EC, RSA)
TOKENS = {key: encrypted(GOOD, key.public_jwk()) for key in KEYS}


def opened(token: str) -> str | None:
    return judged(lambda: decrypted(token, document="id_token", keys=KEYS))


def edited(token: str, how: list[tuple[str, int, str]]) -> str:
    for kind, spot, letter in how:
        at = spot * 7 % max(len(token), 1)  # it is longer than the one inside
        head, tail = token[:at], token[at:]
        token = {
            "replace": head + letter + tail[1:],
            "insert": head + letter + tail,
            "delete": head + tail[1:],
            "cut": head,
            "case": head + tail[:1].swapcase() + tail[1:],
        }[kind]
    return token


@given(st.sampled_from(KEYS), edits)
def test_an_encrypted_token_that_was_touched_is_refused(
    key: Any, how: list[tuple[str, int, str]]
) -> None:
    # T74, T75
    token = edited(TOKENS[key], how)
    assert (opened(token) is not None) == (token == TOKENS[key])


@given(
    st.sampled_from(KEYS), st.integers(0, 4), st.sampled_from([*"AEIMQUYcgkosw048_"])
)
def test_no_part_of_an_encrypted_token_has_a_second_spelling(
    key: Any, number: int, letter: str
) -> None:
    # T75: the last letter of a part may have bits that mean nothing.
    parts = TOKENS[key].split(".")
    parts[number] = parts[number][:-1] + letter
    token = ".".join(parts)
    assert (opened(token) is not None) == (token == TOKENS[key])


@given(
    st.sampled_from(KEYS),
    st.dictionaries(
        st.sampled_from(["alg", "zip", "crit", "cty", "kid", "epk", "typ", "x"]),
        json_values
        | st.just(...)
        | st.sampled_from([*ALGS, *ENCS, "RSA1_5", "dir", "A256CBC-HS512", "DEF"])
        | st.sampled_from(["JWT", "jwt", "JWE", EC.kid, RSA.kid]),
        max_size=2,
    ),
)
def test_of_an_encrypted_tokens_header_only_the_rules_are_left_to_pass(
    key: Any, header: dict[str, Any]
) -> None:
    # T64, T73, T74
    token = encrypted(GOOD, key.public_jwk(), **header)
    alg = "ECDH-ES" if key is EC else "RSA-OAEP-256"
    passes = (
        header.get("alg", alg) == alg
        and header.get("zip", ...) is ...
        and header.get("crit", ...) is ...
        and (
            header.get("cty", "JWT") is ...
            or str(header.get("cty", "JWT")).upper() == "JWT"
        )
        and header.get("kid", key.kid) in (..., key.kid)
        and (key is RSA or "epk" not in header)
        and (header.get("typ", "JWT") is ... or isinstance(header.get("typ", ""), str))
    )
    assert opened(token) == (GOOD if passes else None)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "enc", "epk", "kid", "apu", "apv", "p2c", "p2s"]),
        json_values | st.sampled_from([*ALGS, *ENCS, EC.kid, "A128KW", "PBES2-HS256"]),
    )
    | json_objects,
    st.binary(max_size=300),
)
def test_a_header_of_any_kind_opens_nothing_by_itself(
    header: dict[str, Any], encrypted_key: bytes
) -> None:
    # T74
    token = sealed(GOOD, bytes(32), header, encrypted_key=encrypted_key)
    assert opened(token) is None
    epk = {"epk": EC.public_jwk(), "alg": "ECDH-ES", "enc": "A256GCM"}
    assert opened(sealed(GOOD, bytes(32), {**header, **epk})) is None


@given(st.sampled_from(KEYS), bodies | st.sampled_from([GOOD.encode(), b"a.b.c"]))
def test_what_is_inside_is_a_signed_token_or_nothing(key: Any, inside: bytes) -> None:
    # T75
    nested = opened(encrypted(inside, key.public_jwk()))
    assert nested is None or (nested.encode() == inside and nested.count(".") == 2)


@given(any_text | st.lists(st.text("abAB01_-", max_size=30)).map(".".join))
def test_what_nobody_encrypted_is_refused(token: str) -> None:
    assert opened(token) is None

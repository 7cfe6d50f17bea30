"""Encrypted tokens: from a JWE to the signed token inside of it (RFC 7516, RFC 7518).

Decrypting proves nothing: whoever has our public key can encrypt. What comes out is
for verified_jws to judge, and until then it is nobody's word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from oauth_login.errors import ConfigurationError, InvalidProviderResponse
from oauth_login.protocol.client.keys import ClientKey
from oauth_login.protocol.jose.jws import COMPACT_JWS, MAX_HEADER, json_segment
from oauth_login.protocol.strict_json import printable

# RSA1_5 has its oracle, PBES2 lets the sender say how long we work, and the rest
# needs a shared secret or an authentication of its own (T74).
ALGS = ("RSA-OAEP-256", "ECDH-ES")
ENCS = ("A128GCM", "A256GCM")
MAX_JWE = 64 * 1024
MAX_KEYS = 4

# Header, encrypted key (none with ECDH-ES), 96 bits of initialization vector, what is
# encrypted, 128 bits of tag (RFC 7518 5.3).
_COMPACT = re.compile(
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\."
    r"[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}"
)

# Gives the plaintext, or raises whatever it likes.
_Decrypt = Callable[[ClientKey], bytes | None]


def is_encrypted(token: str) -> bool:
    """Whether it has the five parts of a JWE (RFC 7516 3.1)."""
    return token.count(".") == 4


def decrypted(token: str, *, document: str, keys: Sequence[ClientKey]) -> str:
    """The compact JWS inside of an encrypted token, unjudged.

    `document` ("id_token", "userinfo" or "logout_token") begins the codes of the
    errors; `keys` are ours, for decryption. Needs the extra `jwe`, or raises
    ConfigurationError.
    """
    if len(token) > MAX_JWE:
        raise InvalidProviderResponse(f"{document}.too_large", expected=MAX_JWE)
    if not is_encrypted(token):
        raise InvalidProviderResponse(f"{document}.not_encrypted")
    header = _checked_header(token, document)
    # T75: one spelling, and neither a short tag nor a long one.
    if not _COMPACT.fullmatch(token):
        raise InvalidProviderResponse(f"{document}.malformed")
    decrypt = _decryption(token, header)
    for key in _candidates(header, keys):
        plaintext = _plaintext(decrypt, key)
        if plaintext is not None:
            return _nested(plaintext, document)
    # Another key, another tag, another padding: whoever tries learns no more than
    # that it did not work.
    raise InvalidProviderResponse(
        f"{document}.not_decrypted",
        alg=header["alg"],
        expected=[key.kid for key in keys],
        received=printable(header.get("kid")),
    )


def _checked_header(token: str, document: str) -> Mapping[str, Any]:
    """The header, if it asks for nothing but what we do, before any key is used."""
    segment, _, _ = token.partition(".")
    if len(segment) > MAX_HEADER:
        raise InvalidProviderResponse(f"{document}.malformed")
    header = json_segment(segment, document)
    alg, enc = header.get("alg"), header.get("enc")
    # T64, T74: exact, from our list; the token's own word only picks from it.
    if alg not in ALGS or enc not in ENCS:
        raise InvalidProviderResponse(
            f"{document}.encryption_alg",
            expected=(ALGS, ENCS),
            received=printable([alg, enc]),
        )
    # RFC 8725 3.6: a few bytes can become many, and their length tells secrets.
    if "zip" in header:
        raise InvalidProviderResponse(f"{document}.compressed")
    # RFC 7516 4.1.13: we implement no extension (T73).
    if "crit" in header:
        raise InvalidProviderResponse(f"{document}.crit")
    # RFC 7519 5.2: "JWT" says that a token is inside; some leave it out.
    cty = header.get("cty", "JWT")
    if not isinstance(cty, str) or cty.upper() != "JWT":
        raise InvalidProviderResponse(
            f"{document}.typ", expected="JWT", received=printable(cty)
        )
    return header


def _candidates(
    header: Mapping[str, Any], keys: Sequence[ClientKey]
) -> list[ClientKey]:
    """Our keys of that kind: the one that is named, or the first four."""
    fitting = [key for key in keys if header["alg"] in key.algs]
    if header["alg"] == "ECDH-ES":
        # RFC 7518 4.6.1.1: a point on another curve would be a question to our key.
        epk = header.get("epk")
        asked = (epk.get("kty"), epk.get("crv")) if isinstance(epk, dict) else None
        fitting = [key for key in fitting if ("EC", key.public_jwk()["crv"]) == asked]
    if "kid" in header:
        fitting = [key for key in fitting if key.kid == header["kid"]]
    return fitting[:MAX_KEYS]


def _decryption(token: str, header: Mapping[str, Any]) -> _Decrypt:
    try:
        # Of the extra `jwe`: only who is sent encrypted tokens needs it.
        from joserfc.jwe import JWERegistry, decrypt_compact
        from joserfc.jwk import ECKey, RSAKey
    except ImportError:
        raise ConfigurationError(
            "config.jwe_missing", expected="oauth-login[jwe]"
        ) from None
    # RFC 7516 4: parameters that nobody knows are ignored. Sizes are judged above;
    # the library's own would turn large RSA keys away.
    registry = JWERegistry(
        algorithms=[header["alg"], header["enc"]], strict_check_header=False
    )
    registry.max_protected_header_length = MAX_HEADER
    registry.max_encrypted_key_length = MAX_JWE

    def decrypt(key: ClientKey) -> bytes | None:
        ours = key.private_key
        private_key = (
            RSAKey.import_key(ours)
            if isinstance(ours, rsa.RSAPrivateKey)
            else ECKey.import_key(cast(ec.EllipticCurvePrivateKey, ours))
        )
        return decrypt_compact(token, private_key, registry=registry).plaintext

    return decrypt


def _plaintext(decrypt: _Decrypt, key: ClientKey) -> bytes | None:
    try:
        return decrypt(key)
    except Exception:  # noqa: BLE001 - what fails in there must look alike out here
        return None


def _nested(plaintext: bytes, document: str) -> str:
    # Without compression it is shorter than the token was, so no size is checked.
    # T75: a token that is encrypted twice, or not signed, is none of ours.
    nested = plaintext.decode("ascii", errors="replace")
    if not COMPACT_JWS.fullmatch(nested):
        raise InvalidProviderResponse(f"{document}.not_signed")
    return nested

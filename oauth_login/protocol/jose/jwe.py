"""Encrypted tokens: from a JWE to the signed token inside (RFC 7516, RFC 7518).

Decryption does not prove the sender, because the public key is public. verified_jws
checks the signature of the token inside; until then its content is not trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from oauth_login.errors import ConfigurationError, InvalidProviderResponse
from oauth_login.protocol.client.keys import ClientKey
from oauth_login.protocol.jose.jws import (
    COMPACT_JWS,
    MAX_HEADER,
    json_segment,
    short_type,
)
from oauth_login.protocol.members import without_empty_types
from oauth_login.protocol.strict_json import printable

# RSA1_5 has a padding oracle, PBES2 lets the sender choose our amount of work, and the
# others need a shared secret or do not authenticate the content by themselves (T74).
ALGS = ("RSA-OAEP-256", "ECDH-ES")
ENCS = ("A128GCM", "A256GCM")
MAX_JWE = 64 * 1024
MAX_KEYS = 4

# Header, encrypted key (empty with ECDH-ES), initialization vector of 96 bits,
# ciphertext, authentication tag of 128 bits (RFC 7518 5.3).
_COMPACT = re.compile(
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\."
    r"[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}"
)

# Returns the plaintext, or raises any exception.
_Decrypt = Callable[[ClientKey], bytes | None]


def is_encrypted(token: str) -> bool:
    """Whether the token has the five parts of a JWE (RFC 7516 3.1)."""
    return token.count(".") == 4


def decrypted(token: str, *, document: str, keys: Sequence[ClientKey]) -> str:
    """The compact JWS inside an encrypted token, with its signature unchecked.

    `document` ("id_token", "userinfo" or "logout_token") begins the codes of the
    errors; `keys` are this client's decryption keys. ConfigurationError if the extra
    `jwe` is not installed.
    """
    if len(token) > MAX_JWE:
        raise InvalidProviderResponse(f"{document}.too_large", expected=MAX_JWE)
    if not is_encrypted(token):
        raise InvalidProviderResponse(f"{document}.not_encrypted")
    header = _checked_header(token, document)
    # T75: only one spelling of a token, and only a tag of full length.
    if not _COMPACT.fullmatch(token):
        raise InvalidProviderResponse(f"{document}.malformed")
    decrypt = _decryption(token, header)
    for key in _candidates(header, keys):
        plaintext = _plaintext(decrypt, key)
        if plaintext is not None:
            return _nested(plaintext, document)
    # A wrong key, tag or padding gives the same error, so that a sender cannot tell
    # them apart.
    raise InvalidProviderResponse(
        f"{document}.not_decrypted",
        alg=header["alg"],
        expected=[key.kid for key in keys],
        received=printable(header.get("kid")),
    )


def _checked_header(token: str, document: str) -> Mapping[str, Any]:
    """The header, checked before any key is used."""
    segment, _, _ = token.partition(".")
    if len(segment) > MAX_HEADER:
        raise InvalidProviderResponse(f"{document}.malformed")
    header = without_empty_types(json_segment(segment, document))
    alg, enc = header.get("alg"), header.get("enc")
    # T64, T74: the token may only choose from our own list of algorithms.
    if alg not in ALGS or enc not in ENCS:
        raise InvalidProviderResponse(
            f"{document}.encryption_alg",
            expected=(ALGS, ENCS),
            received=printable([alg, enc]),
        )
    # RFC 8725 3.6: compression allows bombs, and its ratio reveals secrets.
    if "zip" in header:
        raise InvalidProviderResponse(f"{document}.compressed")
    # RFC 7516 4.1.13: this app supports no extension (T73).
    if "crit" in header:
        raise InvalidProviderResponse(f"{document}.crit")
    # RFC 7519 5.2: "JWT" announces a nested token; some providers omit it.
    cty = header.get("cty", "JWT")
    if not isinstance(cty, str) or short_type(cty) != "jwt":
        raise InvalidProviderResponse(
            f"{document}.typ", expected="JWT", received=printable(cty)
        )
    return header


def _candidates(
    header: Mapping[str, Any], keys: Sequence[ClientKey]
) -> list[ClientKey]:
    """The keys that fit the header: the one that it names, or the first four."""
    fitting = [key for key in keys if header["alg"] in key.algs]
    if header["alg"] == "ECDH-ES":
        # RFC 7518 4.6.1.1: a point on another curve could reveal parts of our key.
        epk = header.get("epk")
        asked = (epk.get("kty"), epk.get("crv")) if isinstance(epk, dict) else None
        fitting = [key for key in fitting if ("EC", key.public_jwk()["crv"]) == asked]
    if "kid" in header:
        fitting = [key for key in fitting if key.kid == header["kid"]]
    return fitting[:MAX_KEYS]


def _decryption(token: str, header: Mapping[str, Any]) -> _Decrypt:
    try:
        # From the extra `jwe`, which only sites with encrypted tokens need.
        from joserfc.jwe import JWERegistry, decrypt_compact
        from joserfc.jwk import ECKey, RSAKey
    except ImportError:
        raise ConfigurationError(
            "config.jwe_missing", expected="oauth-login[jwe]"
        ) from None
    # RFC 7516 4: unknown header parameters are ignored. Sizes were checked above; the
    # library's own limits would refuse large RSA keys.
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
    except Exception:  # noqa: BLE001 - all failures must look alike to the sender
        return None


def _nested(plaintext: bytes, document: str) -> str:
    # Shorter than the token, because there is no compression: no further size check.
    # T75: a token that is encrypted twice, or not signed, is refused.
    nested = plaintext.decode("ascii", errors="replace")
    if not COMPACT_JWS.fullmatch(nested):
        raise InvalidProviderResponse(f"{document}.not_signed")
    return nested

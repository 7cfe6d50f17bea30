"""The signature check: the only way to a token's claims (RFC 7515).

ID tokens, logout tokens and signed userinfo share it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jwt.algorithms import Algorithm, get_default_algorithms

from oauth_login.errors import ConfigurationError, InvalidProviderResponse
from oauth_login.protocol.base64url import from_base64url
from oauth_login.protocol.client.registration import HMAC_ALGS, Client
from oauth_login.protocol.discovery import ServerMetadata, check_usable
from oauth_login.protocol.jose.jwks import PublicKey, VerifyingKey
from oauth_login.protocol.members import without_empty_claims, without_empty_types
from oauth_login.protocol.strict_json import parse_json_object, printable

MAX_HEADER = 8 * 1024


class FindKeys(Protocol):
    """Looks up the provider's keys for an algorithm and a key ID.

    `refetch` asks the provider again, because no cached key verified the signature.
    """

    def __call__(
        self, alg: str, kid: str | None, *, refetch: bool
    ) -> Sequence[VerifyingKey]: ...


@dataclass(frozen=True, slots=True)
class VerifiedJws:
    """A token that the provider signed. Only verified_jws makes one."""

    alg: str
    claims: Mapping[str, Any] = field(repr=False)
    # The owner of the key, if the provider's key set names one for each tenant.
    key_issuer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenContext:
    """What every token of one provider is judged by, at one point in time.

    `now` is in seconds since 1970.
    """

    client: Client
    metadata: ServerMetadata
    find_keys: FindKeys
    now: float


COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_ALGORITHMS: Mapping[str, Algorithm] = get_default_algorithms()


def allowed_algs(
    client: Client, metadata: ServerMetadata, *, document: str
) -> tuple[str, ...]:
    """The signing algorithms that both this client and the provider accept.

    If the site names the algorithms itself, its word stands above the metadata's.
    Metadata may list algorithms for userinfo (Discovery 3). Otherwise those for ID
    tokens apply, as they do for logout tokens (Back-Channel Logout 2.4).

    HMAC algorithms may not be combined with others, and they need a secret at least as
    long as their hash (T65, T66).
    """
    allowed = client.id_token_signing_algs
    symmetric = [alg for alg in allowed if alg in HMAC_ALGS]
    if symmetric and (
        len(symmetric) != len(allowed)
        or len(client.client_secret.encode()) < max(HMAC_ALGS[a] for a in symmetric)
    ):
        raise ConfigurationError("config.signing_algs", received=allowed)
    if client.has_own_signing_algs:
        return allowed
    supported = metadata.userinfo_signing_alg_values_supported
    if document != "userinfo" or supported is None:
        check_usable(metadata, "id_token_signing_alg_values_supported")
        supported = metadata.id_token_signing_alg_values_supported
    algs = tuple(alg for alg in allowed if alg in supported)
    if not algs:
        raise ConfigurationError(
            "config.signing_algs", expected=allowed, received=supported
        )
    return algs


def verified_jws(
    token: str,
    context: TokenContext,
    *,
    document: str,
    types: Collection[str] = ("jwt",),
) -> VerifiedJws:
    """The algorithm and the payload of a token that the provider signed.

    `document` ("id_token", "userinfo" or "logout_token") begins the codes of the
    errors; `types` are the accepted values of `typ`, in lower case. Checks the form,
    the header and the signature. Does not check the claims.
    """
    header = _header(token, document)
    alg = header.get("alg")
    allowed = allowed_algs(context.client, context.metadata, document=document)
    # T64: the token may only choose from our own list of algorithms.
    if not isinstance(alg, str) or alg not in allowed:
        raise InvalidProviderResponse(
            f"{document}.alg_not_allowed", expected=allowed, received=printable(alg)
        )
    # RFC 7515 4.1.11, RFC 7797: this app supports no extension (T73).
    if "crit" in header or "b64" in header:
        raise InvalidProviderResponse(f"{document}.crit")
    # RFC 8725 3.11: a token of another type is refused (T77).
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or short_type(typ) not in types or "cty" in header:
        raise InvalidProviderResponse(
            f"{document}.typ", expected=types, received=printable(typ)
        )
    kid = header.get("kid")
    if kid is not None and (not isinstance(kid, str) or len(kid) > 256):
        raise InvalidProviderResponse(f"{document}.key_not_found")

    signed, _, signature = token.rpartition(".")
    key_issuer = None
    if alg in HMAC_ALGS:
        secret = context.client.client_secret.encode()
        verified = _is_signed_with(alg, secret, signed, signature)
    else:
        key = _verifying_key(context.find_keys, alg, kid, signed, signature, document)
        verified, key_issuer = key is not None, key.issuer if key else None
    if not verified:
        raise InvalidProviderResponse(f"{document}.signature", alg=alg)
    claims = json_segment(signed.partition(".")[2], document)
    return VerifiedJws(alg, without_empty_claims(claims), key_issuer)


def short_type(media_type: str) -> str:
    """A `typ` or `cty` in lower case, without the prefix that it may have.

    RFC 7515 4.1.9: "application/" is left out where no other slash follows, and is
    added back by the reader: "application/jwt" and "JWT" are one type.
    """
    return media_type.lower().removeprefix("application/")


def json_segment(segment: str, document: str) -> dict[str, Any]:
    """A header or payload, which must be a JSON object."""
    try:
        return parse_json_object(from_base64url(segment))
    except ValueError:
        raise InvalidProviderResponse(f"{document}.not_json") from None


def _header(token: str, document: str) -> dict[str, Any]:
    # A token has one spelling: no padding, no white space, no JSON form (T75).
    if not COMPACT_JWS.fullmatch(token):
        encrypted = token.count(".") == 4  # RFC 7516 3.1: five parts
        raise InvalidProviderResponse(
            f"{document}.encrypted" if encrypted else f"{document}.malformed"
        )
    header, _, _ = token.partition(".")
    if len(header) > MAX_HEADER:
        raise InvalidProviderResponse(f"{document}.malformed")
    return without_empty_types(json_segment(header, document))


def _verifying_key(
    find_keys: FindKeys,
    alg: str,
    kid: str | None,
    signed: str,
    signature: str,
    document: str,
) -> VerifyingKey | None:
    # The provider may have new keys, reuse an old `kid`, or send no `kid`. So if no
    # cached key verifies the signature, the key set is fetched once more (T69, T86).
    for refetch in (False, True):
        keys = find_keys(alg, kid, refetch=refetch)
        for key in keys:
            if _is_signed_with(alg, key.public_key, signed, signature):
                return key
    if not keys:
        raise InvalidProviderResponse(
            f"{document}.key_not_found", alg=alg, kid=printable(kid)
        )
    return None


def _is_signed_with(
    alg: str, key: PublicKey | bytes, signed: str, signature: str
) -> bool:
    try:
        return _ALGORITHMS[alg].verify(signed.encode(), key, from_base64url(signature))
    except Exception:  # noqa: BLE001 - T65: a key of another type raises TypeError
        return False

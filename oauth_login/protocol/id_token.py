"""The rules for an ID token, with the specification's own numbers.

OpenID Connect Core 1.0, section 3.1.3.7, and the additions of RFC 8725.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.base64url import base64url
from oauth_login.protocol.claims import check_audience, is_subject, numeric_date
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.issuer import check_issuer
from oauth_login.protocol.jose.jwe import decrypted
from oauth_login.protocol.jose.jws import TokenContext, VerifiedJws, verified_jws
from oauth_login.protocol.request_parameters import meets_acr
from oauth_login.protocol.strict_json import printable

MAX_ID_TOKEN = 64 * 1024
MAX_AGE_OF_TOKEN = 600


@dataclass(frozen=True, slots=True)
class IdToken:
    """A valid ID token. Only validate_id_token makes one."""

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)


def validate_id_token(
    token: str,
    context: TokenContext,
    *,
    expected_nonce: str,
    access_token: str | None,
    code: str,
    expected_acr_values: Sequence[str] = (),
    authenticated_since: float | None = None,
) -> IdToken:
    """The ID token, if this provider issued it for this login.

    If `authenticated_since` (seconds since 1970) is given, the person must have
    authenticated no earlier than that. Does not check who may log in.
    """
    client, now = context.client, context.now
    if client.decryption_keys:  # 3.1.3.7 (1)
        token = decrypted(token, document="id_token", keys=client.decryption_keys)
    if len(token) > MAX_ID_TOKEN:
        raise InvalidProviderResponse("id_token.too_large", expected=MAX_ID_TOKEN)
    # 3.1.3.7 (6) signature, (7) and (8) algorithm. The specification lets TLS replace
    # the signature check; we always check the signature (T87).
    jws = verified_jws(token, context, document="id_token")
    claims = jws.claims
    # A logout token or a security event does not prove a login (T77).
    if "events" in claims:
        raise InvalidProviderResponse("id_token.typ", received="events")
    issuer = check_issuer(jws, context, document="id_token")  # (2)
    _check_audience(claims, client)  # (3), (4), (5)
    _check_times(claims, now=now, leeway=client.leeway)  # (9), (10)
    _check_nonce(claims, expected_nonce, client)  # (11)
    _check_acr(claims, expected_acr_values, client)  # (12)
    if authenticated_since is not None:  # (13)
        _check_auth_time(claims, authenticated_since, now=now, leeway=client.leeway)
    _check_hash(jws, "at_hash", access_token)  # 3.1.3.8
    _check_hash(jws, "c_hash", code)
    return IdToken(issuer, _subject(claims, client), claims)


def _check_audience(claims: Mapping[str, Any], client: Client) -> None:
    audiences = check_audience(claims, client=client, document="id_token")
    azp = claims.get("azp")
    # If the token has further audiences, `azp` must name this client.
    if azp != client.client_id and (len(audiences) > 1 or "azp" in claims):
        raise InvalidProviderResponse(
            "id_token.azp_mismatch", expected=client.client_id, received=printable(azp)
        )


def _check_times(claims: Mapping[str, Any], *, now: float, leeway: int) -> None:
    exp = numeric_date(claims, "exp", document="id_token")
    iat = numeric_date(claims, "iat", document="id_token")
    detail = {"expected": now, "leeway": leeway}
    if exp <= now - leeway:
        raise InvalidProviderResponse("id_token.expired", received=exp, **detail)
    if iat > now + leeway:
        raise InvalidProviderResponse("id_token.iat_future", received=iat, **detail)
    # The token endpoint has just issued the token for this login, so an old one is not
    # from there.
    if iat < now - MAX_AGE_OF_TOKEN - leeway:
        raise InvalidProviderResponse("id_token.iat_too_old", received=iat, **detail)
    if exp <= iat:
        raise InvalidProviderResponse("id_token.exp_invalid", received=exp, iat=iat)
    if "nbf" in claims:
        nbf = numeric_date(claims, "nbf", document="id_token")
        if nbf > now + leeway:
            raise InvalidProviderResponse("id_token.nbf_future", received=nbf, **detail)


def _check_nonce(
    claims: Mapping[str, Any], expected_nonce: str, client: Client
) -> None:
    received = claims.get("nonce")
    if not received:
        # Without a nonce, the code verifier ties the token to this login; without PKCE
        # as well, only the state in the session does. A nonce that is present is always
        # checked.
        if received is None and client.deviations.nonce_optional:
            return
        raise InvalidProviderResponse("id_token.nonce_missing")
    if not isinstance(received, str) or not _equal(received, expected_nonce):
        raise InvalidProviderResponse("id_token.nonce_mismatch")  # T33


def _check_acr(
    claims: Mapping[str, Any], expected_acr_values: Sequence[str], client: Client
) -> None:
    # T27: a stronger class will do, where the provider's order is known.
    if not meets_acr(claims.get("acr"), expected_acr_values, order=client.acr_order):
        raise InvalidProviderResponse(
            "id_token.acr_mismatch",
            expected=expected_acr_values,
            received=printable(claims.get("acr")),
        )


def _check_auth_time(
    claims: Mapping[str, Any],
    authenticated_since: float,
    *,
    now: float,
    leeway: int,
) -> None:
    auth_time = numeric_date(claims, "auth_time", document="id_token")
    if auth_time > now + leeway:
        raise InvalidProviderResponse("id_token.auth_time_invalid", received=auth_time)
    if auth_time < authenticated_since - leeway:
        raise InvalidProviderResponse(
            "id_token.auth_time_too_old",
            expected=authenticated_since,
            received=auth_time,
        )


def _check_hash(jws: VerifiedJws, name: str, value: str | None) -> None:
    """at_hash and c_hash, if present (Core 3.1.3.6, 3.3.2.11); T60."""
    if name not in jws.claims:
        return
    if value is None:
        # The provider signed that there is a token, and it did not arrive.
        raise InvalidProviderResponse(f"id_token.{name}_mismatch")
    # The hash function of the signature algorithm; Ed25519 uses SHA-512 (RFC 8032 5.1).
    size = "512" if jws.alg == "EdDSA" else jws.alg[-3:]
    digest = hashlib.new(f"sha{size}", value.encode()).digest()
    half = base64url(digest[: len(digest) // 2])
    received = jws.claims[name]
    if not isinstance(received, str) or not _equal(received, half):
        raise InvalidProviderResponse(f"id_token.{name}_mismatch")


def _subject(claims: Mapping[str, Any], client: Client) -> str:
    subject = claims.get("sub")
    # A token whose subject is our client ID is about the client, not a person (T58).
    if not is_subject(subject) or subject == client.client_id:
        raise InvalidProviderResponse(
            "id_token.sub_invalid", received=printable(subject)
        )
    return subject


def _equal(received: str, expected: str) -> bool:
    """Compare any two texts in constant time (T84)."""
    return hmac.compare_digest(
        received.encode(errors="surrogatepass"), expected.encode()
    )

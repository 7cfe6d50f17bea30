"""The logout token of OpenID Connect Back-Channel Logout 1.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.claims import (
    check_audience,
    is_identifier,
    is_subject,
    numeric_date,
)
from oauth_login.protocol.issuer import check_issuer
from oauth_login.protocol.jose.jwe import decrypted
from oauth_login.protocol.jose.jws import TokenContext, verified_jws
from oauth_login.protocol.strict_json import printable

MAX_LOGOUT_TOKEN = 16 * 1024
# In seconds: the maximum age of a logout token without `exp`, and the maximum lifetime
# of one with `exp` (T113).
MAX_AGE_OF_TOKEN = 300
MAX_LIFETIME = 3600
# Back-Channel Logout 2.4
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """A valid logout token. Only validate_logout_token makes one.

    It ends all sessions of `subject`, or the session `sid`, or with both the session
    `sid` of that person; at least one is not None. The caller must refuse a `jti` that
    was used before, and may forget it at `expires_at` (seconds since 1970).
    """

    issuer: str
    subject: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    jti: str
    issued_at: float
    expires_at: float


def validate_logout_token(token: str, context: TokenContext) -> LogoutToken:
    """The sessions to end, if this provider sent the token (Back-Channel Logout 2.6).

    Does not check whether the token was used before, nor which sessions it is about.
    """
    client = context.client
    if len(token) > MAX_LOGOUT_TOKEN:
        raise InvalidProviderResponse(
            "logout_token.too_large", expected=MAX_LOGOUT_TOKEN
        )
    if client.decryption_keys:  # (1)
        token = decrypted(token, document="logout_token", keys=client.decryption_keys)
    # (2) signature, (3) algorithm: the same checks as for an ID token.
    jws = verified_jws(
        token, context, document="logout_token", types=("jwt", "logout+jwt")
    )
    claims = jws.claims
    issuer = check_issuer(jws, context, document="logout_token")  # (4)
    check_audience(claims, client=client, document="logout_token")
    iat, expires_at = _times(claims, now=context.now, leeway=client.leeway)
    subject = _subject(claims)  # (5)
    sid = _identifier(claims, "sid") if "sid" in claims else None
    if subject is None and sid is None:
        raise InvalidProviderResponse("logout_token.sub_missing")
    events = claims.get("events")  # (6)
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise InvalidProviderResponse(
            "logout_token.events_invalid", expected=LOGOUT_EVENT
        )
    # (7): a token with a nonce may be an ID token (T77).
    if "nonce" in claims:
        raise InvalidProviderResponse("logout_token.nonce_present")
    return LogoutToken(
        issuer=issuer,
        subject=subject,
        sid=sid,
        jti=_identifier(claims, "jti"),
        issued_at=iat,
        expires_at=expires_at,
    )


def _times(
    claims: Mapping[str, Any], *, now: float, leeway: int
) -> tuple[float, float]:
    """When the token was issued, and when it expires."""
    iat = numeric_date(claims, "iat", document="logout_token")
    if iat > now + leeway:
        raise InvalidProviderResponse(
            "logout_token.iat_future", expected=now, received=iat
        )
    if "nbf" in claims:
        nbf = numeric_date(claims, "nbf", document="logout_token")
        if nbf > now + leeway:
            raise InvalidProviderResponse(
                "logout_token.nbf_future", expected=now, received=nbf
            )
    if "exp" not in claims:
        # Required by the final standard; providers of earlier drafts omit it.
        if iat < now - MAX_AGE_OF_TOKEN:
            raise InvalidProviderResponse(
                "logout_token.iat_too_old", expected=now, received=iat
            )
        return iat, iat + MAX_AGE_OF_TOKEN
    exp = numeric_date(claims, "exp", document="logout_token")
    if exp <= now - leeway:
        raise InvalidProviderResponse(
            "logout_token.expired", expected=now, received=exp
        )
    if not iat < exp <= iat + MAX_LIFETIME:
        raise InvalidProviderResponse("logout_token.exp_invalid", received=exp, iat=iat)
    return iat, exp + leeway


def _subject(claims: Mapping[str, Any]) -> str | None:
    if "sub" not in claims:
        return None
    subject = claims["sub"]
    if not is_subject(subject):
        raise InvalidProviderResponse(
            "logout_token.sub_invalid", received=printable(subject)
        )
    return subject


def _identifier(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not is_identifier(value):
        raise InvalidProviderResponse(
            f"logout_token.{name}_invalid", received=printable(value)
        )
    return value

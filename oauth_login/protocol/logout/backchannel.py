"""Logging out: at the provider, or because the provider says so.

OpenID Connect RP-Initiated Logout 1.0, Back-Channel Logout 1.0 and Front-Channel
Logout 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from oauth_login.errors import InvalidCallback, InvalidProviderResponse
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import Params, printable
from oauth_login.protocol.id_token import is_subject
from oauth_login.protocol.issuer import is_issuer
from oauth_login.protocol.jose.jwe import decrypted
from oauth_login.protocol.jose.jws import (
    FindKeys,
    check_audience,
    check_issuer,
    verified_jws,
)
from oauth_login.protocol.logout.styles import style_and_endpoint
from oauth_login.protocol.times import time_of

MAX_URL = 4096
MAX_LOGOUT_TOKEN = 16 * 1024
# How old a logout token may be that does not say itself when it expires, and how long
# one may be good for that does, in seconds (T113).
MAX_AGE_OF_TOKEN = 300
MAX_LIFETIME = 3600
# Back-Channel Logout 2.4
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """A logout token that passed. Only validate_logout_token makes one.

    It is about the sessions of `subject`, or the one session `sid`, or with both about
    that session of that person; one of the two is there. Whether `jti` was used before
    is for the caller to know, who may forget it at `expires_at` (seconds since 1970).
    """

    issuer: str
    subject: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    jti: str
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontchannelLogout:
    """Which session a provider wants ended, by way of a browser: nobody signed it."""

    issuer: str
    sid: str = field(repr=False)


def end_session_url(
    metadata: ServerMetadata,
    *,
    client: Client,
    post_logout_redirect_uri: str,
    state: str,
    id_token_hint: str | None = None,
) -> str | None:
    """Where to send the browser to log out there (RP-Initiated Logout 2).

    None if the provider has no such endpoint, or none that would do without a hint. A
    hint that would make the URL longer than 4096 characters is left out: `client_id`
    says enough (T110).
    """
    style, endpoint = style_and_endpoint(metadata, client)
    if endpoint is None:
        return None
    parameters = {
        "client_id": client.client_id,
        style.return_to: post_logout_redirect_uri,
    }
    if style.is_standard:
        parameters["state"] = state
    joint = "&" if "?" in endpoint else "?"
    url = endpoint + joint + urlencode(parameters)
    if id_token_hint and style.is_standard:
        hinted = f"{url}&{urlencode({'id_token_hint': id_token_hint})}"
        if len(hinted) <= MAX_URL:
            return hinted
    return None if style.needs_hint else url


def validate_logout_token(
    token: str,
    *,
    client: Client,
    metadata: ServerMetadata,
    find_keys: FindKeys,
    now: float,
) -> LogoutToken:
    """Who is to be logged out, if this provider says so (Back-Channel Logout 2.6).

    `now` is in seconds since 1970. Which sessions these are is not looked at, nor
    whether the token was used before.
    """
    if len(token) > MAX_LOGOUT_TOKEN:
        raise InvalidProviderResponse(
            "logout_token.too_large", expected=MAX_LOGOUT_TOKEN
        )
    if client.decryption_keys:  # (1)
        token = decrypted(token, document="logout_token", keys=client.decryption_keys)
    # (2) signature, (3) algorithm: all as for an ID token.
    jws = verified_jws(
        token,
        document="logout_token",
        client=client,
        metadata=metadata,
        find_keys=find_keys,
        types=("jwt", "logout+jwt"),
    )
    claims = jws.claims
    issuer = check_issuer(  # (4)
        jws, client=client, metadata=metadata, document="logout_token"
    )
    check_audience(claims, client=client, document="logout_token")
    iat, expires_at = _times(claims, now=now, leeway=client.leeway)
    subject = _subject(claims)  # (5)
    sid = _identifier(claims, "sid") if "sid" in claims else None
    if subject is None and sid is None:
        raise InvalidProviderResponse("logout_token.sub_missing")
    events = claims.get("events")  # (6)
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise InvalidProviderResponse(
            "logout_token.events_invalid", expected=LOGOUT_EVENT
        )
    # (7): or else it could be an ID token that somebody brought here (T77).
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


def parse_frontchannel_logout(
    params: Params, *, client: Client, metadata: ServerMetadata
) -> FrontchannelLogout:
    """Which session of this provider is to end (Front-Channel Logout 2).

    Both `iss` and `sid` must be there, although the standard has them optional: with
    less, any page could log anybody out (T118).
    """
    received = dict(params)
    if len(received) != len(params):
        raise InvalidCallback("callback.duplicate_parameter", received="iss or sid")
    iss, sid = received.get("iss", ""), received.get("sid", "")
    if not is_issuer(iss, client=client, metadata=metadata):
        raise InvalidCallback(
            "callback.iss_mismatch", expected=metadata.issuer, received=printable(iss)
        )
    if not _IDENTIFIER.fullmatch(sid):
        raise InvalidCallback("callback.malformed", parameter="sid")
    return FrontchannelLogout(issuer=iss, sid=sid)


def _times(
    claims: Mapping[str, Any], *, now: float, leeway: int
) -> tuple[float, float]:
    """When it was issued, and from when on it is good for nothing."""
    iat = time_of(claims, "iat", document="logout_token")
    if iat > now + leeway:
        raise InvalidProviderResponse(
            "logout_token.iat_future", expected=now, received=iat
        )
    if "nbf" in claims:
        nbf = time_of(claims, "nbf", document="logout_token")
        if nbf > now + leeway:
            raise InvalidProviderResponse(
                "logout_token.nbf_future", expected=now, received=nbf
            )
    if "exp" not in claims:
        # Required today; providers of earlier drafts leave it out.
        if iat < now - MAX_AGE_OF_TOKEN:
            raise InvalidProviderResponse(
                "logout_token.iat_too_old", expected=now, received=iat
            )
        return iat, iat + MAX_AGE_OF_TOKEN
    exp = time_of(claims, "exp", document="logout_token")
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
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise InvalidProviderResponse(
            f"logout_token.{name}_invalid", received=printable(value)
        )
    return value

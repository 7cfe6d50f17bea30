"""What the test provider checks before it issues codes and tokens (RFC 6749, 7636)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from oauth_login.testing.keys import base64url

Params = Sequence[tuple[str, str]]


class RequestRefused(ValueError):  # noqa: N818 - what happened, as in RFC 6749 4.1.2.1
    """A request that the provider refuses, with an OAuth error code.

    `redirect_uri` is where the browser is sent with the error; None if it must not be
    redirected.
    """

    def __init__(
        self, error: str, description: str, *, redirect_uri: str | None = None
    ) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.redirect_uri = redirect_uri


@dataclass(slots=True, kw_only=True)
class Grant:
    """What a code stands for: the person's consent to one authorization request.

    `authenticated_at` is in seconds since 1970; `acr` is empty if none was requested.
    """

    claims: Mapping[str, Any]
    request: Mapping[str, str]
    authenticated_at: float
    acr: str = ""
    code: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    access_token: str | None = None

    def asked_for(self, place: str) -> Mapping[str, Any]:
        """The claims asked for one by one, in "id_token" or "userinfo" (Core 5.5)."""
        return requested_claims(self.request).get(place) or {}


class Grants:
    """The issued codes, each valid for one attempt, and their access tokens."""

    def __init__(self) -> None:
        self._of_code: dict[str, Grant] = {}
        self._of_token: dict[str, Grant] = {}

    def add(self, grant: Grant) -> None:
        self._of_code[grant.code] = grant

    def redeemed(self, form: Mapping[str, str]) -> Grant:
        """The grant of a token request, with an access token (RFC 6749 4.1.3)."""
        if form.get("grant_type") != "authorization_code":
            raise RequestRefused(
                "unsupported_grant_type", "only authorization_code is supported"
            )
        grant = self._of_code.get(form.get("code", ""))
        if grant is None:
            raise RequestRefused("invalid_grant", "the code is unknown")
        if grant.access_token is not None:
            # RFC 6749 section 4.1.2: the code was stolen; revoke its token.
            self._of_token.pop(grant.access_token, None)
            raise RequestRefused("invalid_grant", "the code was used before")
        grant.access_token = secrets.token_urlsafe(
            32
        )  # used, even if a later check fails
        check_code(grant, form)
        self._of_token[grant.access_token] = grant
        return grant

    @property
    def access_tokens(self) -> list[str]:
        return [*self._of_token]

    def of_token(self, authorization: str) -> Grant | None:
        """The grant of an access token, from its header (RFC 6750 2.1)."""
        scheme, _, token = authorization.partition(" ")
        return self._of_token.get(token) if scheme.lower() == "bearer" else None


def unique(params: Params) -> dict[str, str]:
    """The parameters by name; RFC 6749 sections 3.1 and 3.2 forbid repeated ones."""
    names = [name for name, _ in params]
    if len(set(names)) != len(names):
        raise RequestRefused("invalid_request", "a parameter occurs twice")
    return dict(params)


def requested_claims(request: Mapping[str, str]) -> dict[str, Any]:
    """The parameter `claims` (OpenID Connect Core 5.5); ValueError if malformed."""
    claims = json.loads(request.get("claims", "{}"))
    if not isinstance(claims, dict):
        raise ValueError("not an object")
    return claims


def check_authorization_request(
    request: Mapping[str, str], *, client_id: str, openid: bool, pkce: bool
) -> None:
    """RFC 6749 section 4.1.1 and RFC 7636 section 4.3, and stricter.

    PKCE, `state` and, with OpenID Connect, `nonce` are required, so that a site whose
    login has lost one of them notices it in its tests. Without `pkce`, a challenge is
    refused, as real providers without PKCE reject it.
    """
    # RFC 6749 4.1.2.1: if one of these is wrong, the browser is not redirected.
    if request.get("client_id") != client_id:
        raise RequestRefused("invalid_request", "client_id is unknown")
    redirect_uri = request.get("redirect_uri", "")
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment:
        raise RequestRefused("invalid_request", "redirect_uri is not an absolute URL")

    def refuse(error: str, description: str) -> RequestRefused:
        return RequestRefused(error, description, redirect_uri=redirect_uri)

    if request.get("response_type") != "code":
        raise refuse("unsupported_response_type", "response_type must be code")
    if request.get("response_mode", "query") not in ("query", "form_post"):
        raise refuse("invalid_request", "response_mode must be query or form_post")
    if problem := _challenge_problem(request, pkce=pkce):
        raise refuse("invalid_request", problem)
    if not re.fullmatch(r"[0-9]{1,9}", request.get("max_age", "0")):
        raise refuse("invalid_request", "max_age is not a number")
    try:
        requested_claims(request)
    except ValueError:
        raise refuse("invalid_request", "claims is not JSON") from None
    if not request.get("state"):
        raise refuse("invalid_request", "state is missing")
    if openid:
        if "openid" not in request.get("scope", "").split():
            raise refuse("invalid_scope", "scope must contain openid")
        if not request.get("nonce"):
            raise refuse("invalid_request", "nonce is missing")


def _challenge_problem(request: Mapping[str, str], *, pkce: bool) -> str | None:
    """What is wrong with the code challenge (RFC 7636 4.3), or None."""
    if not pkce:
        return "PKCE is not supported" if "code_challenge" in request else None
    if request.get("code_challenge_method") != "S256":
        return "code_challenge_method must be S256"
    if not re.fullmatch(r"[\w-]{43}", request.get("code_challenge", ""), re.ASCII):
        return "code_challenge is not a base64url SHA-256"
    return None


def check_code(grant: Grant, form: Mapping[str, str]) -> None:
    """Check that the redeeming client received the code (RFC 6749 4.1.3, 7636 4.6).

    Single use is checked by the caller. A code never expires.
    """
    if form.get("redirect_uri") != grant.request["redirect_uri"]:
        raise RequestRefused("invalid_grant", "redirect_uri does not match")
    if "code_challenge" not in grant.request:
        return
    verifier = form.get("code_verifier", "")
    if not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier):
        raise RequestRefused("invalid_request", "code_verifier is missing or malformed")
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    if not hmac.compare_digest(challenge, grant.request["code_challenge"]):
        raise RequestRefused("invalid_grant", "code_verifier does not match")

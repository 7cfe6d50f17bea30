"""What the provider for tests checks before it gives anything (RFC 6749, RFC 7636)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from oauth_login.testing.keys import base64url

Params = Sequence[tuple[str, str]]


class RequestRefused(ValueError):  # noqa: N818 - what happened, as in RFC 6749 4.1.2.1
    """A request that the provider turns down, with OAuth's own error.

    `redirect_uri` is where the browser may be sent with it; None if it must not be.
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
    """What a code stands for: who said yes, and to which request. Times in seconds."""

    claims: Mapping[str, Any]
    request: Mapping[str, str]
    issued_at: float
    code: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    access_token: str | None = None

    @property
    def is_openid(self) -> bool:
        return "openid" in self.request.get("scope", "").split()


def unique(params: Params) -> dict[str, str]:
    """The parameters by name; none may occur twice (RFC 6749 3.1, 3.2)."""
    names = [name for name, _ in params]
    if len(set(names)) != len(names):
        raise RequestRefused("invalid_request", "a parameter occurs twice")
    return dict(params)


def check_authorization_request(
    request: Mapping[str, str], *, client_id: str, openid: bool
) -> None:
    """RFC 6749 4.1.1 and RFC 7636 4.3, stricter than they are.

    PKCE, `state` and, from OpenID Connect, `nonce` must be there: a site whose login
    has lost one of them shall notice in its tests.
    """
    # RFC 6749 4.1.2.1: with one of these wrong, nobody is redirected.
    if request.get("client_id") != client_id:
        raise RequestRefused("invalid_request", "client_id is not the one known here")
    redirect_uri = request.get("redirect_uri", "")
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.fragment:
        raise RequestRefused("invalid_request", "redirect_uri is not an absolute URL")

    def refuse(error: str, description: str) -> RequestRefused:
        return RequestRefused(error, description, redirect_uri=redirect_uri)

    if request.get("response_type") != "code":
        raise refuse("unsupported_response_type", "response_type must be code")
    if request.get("code_challenge_method") != "S256":
        raise refuse("invalid_request", "code_challenge_method must be S256")
    if not re.fullmatch(r"[\w-]{43}", request.get("code_challenge", ""), re.ASCII):
        raise refuse("invalid_request", "code_challenge is no SHA-256 in base64url")
    if not request.get("state"):
        raise refuse("invalid_request", "there is no state")
    if openid:
        if "openid" not in request.get("scope", "").split():
            raise refuse("invalid_scope", "scope must contain openid")
        if not request.get("nonce"):
            raise refuse("invalid_request", "there is no nonce")


def check_client(
    headers: Mapping[str, str],
    form: Mapping[str, str],
    *,
    client_id: str,
    client_secret: str,
    methods: Collection[str],
) -> None:
    """Who asks is our client, by exactly one of `methods` (RFC 6749 2.3)."""
    authorization = headers.get("authorization")
    if authorization is not None and "client_secret" in form:
        raise RequestRefused("invalid_request", "the client authenticated twice")
    if authorization is not None:
        method, given = "client_secret_basic", _basic_credentials(authorization)
        # 3.2.1: it may say its name in the form as well, but not another one.
        if form.get("client_id", client_id) != client_id:
            raise RequestRefused("invalid_request", "there are two client ids")
    elif "client_secret" in form:
        method = "client_secret_post"
        given = (form.get("client_id", ""), form["client_secret"])
    else:
        method, given = "none", (form.get("client_id", ""), "")
    if method not in methods:
        raise RequestRefused("invalid_client", f"{method} is not allowed here")
    if given != (client_id, "" if method == "none" else client_secret):
        raise RequestRefused("invalid_client", "wrong client id or secret")


def check_code(grant: Grant, form: Mapping[str, str]) -> None:
    """Who redeems the code is whom it was given to (RFC 6749 4.1.3, RFC 7636 4.6).

    That it is used once is not checked here; it never expires.
    """
    if form.get("redirect_uri") != grant.request["redirect_uri"]:
        raise RequestRefused("invalid_grant", "redirect_uri is another one")
    verifier = form.get("code_verifier", "")
    if not re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier):
        raise RequestRefused("invalid_request", "code_verifier is missing or malformed")
    challenge = base64url(hashlib.sha256(verifier.encode()).digest())
    if not hmac.compare_digest(challenge, grant.request["code_challenge"]):
        raise RequestRefused("invalid_grant", "code_verifier is another one")


def _basic_credentials(authorization: str) -> tuple[str, str]:
    """User and password, form-urldecoded as RFC 6749 2.3.1 says."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    user, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise RequestRefused("invalid_client", "the Authorization header is malformed")
    return unquote_plus(user), unquote_plus(password)

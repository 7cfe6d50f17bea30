"""The token request and its response (RFC 6749 4.1.3, 5; OpenID Connect Core 3.1.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oauth_login.errors import (
    ConfigurationError,
    InvalidProviderResponse,
    OAuthLoginError,
    ProviderRefused,
)
from oauth_login.protocol.authorization import AuthorizationCode
from oauth_login.protocol.client.authentication import (
    authenticate,
    authentication_method,
    mtls_alias,
)
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import (
    ProviderRequest,
    ProviderResponse,
    check_status,
    json_object,
)
from oauth_login.protocol.members import without_empty
from oauth_login.protocol.strict_json import printable

# RFC 6749 5.2: the provider rejected the code, or the client. The other values are
# those of GitHub and Slack, which send them with status 200 (seen in November 2026).
# Tuples and not sets: a provider may send a list, which is not hashable.
CODE_REFUSED = ("invalid_grant", "bad_verification_code", "invalid_code")
CLIENT_REFUSED = (
    *("invalid_client", "unauthorized_client"),
    *("incorrect_client_credentials", "bad_client_secret"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """The tokens that the provider issued. `expires_in` is in seconds.

    `access_token` is None if an OpenID provider sent only an ID token, as Azure AD B2C
    does for the scope "openid" alone.
    """

    access_token: str | None = field(repr=False)
    expires_in: int | None
    id_token: str | None = field(repr=False)
    # Scopes that were requested and not granted; empty if the provider says nothing.
    missing_scopes: frozenset[str] = frozenset()


def code_request(
    code: AuthorizationCode,
    *,
    code_verifier: str,
    redirect_uri: str,
    client: Client,
    metadata: ServerMetadata,
    now: float,
) -> ProviderRequest:
    """Redeem a code (RFC 6749 4.1.3, RFC 7636 4.5)."""
    parameters = {
        "grant_type": "authorization_code",
        "code": code.value,
        "redirect_uri": redirect_uri,
    }
    if not client.deviations.without_pkce:
        parameters["code_verifier"] = code_verifier
    form, headers = authenticate(parameters, client=client, metadata=metadata, now=now)
    headers["Accept"] = "application/json"
    alias = mtls_alias("token_endpoint", client=client, metadata=metadata)
    url = alias or metadata.token_endpoint
    return ProviderRequest("POST", url, "token", headers, form)


def parse_token_response(
    response: ProviderResponse, *, client: Client, metadata: ServerMetadata
) -> TokenResponse:
    """The tokens, present and of the right types. Does not check their content."""
    # RFC 6749 5.2: errors have status 400, or 401 for a failed client authentication.
    check_status(response, document="token", allowed=(200, 400, 401, 403))
    document = without_empty(json_object(response, document="token"))
    # Some providers send errors with status 200.
    if response.status != 200 or "error" in document:
        raise _refusal(document, client, metadata)

    access_token = _access_token(document)
    if access_token is None and not client.is_openid:
        raise InvalidProviderResponse("token.invalid_member", member="access_token")
    id_token = document.get("id_token") if client.is_openid else None
    if id_token is not None and not isinstance(id_token, str):
        raise InvalidProviderResponse("token.invalid_member", member="id_token")
    if client.is_openid and not id_token:
        raise InvalidProviderResponse("token.id_token_missing")
    return TokenResponse(
        access_token=access_token,
        expires_in=_seconds(document.get("expires_in")),
        id_token=id_token,
        missing_scopes=_missing_scopes(document.get("scope"), client.scope),
    )


def _access_token(document: Mapping[str, Any]) -> str | None:
    """The access token, as long as the response may be; None if there is none."""
    access_token = document.get("access_token")
    if access_token is None:
        return None
    # RFC 6749 A.12: VSCHAR
    if not isinstance(access_token, str) or not re.fullmatch(
        r"[\x20-\x7e]+", access_token
    ):
        raise InvalidProviderResponse("token.invalid_member", member="access_token")
    token_type = document.get("token_type")
    # RFC 6749 7.1: a token of an unknown type must not be used.
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise InvalidProviderResponse(
            "token.token_type", expected="Bearer", received=printable(token_type)
        )
    return access_token


def _refusal(
    document: Mapping[str, Any], client: Client, metadata: ServerMetadata
) -> OAuthLoginError:
    error = document.get("error")
    detail = {
        "received": printable(error),
        "description": printable(document.get("error_description", "")),
    }
    if error in CODE_REFUSED:
        return ProviderRefused("token.refused", **detail)
    if error in CLIENT_REFUSED:
        return ConfigurationError(
            "config.client_refused",
            **detail,
            method=authentication_method(client, metadata),
            methods_supported=metadata.token_endpoint_auth_methods_supported,
            # A provider that does not decode as RFC 6749 2.3.1 says fails on these.
            secret_has_special_characters=bool(
                re.search(r"[^A-Za-z0-9._~-]", client.client_secret)
            ),
        )
    return InvalidProviderResponse("token.error", **detail)


# Not about claims: a provider may leave them out of its answer.
_WITHOUT_CLAIMS = frozenset({"openid", "offline_access"})
# Google grants these two under other names (seen in November 2026).
_OTHER_NAMES = {
    f"https://www.googleapis.com/auth/userinfo.{scope}": scope
    for scope in ("email", "profile")
}


def _missing_scopes(granted: object, requested: str) -> frozenset[str]:
    """RFC 6749 5.1: without `scope`, all that was requested was granted.

    GitHub separates scopes by commas, and Twitch sends a list.
    """
    if isinstance(granted, list):
        granted = " ".join(scope for scope in granted if isinstance(scope, str))
    if not isinstance(granted, str):
        return frozenset()
    names = {_OTHER_NAMES.get(name, name) for name in re.split(r"[\s,]+", granted)}
    return frozenset(requested.split()) - names - _WITHOUT_CLAIMS


def _seconds(value: object) -> int | None:
    """RFC 6749 5.1's `expires_in`, a number or a string of digits; None otherwise."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and 0 <= value < 2**31:
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return None

"""How the test provider authenticates its client (RFC 6749 2.3, 7523, 8705)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from jwt.algorithms import get_default_algorithms

from oauth_login.testing.grants import RequestRefused
from oauth_login.testing.keys import from_base64url
from oauth_login.testing.state import ProviderState

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# A longer lifetime means that the assertion was not made for one request.
MAX_LIFETIME = 3600
WITH_CERTIFICATE = ("tls_client_auth", "self_signed_tls_client_auth")
_HMAC = ("HS256", "HS384", "HS512")


def check_client(
    provider: ProviderState,
    headers: Mapping[str, str],
    form: Mapping[str, str],
    *,
    over_mtls: bool,
) -> None:
    """Check that the client authenticates by exactly one of the announced methods.

    `over_mtls`: the request came to an address for clients with a certificate. The
    server that terminates TLS checks the certificate itself.
    """
    authorization = headers.get("authorization")
    ways = [
        authorization is not None,
        "client_secret" in form,
        "client_assertion" in form,
    ]
    if sum(ways) > 1:
        raise RequestRefused("invalid_request", "the client authenticated twice")
    # RFC 6749 section 3.2.1: client_id may be in the form as well, but must match.
    if form.get("client_id", provider.client_id) != provider.client_id:
        error = "invalid_client" if authorization is None else "invalid_request"
        raise RequestRefused(error, "client_id does not match")
    if authorization is not None:
        _allow(provider, "client_secret_basic")
        given = _basic_credentials(authorization, encoding=provider.basic_encoding)
        _check_secret(provider, *given)
    elif "client_assertion" in form:
        _check_assertion(provider, form)
    elif "client_secret" in form and "signed_client_secret" in provider.auth_methods:
        _check_signed_secret(provider, form["client_secret"])
    elif "client_secret" in form:
        _allow(provider, "client_secret_post")
        _check_secret(provider, form.get("client_id", ""), form["client_secret"])
    elif "client_id" not in form:
        raise RequestRefused("invalid_client", "the client does not identify itself")
    elif certificate := set(WITH_CERTIFICATE).intersection(provider.auth_methods):
        if provider.mtls_endpoints and not over_mtls:
            raise RequestRefused(
                "invalid_client", f"{certificate} needs the mTLS address"
            )
    else:
        _allow(provider, "none")


def announced(methods: tuple[str, ...]) -> list[str]:
    """The methods as metadata names them; Apple's signed secret has no name."""
    return [
        "client_secret_post" if method == "signed_client_secret" else method
        for method in methods
    ]


def _allow(provider: ProviderState, method: str) -> None:
    if method not in provider.auth_methods:
        raise RequestRefused("invalid_client", f"{method} is not allowed here")


def _check_secret(provider: ProviderState, client_id: str, secret: str) -> None:
    if (client_id, secret) != (provider.client_id, provider.client_secret):
        raise RequestRefused("invalid_client", "wrong client id or secret")


def _check_assertion(provider: ProviderState, form: Mapping[str, str]) -> None:
    """RFC 7523 3, OpenID Connect Core 9."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise RequestRefused("invalid_client", "client_assertion_type is wrong")
    claims = _verified(provider, form["client_assertion"])
    if claims.get("iss") != provider.client_id:
        raise RequestRefused("invalid_client", "iss is not the client")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or jti in provider.used_assertions:
        raise RequestRefused("invalid_client", "jti is missing, or was used before")
    provider.used_assertions.add(jti)


def _check_signed_secret(provider: ProviderState, secret: str) -> None:
    if secret.count(".") != 2:
        raise RequestRefused("invalid_client", "the secret is not a JWT")
    _verified(provider, secret)


def _verified(provider: ProviderState, token: str) -> dict[str, Any]:
    """The claims of the client's JWT; checks signature, subject, audience, lifetime."""
    try:
        header, claims = (
            json.loads(from_base64url(part)) for part in token.split(".")[:2]
        )
        signed, _, signature = token.rpartition(".")
        verified = _has_signed(provider, header, signed, from_base64url(signature))
        lifetime = claims["exp"] - provider.now()
    except (ValueError, KeyError, TypeError):
        raise RequestRefused("invalid_client", "the assertion is malformed") from None
    if not verified:
        raise RequestRefused("invalid_client", "the assertion's signature is wrong")
    if claims.get("sub") != provider.client_id:
        raise RequestRefused("invalid_client", "sub is not the client")
    # T38: exactly one string, this provider's.
    if claims.get("aud") != (provider.assertion_audience or provider.issuer):
        raise RequestRefused("invalid_client", "aud is not this provider")
    if not 0 < lifetime <= MAX_LIFETIME:
        raise RequestRefused("invalid_client", "exp is past, or too far in the future")
    return dict(claims)


def _has_signed(
    provider: ProviderState, header: Mapping[str, Any], signed: str, signature: bytes
) -> bool:
    alg = header["alg"]
    algorithm = get_default_algorithms()[alg]
    if alg in _HMAC:
        _allow(provider, "client_secret_jwt")
        secret = provider.client_secret.encode()
        return bool(algorithm.verify(signed.encode(), secret, signature))
    if "signed_client_secret" not in provider.auth_methods:
        _allow(provider, "private_key_jwt")
    return any(
        algorithm.verify(signed.encode(), algorithm.from_jwk(jwk), signature)
        for jwk in provider.client_jwks.get("keys", ())
        if jwk.get("kid") == header["kid"]
    )


def _basic_credentials(authorization: str, *, encoding: str) -> tuple[str, str]:
    """User and password, form-urldecoded (RFC 6749 section 2.3.1) unless "raw"."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    user, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise RequestRefused("invalid_client", "the Authorization header is malformed")
    if encoding == "raw":
        return user, password
    return unquote_plus(user), unquote_plus(password)

"""How the provider for tests knows its client (RFC 6749 2.3, 7523, 8705)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from jwt.algorithms import get_default_algorithms

from oauth_login.testing.grants import RequestRefused
from oauth_login.testing.keys import from_base64url

if TYPE_CHECKING:
    from oauth_login.testing.provider import FakeProvider

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# An assertion that is good for longer than that was not made for one request.
MAX_LIFETIME = 3600
WITH_CERTIFICATE = ("tls_client_auth", "self_signed_tls_client_auth")
_HMAC = ("HS256", "HS384", "HS512")


def check_client(
    provider: FakeProvider,
    headers: Mapping[str, str],
    form: Mapping[str, str],
    *,
    over_mtls: bool,
) -> None:
    """Who asks is our client, by exactly one of the ways that are announced.

    `over_mtls`: the request came to an address for clients with a certificate. The
    certificate itself is for whoever ends the TLS connection.
    """
    authorization = headers.get("authorization")
    ways = [
        authorization is not None,
        "client_secret" in form,
        "client_assertion" in form,
    ]
    if sum(ways) > 1:
        raise RequestRefused("invalid_request", "the client authenticated twice")
    # 3.2.1: it may say its name in the form as well, but not another one.
    if form.get("client_id", provider.client_id) != provider.client_id:
        error = "invalid_client" if authorization is None else "invalid_request"
        raise RequestRefused(error, "client_id is another one")
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
        raise RequestRefused("invalid_client", "the client does not say who it is")
    elif certificate := set(WITH_CERTIFICATE).intersection(provider.auth_methods):
        if provider.mtls_endpoints and not over_mtls:
            raise RequestRefused("invalid_client", f"{certificate} is at another place")
    else:
        _allow(provider, "none")


def announced(methods: tuple[str, ...]) -> list[str]:
    """The methods as metadata has them; Apple's secret is one to everybody else."""
    return [
        "client_secret_post" if method == "signed_client_secret" else method
        for method in methods
    ]


def _allow(provider: FakeProvider, method: str) -> None:
    if method not in provider.auth_methods:
        raise RequestRefused("invalid_client", f"{method} is not allowed here")


def _check_secret(provider: FakeProvider, client_id: str, secret: str) -> None:
    if (client_id, secret) != (provider.client_id, provider.client_secret):
        raise RequestRefused("invalid_client", "wrong client id or secret")


def _check_assertion(provider: FakeProvider, form: Mapping[str, str]) -> None:
    """RFC 7523 3, OpenID Connect Core 9."""
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise RequestRefused("invalid_client", "client_assertion_type is another one")
    claims = _verified(provider, form["client_assertion"])
    if claims.get("iss") != provider.client_id:
        raise RequestRefused("invalid_client", "iss is not the client")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or jti in provider.used_assertions:
        raise RequestRefused("invalid_client", "jti is missing, or was used before")
    provider.used_assertions.add(jti)


def _check_signed_secret(provider: FakeProvider, secret: str) -> None:
    if secret.count(".") != 2:
        raise RequestRefused("invalid_client", "the secret is not a JWT")
    _verified(provider, secret)


def _verified(provider: FakeProvider, token: str) -> dict[str, Any]:
    """The claims of a JWT of our client: signed, about it, for us, and for now."""
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
    # One string, ours: T38.
    if claims.get("aud") != (provider.assertion_audience or provider.issuer):
        raise RequestRefused("invalid_client", "aud is somebody else")
    if not 0 < lifetime <= MAX_LIFETIME:
        raise RequestRefused("invalid_client", "exp has passed, or is far away")
    return dict(claims)


def _has_signed(
    provider: FakeProvider, header: Mapping[str, Any], signed: str, signature: bytes
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
    """User and password, form-urldecoded as RFC 6749 2.3.1 says; not if "raw"."""
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

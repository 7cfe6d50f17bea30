"""Client authentication: exactly one method per request (RFC 6749 2.3, 7523, 8705)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from urllib.parse import quote_plus

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client.keys import PrivateKey, signed_jwt
from oauth_login.protocol.client.registration import HMAC_ALGS, Client
from oauth_login.protocol.discovery import ServerMetadata, check_usable

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFETIME = 60

# The credential that each method needs. The last is Apple's: a JWT as the secret.
METHODS: Mapping[str, str] = {
    "none": "",
    "client_secret_basic": "secret",
    "client_secret_post": "secret",
    "client_secret_jwt": "secret",
    "private_key_jwt": "keys",
    "tls_client_auth": "certificate",
    "self_signed_tls_client_auth": "certificate",
    "signed_client_secret": "keys",
}
# Preferred methods first. A configured secret is used before a certificate or a key.
_CHOICE = {
    "secret": ("client_secret_basic", "client_secret_post", "client_secret_jwt"),
    "certificate": ("tls_client_auth", "self_signed_tls_client_auth"),
    "keys": ("private_key_jwt",),
}


def authentication_method(client: Client, metadata: ServerMetadata) -> str:
    """The configured method, or the first preferred one that the provider supports.

    Only this method is tried: trying several would reveal the secret in several ways
    (T54).
    """
    if client.token_endpoint_auth_method != "auto":  # noqa: S105 - a method's name
        return client.token_endpoint_auth_method
    if client.client_secret:
        choice = _CHOICE["secret"]
    elif client.has_certificate:
        choice = _CHOICE["certificate"]
    elif client.keys:
        choice = _CHOICE["keys"]
    else:
        return "none"
    check_usable(metadata, "token_endpoint_auth_methods_supported")
    supported = metadata.token_endpoint_auth_methods_supported
    for method in choice:
        if method in supported:
            return method
    raise ConfigurationError("config.client_auth", expected=choice, received=supported)


def mtls_alias(name: str, *, client: Client, metadata: ServerMetadata) -> str | None:
    """The endpoint's address for clients that authenticate with a certificate.

    RFC 8705 5: the provider requests certificates at these addresses only, so that
    browsers are not asked for one. Tokens issued there are used there.
    """
    if METHODS[authentication_method(client, metadata)] != "certificate":
        return None
    check_usable(metadata, "mtls_endpoint_aliases")
    check_usable(metadata, f"mtls_endpoint_aliases.{name}")
    return metadata.mtls_endpoint_aliases.get(name)


def check_authentication(client: Client, metadata: ServerMetadata) -> None:
    """Raise unless this client can authenticate as the provider's metadata says."""
    match authentication_method(client, metadata):
        case "client_secret_basic":
            _basic(client)
        case "client_secret_jwt":
            _secret_key(client, metadata)
        case "private_key_jwt" | "signed_client_secret":
            _own_key(client, metadata)
        case _:
            mtls_alias("token_endpoint", client=client, metadata=metadata)


def authenticate(
    form: Mapping[str, str], *, client: Client, metadata: ServerMetadata, now: float
) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers of a token request, with client authentication."""
    match authentication_method(client, metadata):
        case "client_secret_basic":
            return dict(form), {"Authorization": _basic(client)}
        case "client_secret_post":
            added = {"client_secret": client.client_secret}
        case "signed_client_secret":
            added = {"client_secret": _apple_secret(client, metadata, now)}
        case "client_secret_jwt":
            added = _assertion(client, metadata, *_secret_key(client, metadata), now)
        case "private_key_jwt":
            added = _assertion(client, metadata, *_own_key(client, metadata), now)
        case _:
            # RFC 6749 3.2.1: a public client sends its ID, and the code verifier is the
            # proof. RFC 8705 2: with a certificate, the TLS connection is the proof.
            added = {}
    return {**form, "client_id": client.client_id, **added}, {}


def _basic(client: Client) -> str:
    user, password = client.client_id, client.client_secret
    if client.deviations.raw_basic:
        # RFC 7617 2: the password begins after the first colon, so an ID with a colon
        # would name another client (T54).
        if ":" in user:
            raise ConfigurationError("config.client_auth", expected="no ':' in the ID")
    else:
        # RFC 6749 2.3.1: both are form-urlencoded first, as appendix B describes.
        user, password = quote_plus(user), quote_plus(password)
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _assertion(
    client: Client,
    metadata: ServerMetadata,
    alg: str,
    key: PrivateKey | bytes,
    kid: str | None,
    now: float,
) -> dict[str, str]:
    """RFC 7523 2.2, OpenID Connect Core 9."""
    # T38: the audience is the issuer. A hostile provider could put another provider's
    # token endpoint into its metadata and use the assertion there.
    audience = metadata.issuer
    if client.deviations.audience_is_token_endpoint:
        audience = metadata.token_endpoint
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(32),
        "iat": int(now),
        "exp": int(now) + ASSERTION_LIFETIME,
    }
    jwt = signed_jwt(claims, alg=alg, key=key, kid=kid)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": jwt}


def _secret_key(
    client: Client, metadata: ServerMetadata
) -> tuple[str, bytes, str | None]:
    secret = client.client_secret.encode()
    algs = tuple(alg for alg, length in HMAC_ALGS.items() if len(secret) >= length)
    return _signing_alg(algs, metadata), secret, None


def _own_key(client: Client, metadata: ServerMetadata) -> tuple[str, PrivateKey, str]:
    if not client.keys:
        raise ConfigurationError("config.client_auth", expected="CLIENT_KEYS")
    key = client.keys[0]
    return _signing_alg(key.algs, metadata), key.private_key, key.kid


def _signing_alg(algs: tuple[str, ...], metadata: ServerMetadata) -> str:
    check_usable(metadata, "token_endpoint_auth_signing_alg_values_supported")
    supported = metadata.token_endpoint_auth_signing_alg_values_supported
    for alg in algs:
        if not supported or alg in supported:
            return alg
    raise ConfigurationError("config.client_auth", expected=algs, received=supported)


def _apple_secret(client: Client, metadata: ServerMetadata, now: float) -> str:
    """Apple's client secret: a JWT that we sign for each request.

    One made by hand expires after at most six months, and then every login fails.
    """
    alg, key, kid = _own_key(client, metadata)
    claims = {
        "iss": client.team_id or client.client_id,
        "sub": client.client_id,
        "aud": metadata.issuer,
        "iat": int(now),
        "exp": int(now) + ASSERTION_LIFETIME,
    }
    return signed_jwt(claims, alg=alg, key=key, kid=kid)

"""Who we are at the token endpoint: exactly one method (RFC 6749 2.3)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import quote_plus

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client import Client
from oauth_login.protocol.discovery import ServerMetadata

METHODS = ("none", "client_secret_basic", "client_secret_post")


def authentication_method(client: Client, metadata: ServerMetadata) -> str:
    """The method to use: the configured one, or the best that the provider has.

    It is chosen once and never tried in turn: a second try would show the secret
    twice (T54).
    """
    if client.token_endpoint_auth_method != "auto":  # noqa: S105 - a method's name
        return client.token_endpoint_auth_method
    if not client.client_secret:
        return "none"
    supported = metadata.token_endpoint_auth_methods_supported
    for method in ("client_secret_basic", "client_secret_post"):
        if method in supported:
            return method
    raise ConfigurationError("config.client_auth", expected=METHODS, received=supported)


def authenticate(
    form: Mapping[str, str], *, client: Client, metadata: ServerMetadata
) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers of a token request that says who we are."""
    method = authentication_method(client, metadata)
    if method == "client_secret_basic":
        # RFC 6749 2.3.1: both are form-urlencoded first, as appendix B says.
        user, password = quote_plus(client.client_id), quote_plus(client.client_secret)
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        return dict(form), {"Authorization": f"Basic {credentials}"}
    if method == "client_secret_post":
        secret = {"client_id": client.client_id, "client_secret": client.client_secret}
        return {**form, **secret}, {}
    # RFC 6749 3.2.1: a public client says its name, and the verifier is its proof.
    return {**form, "client_id": client.client_id}, {}

"""How to ask each provider for a logout, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutStyle:
    """How to ask a provider for a logout.

    `return_to` is the name of the parameter with the URL to return to. If `is_standard`
    is off, the request has only this parameter and `client_id`. If `needs_hint` is on,
    the browser is not sent there without an ID token as a hint. `unannounced` is the
    endpoint's path below the issuer, for metadata that names no endpoint; an endpoint
    that metadata names is used in the standard style.
    """

    return_to: str = "post_logout_redirect_uri"
    is_standard: bool = True
    needs_hint: bool = False
    unannounced: str | None = None


STYLES: Mapping[str, LogoutStyle] = {
    "standard": LogoutStyle(),
    # Okta and FranceConnect show an error page if there is no hint.
    "hint_required": LogoutStyle(needs_hint=True),
    # Cognito announces the endpoint since 2024, but refuses the standard parameters.
    "cognito": LogoutStyle(return_to="logout_uri", is_standard=False),
    # Auth0 tenants that do not announce the standard endpoint have this one.
    "auth0": LogoutStyle(
        return_to="returnTo", is_standard=False, unannounced="/v2/logout"
    ),
}


def style_and_endpoint(
    metadata: ServerMetadata, client: Client
) -> tuple[LogoutStyle, str | None]:
    """The style for this provider, and its logout endpoint or None."""
    style = STYLES[client.deviations.logout_style]
    endpoint = metadata.end_session_endpoint
    if style.unannounced is None:
        return style, endpoint
    if endpoint is not None:
        return STYLES["standard"], endpoint
    return style, metadata.issuer.removesuffix("/") + style.unannounced

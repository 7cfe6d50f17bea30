"""How providers want to be asked to log somebody out, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutStyle:
    """How a provider is asked to log somebody out.

    `return_to` is the parameter with the address to come back to. `is_standard` off:
    there is that and `client_id`, and no other parameter of the standard. With
    `needs_hint` nobody is sent there without an ID token to show. `unannounced` is the
    endpoint's path at the issuer, used in this style where metadata has none; where it
    has one, that one is a standard one.
    """

    return_to: str = "post_logout_redirect_uri"
    is_standard: bool = True
    needs_hint: bool = False
    unannounced: str | None = None


STYLES: Mapping[str, LogoutStyle] = {
    "standard": LogoutStyle(),
    # Okta and FranceConnect: without a hint the person ends at a page of errors.
    "hint_required": LogoutStyle(needs_hint=True),
    # Announced since 2024, and it refuses what the standard says.
    "cognito": LogoutStyle(return_to="logout_uri", is_standard=False),
    # Tenants that were not told to announce their standard endpoint have this one.
    "auth0": LogoutStyle(
        return_to="returnTo", is_standard=False, unannounced="/v2/logout"
    ),
}


def style_and_endpoint(
    metadata: ServerMetadata, client: Client
) -> tuple[LogoutStyle, str | None]:
    """The style for this provider, and its endpoint; None if it has none."""
    style = STYLES[client.deviations.logout_style]
    endpoint = metadata.end_session_endpoint
    if style.unannounced is None:
        return style, endpoint
    if endpoint is not None:
        return STYLES["standard"], endpoint
    return style, metadata.issuer.removesuffix("/") + style.unannounced

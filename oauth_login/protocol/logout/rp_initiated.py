"""Log out at the provider as well (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import urlencode

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.logout.styles import style_and_endpoint

MAX_URL = 4096


def end_session_url(
    metadata: ServerMetadata,
    *,
    client: Client,
    post_logout_redirect_uri: str,
    state: str,
    id_token_hint: str | None = None,
) -> str | None:
    """The URL that logs the browser out at the provider (RP-Initiated Logout 2).

    None if the provider has no such endpoint, or if the endpoint requires a hint and
    there is none. A hint that would make the URL longer than 4096 characters is left
    out, because `client_id` suffices (T110).
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

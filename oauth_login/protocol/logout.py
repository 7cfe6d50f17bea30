"""Logging out at the provider (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import urlencode

from oauth_login.protocol.client import Client
from oauth_login.protocol.discovery import ServerMetadata

MAX_URL = 4096


def end_session_url(
    metadata: ServerMetadata,
    *,
    client: Client,
    post_logout_redirect_uri: str,
    state: str,
    id_token_hint: str | None = None,
) -> str | None:
    """Where to send the browser to log out there (RP-Initiated Logout 2).

    None if the provider has no such endpoint. A hint that would make the URL longer
    than 4096 characters is left out: `client_id` says enough (T110).
    """
    if metadata.end_session_endpoint is None:
        return None
    parameters = {
        "client_id": client.client_id,
        "post_logout_redirect_uri": post_logout_redirect_uri,
        "state": state,
    }
    endpoint = metadata.end_session_endpoint
    joint = "&" if "?" in endpoint else "?"
    url = endpoint + joint + urlencode(parameters)
    if id_token_hint:
        hinted = f"{url}&{urlencode({'id_token_hint': id_token_hint})}"
        url = hinted if len(hinted) <= MAX_URL else url
    return url

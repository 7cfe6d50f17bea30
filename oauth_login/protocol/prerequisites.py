"""What a login needs of the metadata, checked before the browser is sent away.

After the person has typed a password, it is too late to say that the login could not
have succeeded.
"""

from __future__ import annotations

from oauth_login.protocol.client.authentication import check_authentication
from oauth_login.protocol.client.registration import HMAC_ALGS, Client
from oauth_login.protocol.discovery import ServerMetadata, endpoint_url
from oauth_login.protocol.jose.jws import allowed_algs


def check_prerequisites(
    client: Client, metadata: ServerMetadata, *, needs_userinfo: bool
) -> None:
    """Raise if the metadata shows that no login can succeed.

    There must be a common way to authenticate this client, a common algorithm for ID
    tokens, and endpoints that this app may use for all that every login needs.
    """
    check_authentication(client, metadata)
    if client.is_openid:
        algs = allowed_algs(client, metadata, document="id_token")
        if not HMAC_ALGS.keys() >= {*algs}:
            endpoint_url(metadata, "jwks_uri")
    if needs_userinfo:
        endpoint_url(metadata, "userinfo_endpoint")

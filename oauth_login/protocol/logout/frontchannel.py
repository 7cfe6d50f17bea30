"""The browser brings a provider's logout (OpenID Connect Front-Channel Logout 1.0)."""

from __future__ import annotations

from dataclasses import dataclass, field

from oauth_login.errors import InvalidCallback
from oauth_login.protocol.claims import is_identifier
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import Params
from oauth_login.protocol.issuer import check_sender


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontchannelLogout:
    """Which session a provider wants ended, by way of a browser: nobody signed it."""

    issuer: str
    sid: str = field(repr=False)


def parse_frontchannel_logout(
    params: Params, *, client: Client, metadata: ServerMetadata
) -> FrontchannelLogout:
    """Which session of this provider is to end (Front-Channel Logout 2).

    Both `iss` and `sid` must be there, although the standard has them optional: with
    less, any page could log anybody out (T118).
    """
    received = dict(params)
    if len(received) != len(params):
        raise InvalidCallback("callback.duplicate_parameter", received="iss or sid")
    iss, sid = received.get("iss", ""), received.get("sid", "")
    check_sender(iss, client=client, metadata=metadata)
    if not is_identifier(sid):
        raise InvalidCallback("callback.malformed", parameter="sid")
    return FrontchannelLogout(issuer=iss, sid=sid)

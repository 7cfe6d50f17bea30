"""A logout request in a hidden frame (OpenID Connect Front-Channel Logout 1.0)."""

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
    """A session to end. The request came through the browser and is not signed."""

    issuer: str
    sid: str = field(repr=False)


def parse_frontchannel_logout(
    params: Params, *, client: Client, metadata: ServerMetadata
) -> FrontchannelLogout:
    """The session of this provider to end (Front-Channel Logout 2).

    `iss` and `sid` are required here, although the standard makes them optional:
    without them, any web page could log its visitors out (T118).
    """
    received = dict(params)
    if len(received) != len(params):
        raise InvalidCallback("callback.duplicate_parameter", received="iss or sid")
    iss, sid = received.get("iss", ""), received.get("sid", "")
    check_sender(iss, client=client, metadata=metadata)
    if not is_identifier(sid):
        raise InvalidCallback("callback.malformed", parameter="sid")
    return FrontchannelLogout(issuer=iss, sid=sid)

"""Groups that did not fit into the token, fetched by a function of the site's choice.

The function decides which addresses to ask, and this room what asking means: the
provider's own transport, the person's own access token, one host, so many pages, so
many seconds. Whatever goes wrong, the groups are unknown, and not absent (T98).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from oauth_login.errors import InvalidProviderResponse
from oauth_login.policy.claim_paths import MAX_VALUES, is_unknown
from oauth_login.protocol.http import (
    ProviderRequest,
    ProviderResponse,
    check_status,
    json_object,
)
from oauth_login.protocol.userinfo import userinfo_request

logger = logging.getLogger("oauth_login.overage")

MAX_REQUESTS = 20
MAX_SECONDS = 15.0

Get: TypeAlias = Callable[[str], Mapping[str, Any]]
Resolver: TypeAlias = Callable[[Get, Mapping[str, Any]], Sequence[str]]
Send: TypeAlias = Callable[[ProviderRequest], ProviderResponse]


@dataclass(frozen=True, slots=True)
class Overage:
    """How the values of one claim are had when the token has no room for them.

    `wanted` are the values that any rule asks for; None: all.
    """

    claim: str
    resolver: Callable[[], Resolver]
    wanted: frozenset[str] | None

    def resolved(
        self, claims: Mapping[str, Any], *, access_token: str, send: Send
    ) -> dict[str, Any]:
        """The claims, with the missing one where it could be had."""
        if not is_unknown(claims, self.claim, complete=True):
            return dict(claims)
        getter = _Getter(access_token, send)
        try:
            values = self._values(self.resolver()(getter.get, claims))
        except Exception as error:  # noqa: BLE001 - somebody else's function
            # The message may quote what came over the wire.
            reason = getattr(error, "code", type(error).__name__)
            logger.warning("claim=%r could not be fetched: %s", self.claim, reason)
            return dict(claims)
        return {**claims, self.claim: values}

    def _values(self, values: Sequence[str]) -> list[str]:
        found = sorted({v for v in values if self.wanted is None or v in self.wanted})
        if len(found) > MAX_VALUES:
            raise InvalidProviderResponse("userinfo.too_large", received=len(found))
        return found


class _Getter:
    """JSON documents of one host, so many, for the bearer of one token."""

    def __init__(self, access_token: str, send: Send) -> None:
        self._access_token = access_token
        self._send = send
        self._left = MAX_REQUESTS
        self._ends_at = time.monotonic() + MAX_SECONDS
        self._origin: tuple[str, str] | None = None

    def get(self, url: str) -> Mapping[str, Any]:
        """The JSON object at an https URL: of the first one's host, and no other.

        The next page's address comes from the page before: it must not lead the
        token elsewhere (T49, T50).
        """
        parts = urlsplit(url)
        origin = parts.scheme, parts.netloc
        if parts.scheme != "https" or origin != (self._origin or origin):
            raise InvalidProviderResponse("discovery.insecure_endpoint", received=url)
        self._origin = origin
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._ends_at:
            raise InvalidProviderResponse("userinfo.too_large", expected=MAX_REQUESTS)
        response = self._send(
            userinfo_request(self._access_token, userinfo_endpoint=url)
        )
        check_status(response, document="userinfo")
        return json_object(response, document="userinfo")

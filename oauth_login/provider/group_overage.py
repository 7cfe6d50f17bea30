"""Groups that did not fit into the token, fetched by a function that the site chooses.

The function decides which URLs to request. This module limits the requests: the
provider's transport, the person's access token, one host, a maximum of requests and of
seconds. After any failure the groups are unknown, and not absent (T98).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from oauth_login.errors import InvalidProviderResponse
from oauth_login.policy.claim_paths import is_unknown
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
    """How to fetch the values of a claim that did not fit into the token.

    `wanted` are the values that the rules mention; None means all.
    """

    claim: str
    resolver: Callable[[], Resolver]
    wanted: frozenset[str] | None

    def resolved(
        self, claims: Mapping[str, Any], *, access_token: str, send: Send
    ) -> dict[str, Any]:
        """The claims, with the missing one added if it could be fetched."""
        if not is_unknown(claims, self.claim, complete=True):
            return dict(claims)
        getter = _Getter(access_token, send)
        try:
            values = self._values(self.resolver()(getter.get, claims))
        except Exception as error:  # noqa: BLE001 - the site's own function
            # The message may quote the response, so only the code or type is logged.
            reason = getattr(error, "code", type(error).__name__)
            logger.warning("claim=%r could not be fetched: %s", self.claim, reason)
            return dict(claims)
        return {**claims, self.claim: values}

    def _values(self, values: Sequence[str]) -> list[str]:
        return sorted({v for v in values if self.wanted is None or v in self.wanted})


class _Getter:
    """Fetches JSON documents from one host with one access token, within the limits."""

    def __init__(self, access_token: str, send: Send) -> None:
        self._access_token = access_token
        self._send = send
        self._left = MAX_REQUESTS
        self._ends_at = time.monotonic() + MAX_SECONDS
        self._origin: tuple[str, str] | None = None

    def get(self, url: str) -> Mapping[str, Any]:
        """The JSON object at an https URL, which must have the first URL's host.

        A page contains the URL of the next page; it must not send the access token to
        another host (T49, T50).
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

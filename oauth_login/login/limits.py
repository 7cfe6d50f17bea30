"""Limits for what anyone may cause without an account: begin, ask, be sent back (T128).

Counted in the cache by minute: per session, per address where CLIENT_ADDRESS says whose
it is, and per site. They are far above what people do, and keep a script from filling
the session table and from keeping workers and the provider busy. There is none for a
callback that has its attempt, none for an emergency link that is valid, and none at all
while the cache is down.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.module_loading import import_string

from oauth_login.audit.counters import count
from oauth_login.conf import get_config
from oauth_login.login.attempts import is_in_cookie

logger = logging.getLogger("oauth_login")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many a minute; an address may be that of a whole office."""

    session: int
    address: int
    site: int


BEGIN, INITIATE, ADDRESS = "begin", "initiate", "address"
LOST_CALLBACK, EMERGENCY_LINK = "lost callback", "emergency link"
LIMITS = {
    BEGIN: Limit(session=120, address=1_200, site=12_000),
    INITIATE: Limit(session=120, address=1_200, site=12_000),
    ADDRESS: Limit(session=60, address=600, site=6_000),
    LOST_CALLBACK: Limit(session=120, address=1_200, site=12_000),
    EMERGENCY_LINK: Limit(session=20, address=60, site=600),
}


def is_over_limit(request: HttpRequest, kind: str, *, now: float) -> bool:
    """Count this request, and say whether there were too many of its kind.

    The narrowest limit comes first, and what it stops does not count for the others:
    one browser or one address does not use up the site's.
    """
    limit = LIMITS[kind]
    for scope, name, most in (
        ("session", _session(request), limit.session),
        ("address", _address(request), limit.address),
        ("site", "", limit.site),
    ):
        if name is None:
            continue
        times = count(f"{kind}\0{scope}\0{name}", now=now)
        if not times:
            return False  # the cache is down: each try could cost its time-out
        if times > most:
            if times == most + 1:  # once a minute: no flood in the log either
                logger.warning("too many requests: %s, limit per %s", kind, scope)
            return True
    return False


def _session(request: HttpRequest) -> str | None:
    # Reading the user loads the session: a key that a client made up is none then.
    is_known = request.user.is_authenticated or not request.session.is_empty()
    if not is_known or is_in_cookie():
        return None
    return request.session.session_key


def _address(request: HttpRequest) -> str | None:
    """The client's address, of IPv6 the /64; None if the site does not say whose it is.

    Behind a proxy, REMOTE_ADDR would be the same for all.
    """
    setting = get_config().client_address
    if setting is None:
        return None
    if isinstance(setting, int):
        return _network(_behind(request, proxies=setting))
    try:
        find: Callable[[HttpRequest], object] = (
            import_string(setting) if isinstance(setting, str) else setting
        )
        return _network(find(request))
    except Exception:
        logger.exception("CLIENT_ADDRESS failed")
        return None


def _behind(request: HttpRequest, *, proxies: int) -> object:
    """Each of so many proxies has added the address that it saw, at the end."""
    if not proxies:
        return request.META.get("REMOTE_ADDR")
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    return seen[-proxies] if len(seen) >= proxies else None


def _network(address: object) -> str | None:
    """The address in one spelling; None if it is none. Some proxies add the port."""
    text = str(address or "").strip()
    if match := re.fullmatch(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+", text):
        text = match[1] or match[2]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

"""Which URLs this server sends requests to, and under which address it reaches them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}

# A host name (RFC 1035 2.3.4) or an IPv6 address without a zone, then the port.
_NAME = r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?"
_NETLOC = rf"({_NAME}|\[[0-9a-f:]*:[0-9a-f:.]*\])(:[0-9]+)?"


def is_loopback_name(host: str | None) -> bool:
    """Whether browsers take a host for this machine (RFC 6761 section 6.3).

    `*.localhost` is for what a browser is told, not for what this server asks: it is
    the browser that never looks such a name up, and resolvers differ.
    """
    name = (host or "").lower()
    return name in LOOPBACK_HOSTS or (
        re.fullmatch(_NAME, name) is not None and name.endswith(".localhost")
    )


def is_allowed_url(url: str, *, allow_http_loopback: bool) -> bool:
    """Whether requests may go there: https, a plain host, nothing ambiguous (T45, T49).

    http is allowed for this machine only, and only if the site allows it. Does not
    check which address the host name resolves to.
    """
    # URL parsers disagree about these characters, and no endpoint needs them.
    if re.search(r"[^\x21-\x7e]|[\\\"<>^`{|}]", url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or "#" in url or port == 0:
        return False
    if len(parts.hostname) > 253:  # the idna codec takes quadratic time
        return False
    # An HTTP client may decode an encoded host and connect to another host than this.
    if not re.fullmatch(_NETLOC, parts.netloc, re.IGNORECASE):
        return False
    if parts.scheme == "https":
        return True
    return (
        allow_http_loopback
        and parts.scheme == "http"
        and parts.hostname in LOOPBACK_HOSTS
    )


def is_site_url(url: str, *, allow_http_loopback: bool) -> bool:
    """Whether browsers reach a site there safely: https, or http on this machine."""
    if is_allowed_url(url, allow_http_loopback=False):
        return True
    return (
        allow_http_loopback
        and url.startswith("http:")
        and is_allowed_url(f"https:{url[5:]}", allow_http_loopback=False)
        and is_loopback_name(urlsplit(url).hostname)
    )


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in its own spelling."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def seen_from_here(url: str, *, issuer: str, backend_base_url: str | None) -> str:
    """The URL under which this server reaches the provider.

    In a cluster, browsers and this server may know the provider by different names.
    Only URLs at the issuer's own address are translated.
    """
    if backend_base_url is None or origin(url) != origin(issuer):
        return url
    return origin(backend_base_url) + url.removeprefix(origin(url))


def is_behind(url: str, backend_base_url: str | None) -> bool:
    """Whether it is a plain URL at the address under which this server asks."""
    secure = url.replace("http:", "https:", 1)
    return (
        backend_base_url is not None
        and is_allowed_url(secure, allow_http_loopback=False)
        and origin(url) == origin(backend_base_url)
    )

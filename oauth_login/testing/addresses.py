"""What the provider for tests has at which address, and a record of who asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# What is there, and the usual path, by the name that metadata gives to the address.
ENDPOINTS = {
    "discovery_url": ("discovery", "/.well-known/openid-configuration"),
    "jwks_uri": ("jwks", "/jwks"),
    "token_endpoint": ("token", "/token"),
    "userinfo_endpoint": ("userinfo", "/userinfo"),
    "authorization_endpoint": ("authorize", "/authorize"),
    "end_session_endpoint": ("logout", "/logout"),
}
# There only where somebody's settings name it, as GitHub's do.
_UNUSUAL = {"emails_endpoint": "emails"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request that came. All but the first two may hold a secret of the site."""

    document: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def usual_addresses(issuer: str) -> dict[str, str]:
    """Where what is at `issuer`, by metadata's names."""
    base = issuer.removesuffix("/")
    return {name: base + path for name, (_, path) in ENDPOINTS.items()}


# RFC 8705 5: where a client goes that has a certificate.
MTLS_ENDPOINTS = ("token_endpoint", "userinfo_endpoint")


def mtls_addresses(base: str) -> dict[str, str]:
    """The same for clients with a certificate; none without a `base`."""
    addresses = usual_addresses(base) if base else {}
    return {name: addresses[name] for name in MTLS_ENDPOINTS if name in addresses}


def document_at(url: str, *addresses: Mapping[str, str]) -> str:
    """What `url` asks for; "unknown" if there is nothing."""
    where = url.partition("?")[0]
    for name, address in (pair for known in addresses for pair in known.items()):
        if where == address.partition("?")[0]:
            return _UNUSUAL.get(name) or ENDPOINTS[name][0]
    return "unknown"

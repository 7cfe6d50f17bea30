"""The addresses of the test provider, and the log of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# The document and its usual path, by the address's name in the metadata.
ENDPOINTS = {
    "discovery_url": ("discovery", "/.well-known/openid-configuration"),
    "jwks_uri": ("jwks", "/jwks"),
    "token_endpoint": ("token", "/token"),
    "userinfo_endpoint": ("userinfo", "/userinfo"),
    "authorization_endpoint": ("authorize", "/authorize"),
    "end_session_endpoint": ("logout", "/logout"),
}
# Only served if the settings name its address, as for GitHub.
_UNUSUAL = {"emails_endpoint": "emails"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request. All fields but the first two may contain a secret of the site."""

    document: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


def usual_addresses(issuer: str) -> dict[str, str]:
    """The addresses at `issuer`, by their names in the metadata."""
    base = issuer.removesuffix("/")
    return {name: base + path for name, (_, path) in ENDPOINTS.items()}


# RFC 8705 section 5: the addresses for clients with a certificate.
MTLS_ENDPOINTS = ("token_endpoint", "userinfo_endpoint")


def mtls_addresses(base: str) -> dict[str, str]:
    """The addresses for clients with a certificate; empty without `base`."""
    addresses = usual_addresses(base) if base else {}
    return {name: addresses[name] for name in MTLS_ENDPOINTS if name in addresses}


def document_at(url: str, *addresses: Mapping[str, str]) -> str:
    """The document at `url`; "unknown" if there is none."""
    where = url.partition("?")[0]
    for name, address in (pair for known in addresses for pair in known.items()):
        if where == address.partition("?")[0]:
            return _UNUSUAL.get(name) or ENDPOINTS[name][0]
    return "unknown"

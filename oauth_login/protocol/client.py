"""Our registration at a provider, in the names of RFC 7591."""

from __future__ import annotations

from dataclasses import dataclass, field

ASYMMETRIC_ALGS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    "EdDSA",
)
# The shortest secret that RFC 7518 3.2 allows for each, in bytes.
HMAC_ALGS = {"HS256": 32, "HS384": 48, "HS512": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who we are at the provider, and what we accept from it.

    `token_endpoint_auth_method` is "auto" (chosen from the provider's metadata),
    "none", "client_secret_basic" or "client_secret_post". `leeway` is in seconds.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    token_endpoint_auth_method: str = "auto"  # noqa: S105 - a method's name
    scope: str = "openid profile email"
    id_token_signing_algs: tuple[str, ...] = ASYMMETRIC_ALGS
    leeway: int = 60

    @property
    def is_openid(self) -> bool:
        """Whether an ID token is asked for (OpenID Connect Core 3.1.2.1)."""
        return "openid" in self.scope.split()

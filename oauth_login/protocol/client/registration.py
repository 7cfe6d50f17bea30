"""The client's registration at a provider, with the names of RFC 7591."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from oauth_login.protocol.client.keys import ClientKey
from oauth_login.protocol.deviations import Deviations

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
    """This site as a client of one provider: credentials, parameters, algorithms.

    `token_endpoint_auth_method` is "auto" (chosen from the provider's metadata) or one
    of authentication.METHODS. The first of `keys` signs. With `decryption_keys` the
    provider must encrypt ID tokens. `team_id` is Apple's. `response_mode` None is the
    provider's default. `default_max_age` and `leeway` are in seconds.
    `authorization_params` are added to every authorization request unchanged.
    With `has_own_signing_algs`, the site itself names `id_token_signing_algs`, and the
    metadata is not asked. `acr_order` lists the provider's authentication classes, the
    weakest first; `sends_auth_time` says whether its ID tokens have an `auth_time`.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    token_endpoint_auth_method: str = "auto"  # noqa: S105 - a method's name
    keys: tuple[ClientKey, ...] = ()
    decryption_keys: tuple[ClientKey, ...] = ()
    has_certificate: bool = False
    team_id: str | None = None
    scope: str = "openid profile email"
    response_mode: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    acr_order: tuple[str, ...] = ()
    sends_auth_time: bool = True
    authorization_params: Mapping[str, str | tuple[str, ...]] = field(
        default_factory=dict
    )
    id_token_signing_algs: tuple[str, ...] = ASYMMETRIC_ALGS
    has_own_signing_algs: bool = False
    leeway: int = 60
    deviations: Deviations = field(default_factory=Deviations)

    @property
    def is_openid(self) -> bool:
        """Whether the client requests an ID token (OpenID Connect Core 3.1.2.1)."""
        return "openid" in self.scope.split()

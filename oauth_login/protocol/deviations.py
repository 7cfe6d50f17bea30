"""Where a provider leaves the standards, and how far we follow it: closed, by name.

Each switch is set by the preset of a provider that needs it, or by a site that knows
why, and does one thing. With all of them off, the same input is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TENANT = "{tenantid}"
# What may stand in its place: an id, or a domain.
_TENANT_ID = re.compile(r"[A-Za-z0-9.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """The switches of one provider, all off.

    - `without_pkce`: no code challenge is sent (LinkedIn, Mozilla Accounts: a
      verifier makes them refuse the client).
    - `nonce_optional`: an ID token without nonce passes; one with another never does
      (LinkedIn).
    - `raw_basic`: id and secret are not form-urlencoded under client_secret_basic,
      against RFC 6749 2.3.1 (authentik: it does not decode them).
    - `audience_is_token_endpoint`: client assertions are made for the token endpoint's
      URL, not for the issuer (Login.gov).
    - `acr_values_required`: the provider refuses a request without `acr_values`. A
      login that asks for no class sends the weakest one, and nothing is judged by it
      (Login.gov, FranceConnect).
    - `string_booleans`: "true" and "false" are read as booleans where the standard has
      booleans (Cognito, Apple, Entra ID).
    - `numeric_booleans`: 1 and 0, as numbers or as text, are read as booleans there
      (Entra ID's `xms_edov`).
    - `user_in_response`: the authorization response has a field "user" with a name in
      it, said once and signed by nobody (Apple).
    - `claim_aliases`: a standard claim → the provider's own name for it, used where the
      standard one is not there (GitHub, Discord, Entra ID).
    - `logout_style` is one of logout_styles.STYLES: how this provider is asked to log
      somebody out, where not as the standard has it (Cognito, Auth0, Okta).
    - `issuer_template` with "{tenantid}" in it: each tenant has an issuer of its own,
      and the claim `tid` says which (Entra ID). `allowed_tenants` may enter; "*" is
      all of them.
    """

    without_pkce: bool = False
    nonce_optional: bool = False
    raw_basic: bool = False
    audience_is_token_endpoint: bool = False
    acr_values_required: bool = False
    string_booleans: bool = False
    numeric_booleans: bool = False
    user_in_response: bool = False
    claim_aliases: Mapping[str, str] = field(default_factory=dict)
    logout_style: str = "standard"
    issuer_template: str | None = None
    allowed_tenants: tuple[str, ...] = ()

    def allows_tenant(self, tenant: object) -> bool:
        """Whether somebody of that tenant may enter (T79)."""
        return (
            isinstance(tenant, str)
            and _TENANT_ID.fullmatch(tenant) is not None
            and ("*" in self.allowed_tenants or tenant in self.allowed_tenants)
        )

"""The known ways in which providers deviate from the standards, as named switches.

The preset of a provider that needs a switch sets it, or a site that knows why does.
Each switch does one thing. While it is off, the deviation is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

TENANT = "{tenantid}"
# What may replace it: a tenant's ID or domain.
_TENANT_ID = re.compile(r"[A-Za-z0-9.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviations:
    """The switches of one provider, all off.

    - `without_pkce`: no code challenge is sent (LinkedIn and Mozilla Accounts
      refuse a client that sends a verifier).
    - `nonce_optional`: an ID token without a nonce is accepted; one with a wrong nonce
      never is (LinkedIn).
    - `raw_basic`: client_secret_basic sends ID and secret without form-urlencoding,
      against RFC 6749 2.3.1 (authentik does not decode them).
    - `audience_is_token_endpoint`: the audience of client assertions is the token
      endpoint's URL instead of the issuer (Login.gov).
    - `acr_values_required`: the provider refuses a request without `acr_values`. A
      login that asks for no class sends the weakest one, and the ID token is not
      checked for it (Login.gov, FranceConnect).
    - `login_oauth_issuer`: the `iss` of an authorization response may have the path
      `/login/oauth` behind the issuer (GitHub, since April 2026). Users stay the
      issuer's.
    - `no_login_hint`: the provider refuses a request with a `login_hint`, so none is
      sent (FranceConnect).
    - `no_prompt_login`: the provider has no `prompt=login`, and does not announce its
      `prompt=select_account` (Google, GitHub, Login.gov).
    - `string_booleans`: "true" and "false" are read as booleans in claims that the
      standard defines as booleans (Cognito, Apple, Entra ID).
    - `numeric_booleans`: 1 and 0, as numbers or as text, are read as booleans there
      (Entra ID's `xms_edov`).
    - `user_in_data`: the user document is the member `data` of the response (X).
    - `user_in_response`: the authorization response has a parameter "user" with the
      person's name, at the first login only and unsigned (Apple).
    - `claim_aliases`: a standard claim → the provider's own name for it, used if the
      standard claim is missing (GitHub, Discord, Entra ID).
    - `logout_style` is one of logout.styles.STYLES: how to ask this provider for a
      logout if it does not follow the standard (Cognito, Auth0, Okta).
    - `issuer_template` contains "{tenantid}": each tenant has its own issuer, and the
      claim `tid` names the tenant (Entra ID). People of `allowed_tenants` may log in;
      "*" allows all tenants.
    """

    without_pkce: bool = False
    nonce_optional: bool = False
    raw_basic: bool = False
    audience_is_token_endpoint: bool = False
    acr_values_required: bool = False
    login_oauth_issuer: bool = False
    no_login_hint: bool = False
    no_prompt_login: bool = False
    string_booleans: bool = False
    numeric_booleans: bool = False
    user_in_data: bool = False
    user_in_response: bool = False
    claim_aliases: Mapping[str, str] = field(default_factory=dict)
    logout_style: str = "standard"
    issuer_template: str | None = None
    allowed_tenants: tuple[str, ...] = ()

    def allows_tenant(self, tenant: object) -> bool:
        """Whether people of that tenant may log in (T79)."""
        return (
            isinstance(tenant, str)
            and _TENANT_ID.fullmatch(tenant) is not None
            and ("*" in self.allowed_tenants or tenant in self.allowed_tenants)
        )

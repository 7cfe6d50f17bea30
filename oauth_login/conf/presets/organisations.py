"""Providers that an organisation has for itself: each site says its own ISSUER."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

ENTRA = "https://login.microsoftonline.com"
# Entra ID's tenant for everybody who is in none.
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"

_ENTRA_VALUES = {
    "LABEL": "Microsoft",
    # The ID token has everything that there is; theirs is another service's endpoint.
    "USERINFO": "never",
    # There is no email_verified. This optional claim says as much, in several forms.
    "CLAIM_ALIASES": {"email_verified": "xms_edov"},
    "DEVIATIONS": ("string_booleans", "numeric_booleans"),
    # An optional claim that an app registration has to ask for.
    "AUTH_TIME": False,
}

ORGANISATIONS: Mapping[str, Preset] = {
    "entra": Preset(
        _ENTRA_VALUES,
        open_issuers=frozenset({f"{ENTRA}/{PERSONAL_ACCOUNTS}/v2.0"}),
    ),
    "entra_multitenant": Preset(
        {
            **_ENTRA_VALUES,
            # Where the metadata is; "common" would be personal accounts, too.
            "ISSUER": f"{ENTRA}/organizations/v2.0",
            "ISSUER_TEMPLATE": f"{ENTRA}/{{tenantid}}/v2.0",
        }
    ),
    "okta": Preset({"LABEL": "Okta", "LOGOUT_STYLE": "hint_required"}),
    "auth0": Preset(
        {
            "LABEL": "Auth0",
            "LOGOUT_STYLE": "auth0",
            "USERNAME_FROM": ("nickname", "email"),
        }
    ),
    "keycloak": Preset({"LABEL": "Keycloak"}),
    "cognito": Preset(
        {
            "LABEL": "Cognito",
            "DEVIATIONS": ("string_booleans",),
            "LOGOUT_STYLE": "cognito",
            "USERNAME_FROM": ("cognito:username", "email"),
        }
    ),
    "authentik": Preset({"LABEL": "authentik", "BASIC_ENCODING": "raw"}),
    "authelia": Preset(
        {
            "LABEL": "Authelia",
            "SCOPES": ("openid", "profile", "email", "groups"),
        }
    ),
    "dex": Preset(
        {
            "LABEL": "Dex",
            "SCOPES": ("openid", "profile", "email", "groups"),
        }
    ),
    "zitadel": Preset({"LABEL": "ZITADEL"}),
    "fusionauth": Preset({"LABEL": "FusionAuth"}),
    "ping": Preset({"LABEL": "Ping"}),
    "adfs": Preset(
        {
            "LABEL": "AD FS",
            "SCOPES": ("openid", "profile", "email", "allatclaims"),
            # It has the subject and nothing else, or answers 401.
            "USERINFO": "never",
            "USERNAME_FROM": ("upn", "unique_name", "email"),
        }
    ),
    "salesforce": Preset(
        {"LABEL": "Salesforce"},
        open_issuers=frozenset(
            {"https://login.salesforce.com", "https://test.salesforce.com"}
        ),
    ),
}

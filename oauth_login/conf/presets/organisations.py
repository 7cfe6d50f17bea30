"""Presets for providers of an organisation. Most sites set their own ISSUER."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

ENTRA = "https://login.microsoftonline.com"
# Entra ID's tenant for personal Microsoft accounts.
PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"

_ENTRA_VALUES = {
    "LABEL": "Microsoft",
    # The ID token has all claims. The userinfo endpoint belongs to Microsoft Graph.
    "USERINFO": "never",
    # Entra ID has no email_verified. This optional claim has the same meaning, as a
    # boolean, a string or a number.
    "CLAIM_ALIASES": {"email_verified": "xms_edov"},
    "DEVIATIONS": ("string_booleans", "numeric_booleans"),
    # auth_time is an optional claim, which an app registration has to enable.
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
            # Used for the metadata only. "common" would include personal accounts.
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
            # Userinfo returns only the subject, or answers 401.
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

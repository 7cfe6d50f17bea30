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
        # External ID and B2C, where customers sign up.
        open_hosts=(".ciamlogin.com", ".b2clogin.com"),
        compared_with=(
            "OpenID Connect on the Microsoft identity platform",
            "ID token claims reference",
            "Optional claims reference",
        ),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "entra_multitenant": Preset(
        {
            **_ENTRA_VALUES,
            # Used for the metadata only. "common" would include personal accounts.
            "ISSUER": f"{ENTRA}/organizations/v2.0",
            "ISSUER_TEMPLATE": f"{ENTRA}/{{tenantid}}/v2.0",
        },
        compared_with=(
            "OpenID Connect on the Microsoft identity platform",
            "ID token claims reference",
            "Optional claims reference",
        ),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "entra_b2c": Preset(
        {
            "LABEL": "Microsoft",
            # Refuses the scopes profile and email.
            "SCOPES": ("openid",),
            "USERINFO": "never",
            # A list.
            "CLAIM_ALIASES": {"email": "emails"},
        },
        # Customers sign up.
        is_open=True,
        compared_with=("Azure AD B2C error codes", "Azure AD B2C issuer claim support"),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "okta": Preset(
        {"LABEL": "Okta", "LOGOUT_STYLE": "hint_required"},
        compared_with=("OpenID Connect & OAuth 2.0 API",),
        compared_in="2026-11",
        email_verified="either",
    ),
    "auth0": Preset(
        {
            "LABEL": "Auth0",
            "LOGOUT_STYLE": "auth0",
            "USERNAME_FROM": ("nickname", "email"),
        },
        compared_with=(
            "ID Token Structure",
            "Log Users Out of Auth0 with OIDC Endpoint",
        ),
        compared_in="2026-11",
        email_verified="either",
    ),
    "keycloak": Preset(
        {"LABEL": "Keycloak"},
        compared_with=("Available Endpoints",),
        compared_in="2026-11",
        email_verified="either",
    ),
    "cognito": Preset(
        {
            "LABEL": "Cognito",
            "DEVIATIONS": ("string_booleans",),
            "LOGOUT_STYLE": "cognito",
            "USERNAME_FROM": ("cognito:username", "email"),
        },
        compared_with=("Using the ID token", "LOGOUT endpoint"),
        compared_in="2026-11",
        email_verified="either",
    ),
    "authentik": Preset(
        {"LABEL": "authentik", "BASIC_ENCODING": "raw"},
        compared_with=("OAuth 2.0 provider",),
        compared_in="2026-11",
        email_verified="false",
    ),
    "authelia": Preset(
        {
            "LABEL": "Authelia",
            "SCOPES": ("openid", "profile", "email", "groups"),
        },
        compared_with=("OpenID Connect 1.0 Claims",),
        compared_in="2026-11",
        email_verified="true",
    ),
    "dex": Preset(
        {
            "LABEL": "Dex",
            # By its own certification report: neither max_age nor auth_time.
            "AUTH_TIME": False,
            "SCOPES": ("openid", "profile", "email", "groups"),
        },
        compared_with=(
            "Tokens",
            "Scopes and Claims",
            "OpenID Connect Provider Certification",
        ),
        compared_in="2026-11",
        email_verified="either",
    ),
    "zitadel": Preset(
        {"LABEL": "ZITADEL"},
        compared_with=("Claims",),
        compared_in="2026-11",
        email_verified="either",
    ),
    "fusionauth": Preset(
        {"LABEL": "FusionAuth"},
        compared_with=("Tokens",),
        compared_in="2026-11",
        email_verified="either",
    ),
    "ping": Preset(
        {"LABEL": "Ping"},
        compared_with=(
            "Token claims",
            "Signoff",
            "OpenID Connect RP-initiated logout endpoint",
        ),
        compared_in="2026-11",
        email_verified="unknown",
    ),
    "adfs": Preset(
        {
            "LABEL": "AD FS",
            "SCOPES": ("openid", "profile", "email", "allatclaims"),
            # Userinfo returns only the subject, or answers 401.
            "USERINFO": "never",
            "USERNAME_FROM": ("upn", "unique_name", "email"),
        },
        compared_with=(
            "AD FS OpenID Connect/OAuth concepts",
            "Single log-out for OpenID Connect with AD FS",
        ),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "salesforce": Preset(
        {"LABEL": "Salesforce"},
        open_issuers=frozenset(
            {"https://login.salesforce.com", "https://test.salesforce.com"}
        ),
        compared_with=("Using Identity URLs",),
        compared_in="2026-11",
        email_verified="unknown",
    ),
}

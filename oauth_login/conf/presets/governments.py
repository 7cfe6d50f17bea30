"""Presets for the providers that governments run."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

GOVERNMENTS: Mapping[str, Preset] = {
    "login_gov": Preset(
        {
            "LABEL": "Login.gov",
            "ISSUER": "https://secure.login.gov/",
            "CLIENT_AUTH": "private_key_jwt",
            "DEVIATIONS": (
                "acr_values_required",
                "audience_is_token_endpoint",
                "no_prompt_login",
            ),
            "SCOPES": ("openid", "email"),
            # "preferred" is only requested: Login.gov answers with "verified" for users
            # whom it verified before facial matching, and with "required" for others.
            "ACR_ORDER": (
                "urn:acr.login.gov:auth-only",
                "urn:acr.login.gov:verified-facial-match-preferred",
                "urn:acr.login.gov:verified",
                "urn:acr.login.gov:verified-facial-match-required",
            ),
            "AUTH_TIME": False,
            # Other values of `prompt` are allowed only for some clients.
            "AUTH_PARAMS": {"prompt": "select_account"},
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=("Authorization", "User info", "service levels and AAL values"),
        compared_in="2026-11",
        email_verified="true",
    ),
    "franceconnect": Preset(
        {
            "LABEL": "FranceConnect",
            "ISSUER": "https://oidc.franceconnect.gouv.fr/api/v2",
            "SCOPES": ("openid", "given_name", "family_name", "email"),
            "DEVIATIONS": ("acr_values_required", "no_login_hint"),
            "ACR_ORDER": ("eidas1", "eidas2", "eidas3"),
            # A request with max_age is refused.
            "AUTH_TIME": False,
            "PKCE": False,
            "LOGOUT_STYLE": "hint_required",
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=("the platform's published source",),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "proconnect": Preset(
        {
            "LABEL": "ProConnect",
            "ISSUER": "https://auth.agentconnect.gouv.fr/api/v2",
            "SCOPES": ("openid", "given_name", "usual_name", "email"),
            # Without "eidas0-mfa", which is neither above nor below "eidas1".
            "ACR_ORDER": ("eidas0", "eidas1", "eidas1-mfa", "eidas2", "eidas3"),
            # A request with max_age is refused.
            "AUTH_TIME": False,
            "PKCE": False,
            "CLAIM_ALIASES": {"family_name": "usual_name"},
            "LOGOUT_STYLE": "hint_required",
            "USERNAME_FROM": ("email",),
        },
        # Open to employees of the state and of every company in France.
        is_open=True,
        compared_with=(
            "Implémentation technique",
            "Données fournies",
            "Niveaux eidas",
            "Niveaux ACR",
        ),
        compared_in="2026-11",
        email_verified="absent",
    ),
}

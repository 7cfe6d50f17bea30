"""Providers that a state runs for its citizens and civil servants."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

GOVERNMENTS: Mapping[str, Preset] = {
    "login_gov": Preset(
        {
            "LABEL": "Login.gov",
            "ISSUER": "https://secure.login.gov/",
            "CLIENT_AUTH": "private_key_jwt",
            "DEVIATIONS": ("audience_is_token_endpoint",),
            "SCOPES": ("openid", "email"),
            "ACR_VALUES": ("urn:acr.login.gov:auth-only",),
            # The only value that every client may send.
            "AUTH_PARAMS": {"prompt": "select_account"},
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "franceconnect": Preset(
        {
            "LABEL": "FranceConnect",
            "ISSUER": "https://oidc.franceconnect.gouv.fr/api/v2",
            "SCOPES": ("openid", "given_name", "family_name", "email"),
            "ACR_VALUES": ("eidas1",),
            "PKCE": False,
            "LOGOUT_STYLE": "hint_required",
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "proconnect": Preset(
        {
            "LABEL": "ProConnect",
            "ISSUER": "https://auth.agentconnect.gouv.fr/api/v2",
            "SCOPES": ("openid", "given_name", "usual_name", "email"),
            "ACR_VALUES": ("eidas1",),
            "PKCE": False,
            "CLAIM_ALIASES": {"family_name": "usual_name"},
            "LOGOUT_STYLE": "hint_required",
            "USERNAME_FROM": ("email",),
        },
        # Whoever works somewhere: for the state, or for any firm in France.
        open_to_anybody=True,
    ),
}

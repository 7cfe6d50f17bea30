"""Providers where people have accounts of their own."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

PUBLIC: Mapping[str, Preset] = {
    "google": Preset(
        {
            "LABEL": "Google",
            "ISSUER": "https://accounts.google.com",
            "AUTH_TIME": False,
            # There is no preferred_username; asking userinfo for it is in vain.
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "apple": Preset(
        {
            "LABEL": "Apple",
            "ISSUER": "https://appleid.apple.com",
            "CLIENT_AUTH": "signed_client_secret",
            "SCOPES": ("openid", "name", "email"),
            # Whoever asks for name or email must take the answer as a form.
            "RESPONSE_MODE": "form_post",
            "DEVIATIONS": ("string_booleans", "user_in_response"),
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "github": Preset(
        {
            "LABEL": "GitHub",
            "ISSUER": "https://github.com",
            "ENDPOINTS": {
                "authorization_endpoint": "https://github.com/login/oauth/authorize",
                "token_endpoint": "https://github.com/login/oauth/access_token",
                "userinfo_endpoint": "https://api.github.com/user",
                "emails_endpoint": "https://api.github.com/user/emails",
            },
            # The number: a login name can be given up and taken by somebody else.
            "SUBJECT_FIELD": "id",
            "CLIENT_AUTH": "client_secret_post",
            "SCOPES": ("read:user", "user:email"),
            "CLAIM_ALIASES": {"preferred_username": "login"},
        },
        open_to_anybody=True,
    ),
    "gitlab": Preset(
        {"LABEL": "GitLab", "ISSUER": "https://gitlab.com"},
        open_issuers=frozenset({"https://gitlab.com"}),
    ),
    "linkedin": Preset(
        {
            "LABEL": "LinkedIn",
            "ISSUER": "https://www.linkedin.com/oauth",
            "CLIENT_AUTH": "client_secret_post",
            "PKCE": False,
            "NONCE": "optional",
            # In the ID token; userinfo has real booleans.
            "DEVIATIONS": ("string_booleans",),
            "AUTH_TIME": False,
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "slack": Preset(
        {
            "LABEL": "Slack",
            "ISSUER": "https://slack.com",
            "AUTH_TIME": False,
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "discord": Preset(
        {
            "LABEL": "Discord",
            "ISSUER": "https://discord.com",
            "ENDPOINTS": {
                "authorization_endpoint": "https://discord.com/oauth2/authorize",
                "token_endpoint": "https://discord.com/api/oauth2/token",
                "userinfo_endpoint": "https://discord.com/api/users/@me",
            },
            "SUBJECT_FIELD": "id",
            "SCOPES": ("identify", "email"),
            "CLAIM_ALIASES": {
                "preferred_username": "username",
                "email_verified": "verified",
            },
        },
        open_to_anybody=True,
    ),
    "facebook": Preset(
        {
            "LABEL": "Facebook",
            "ISSUER": "https://www.facebook.com",
            # Without a version: these outlive every one of them.
            "ENDPOINTS": {
                "authorization_endpoint": "https://www.facebook.com/dialog/oauth",
                "token_endpoint": "https://graph.facebook.com/oauth/access_token",
                "userinfo_endpoint": (
                    "https://graph.facebook.com/me"
                    "?fields=id,name,first_name,last_name,email"
                ),
            },
            "SUBJECT_FIELD": "id",
            "CLIENT_AUTH": "client_secret_post",
            "SCOPES": ("public_profile", "email"),
            "CLAIM_ALIASES": {"given_name": "first_name", "family_name": "last_name"},
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
    "mozilla_accounts": Preset(
        {
            "LABEL": "Mozilla",
            "ISSUER": "https://accounts.firefox.com",
            "SCOPES": ("openid", "profile"),
            # A client with a secret that sends a code challenge is refused.
            "PKCE": False,
            "USERINFO": "always",
            "USERNAME_FROM": ("email",),
        },
        open_to_anybody=True,
    ),
}

"""Presets for providers where anyone can create an account."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.presets.preset import Preset

PUBLIC: Mapping[str, Preset] = {
    "google": Preset(
        {
            "LABEL": "Google",
            "ISSUER": "https://accounts.google.com",
            "DEVIATIONS": ("no_prompt_login",),
            "AUTH_TIME": False,
            # Google has no preferred_username, not even at userinfo.
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=("OpenID Connect API reference", "discovery document"),
        compared_in="2026-11",
        email_verified="either",
    ),
    "apple": Preset(
        {
            "LABEL": "Apple",
            "ISSUER": "https://appleid.apple.com",
            "CLIENT_AUTH": "signed_client_secret",
            "SCOPES": ("openid", "name", "email"),
            # Apple requires form_post if name or email is requested.
            "RESPONSE_MODE": "form_post",
            "DEVIATIONS": ("string_booleans", "user_in_response"),
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=(
            "Receiving a User's Identity Token",
            "id_token (Sign in with Apple JS)",
            "discovery document",
        ),
        compared_in="2026-11",
        email_verified="true",
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
            "DEVIATIONS": ("login_oauth_issuer", "no_prompt_login"),
            # The number: a login name can be given up and taken by another person.
            "SUBJECT_FIELD": "id",
            "CLIENT_AUTH": "client_secret_post",
            "SCOPES": ("read:user", "user:email"),
            "CLAIM_ALIASES": {"preferred_username": "login"},
        },
        is_open=True,
        compared_with=("Authorizing OAuth apps",),
        compared_in="2026-11",
        email_verified="true",
    ),
    "gitlab": Preset(
        {"LABEL": "GitLab", "ISSUER": "https://gitlab.com"},
        open_issuers=frozenset({"https://gitlab.com"}),
        compared_with=(
            "GitLab as OpenID Connect identity provider",
            "discovery document",
        ),
        compared_in="2026-11",
        email_verified="either",
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
        is_open=True,
        compared_with=("Sign In with LinkedIn using OpenID Connect",),
        compared_in="2026-11",
        email_verified="either",
    ),
    "slack": Preset(
        {
            "LABEL": "Slack",
            "ISSUER": "https://slack.com",
            "AUTH_TIME": False,
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=(
            "Sign in with Slack",
            "openid.connect.userInfo",
            "discovery document",
        ),
        compared_in="2026-11",
        email_verified="either",
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
        is_open=True,
        compared_with=("OAuth2", "discovery document"),
        compared_in="2026-11",
        email_verified="either",
    ),
    "facebook": Preset(
        {
            "LABEL": "Facebook",
            "ISSUER": "https://www.facebook.com",
            # Without a version: versions expire, these URLs do not.
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
        is_open=True,
        compared_with=("Manually Build a Login Flow",),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "mozilla_accounts": Preset(
        {
            "LABEL": "Mozilla",
            "ISSUER": "https://accounts.firefox.com",
            "SCOPES": ("openid", "profile"),
            # What it reports; only AAL2 can be asked for.
            "ACR_ORDER": ("AAL1", "AAL2"),
            # Refuses a code challenge from a client with a secret.
            "PKCE": False,
            "USERINFO": "always",
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=("Query parameters", "Step-up authentication"),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "twitch": Preset(
        {
            "LABEL": "Twitch",
            "ISSUER": "https://id.twitch.tv/oauth2",
            "SCOPES": ("openid", "user:read:email"),
            # Neither scope brings any of these into the ID token.
            "AUTH_PARAMS": {
                "claims": {
                    "id_token": {
                        "email": None,
                        "email_verified": None,
                        "preferred_username": None,
                    }
                }
            },
            "AUTH_TIME": False,
        },
        is_open=True,
        compared_with=("Using OIDC to get OAuth Access Tokens", "discovery document"),
        compared_in="2026-11",
        email_verified="either",
    ),
    "x": Preset(
        {
            "LABEL": "X",
            "ISSUER": "https://x.com",
            "ENDPOINTS": {
                "authorization_endpoint": "https://x.com/i/oauth2/authorize",
                "token_endpoint": "https://api.x.com/2/oauth2/token",
                "userinfo_endpoint": (
                    "https://api.x.com/2/users/me?user.fields=confirmed_email"
                ),
            },
            "DEVIATIONS": ("user_in_data",),
            "SUBJECT_FIELD": "id",
            "SCOPES": ("users.read", "tweet.read", "users.email"),
            "CLAIM_ALIASES": {
                "preferred_username": "username",
                "email": "confirmed_email",
            },
        },
        is_open=True,
        compared_with=("OAuth 2.0 Authorization Code Flow with PKCE",),
        compared_in="2026-11",
        email_verified="absent",
    ),
    "bitbucket": Preset(
        {
            "LABEL": "Bitbucket",
            "ISSUER": "https://bitbucket.org",
            "ENDPOINTS": {
                "authorization_endpoint": "https://bitbucket.org/site/oauth2/authorize",
                "token_endpoint": "https://bitbucket.org/site/oauth2/access_token",
                "userinfo_endpoint": "https://api.bitbucket.org/2.0/user",
                "emails_endpoint": "https://api.bitbucket.org/2.0/user/emails",
            },
            # A username can be given up and taken by another person.
            "SUBJECT_FIELD": "uuid",
            "SCOPES": ("account", "email"),
            "CLAIM_ALIASES": {
                "preferred_username": "username",
                "name": "display_name",
            },
        },
        is_open=True,
        compared_with=("OAuth 2.0", "OAuth on Bitbucket Cloud"),
        compared_in="2026-11",
        email_verified="true",
    ),
    "atlassian": Preset(
        {
            "LABEL": "Atlassian",
            "ISSUER": "https://auth.atlassian.com",
            "ENDPOINTS": {
                "authorization_endpoint": "https://auth.atlassian.com/authorize",
                "token_endpoint": "https://auth.atlassian.com/oauth/token",
                "userinfo_endpoint": "https://api.atlassian.com/me",
            },
            "SUBJECT_FIELD": "account_id",
            "CLIENT_AUTH": "client_secret_post",
            "SCOPES": ("read:me",),
            "AUTH_PARAMS": {"audience": "api.atlassian.com", "prompt": "consent"},
            "USERNAME_FROM": ("email",),
        },
        is_open=True,
        compared_with=("OAuth 2.0 (3LO) apps",),
        compared_in="2026-11",
        email_verified="absent",
    ),
}

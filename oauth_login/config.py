"""What OAUTH_LOGIN says, whole and frozen; which keys it has, with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from oauth_login.protocol.client import ASYMMETRIC_ALGS, Client
from oauth_login.rules import RuleSet
from oauth_login.section import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One entry of PROVIDERS, whole. See docs/settings.md for what each key means."""

    alias: str
    label: str
    issuer: str
    client: Client
    discovery_url: str | None = None
    endpoints: Mapping[str, str] | None = None
    subject_field: str | None = None
    userinfo: str = "auto"
    rules: RuleSet = field(default_factory=RuleSet)
    create_users: bool = True
    username_from: tuple[str, ...] = ("preferred_username", "email")
    logout: str = "provider"
    ca_bundle: str | None = None
    proxies: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole setting. Times are in seconds."""

    providers: Mapping[str, ProviderConfig]
    base_url: str | None
    admin_login: str
    auto_redirect: bool
    login_timeout: int
    session_max_age: int
    cache_alias: str
    timeout: float
    allow_http_loopback: bool
    resolve_user: str | None
    problems: tuple[Problem, ...]

    def is_usable(self, alias: str) -> bool:
        """Whether no error concerns this provider."""
        return not any(
            p.is_error and p.provider in (None, alias) for p in self.problems
        )


# Key → default. docs/settings.md has the same, and a test holds it to that.
SITE_KEYS: Mapping[str, object] = {
    "PROVIDERS": {},
    "BASE_URL": None,
    "ADMIN_LOGIN": "buttons",
    "AUTO_REDIRECT": False,
    "LOGIN_TIMEOUT": 900,
    "SESSION_MAX_AGE": 43200,
    "CACHE": "default",
    "TIMEOUT": 15,
    "ALLOW_HTTP_LOOPBACK": None,
    "RESOLVE_USER": None,
}
PROVIDER_KEYS: Mapping[str, object] = {
    "LABEL": None,
    "ISSUER": None,
    "DISCOVERY_URL": None,
    "ENDPOINTS": None,
    "CLIENT_ID": None,
    "CLIENT_SECRET": "",
    "CLIENT_AUTH": "auto",
    "SCOPES": ("openid", "profile", "email"),
    "SIGNING_ALGS": ASYMMETRIC_ALGS,
    "LEEWAY": 60,
    "USERINFO": "auto",
    "SUBJECT_FIELD": None,
    "ALLOW_IF": (),
    "DENY_IF": (),
    "STAFF_IF": (),
    "SUPERUSER_IF": (),
    "GROUPS": None,
    "CREATE_USERS": True,
    "USERNAME_FROM": ("preferred_username", "email"),
    "LOGOUT": "provider",
    "CA_BUNDLE": None,
    "PROXIES": None,
}
ENDPOINT_KEYS = {
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "end_session_endpoint",
}

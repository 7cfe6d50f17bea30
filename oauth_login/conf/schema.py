"""The whole of OAUTH_LOGIN as frozen dataclasses; its keys and their defaults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from oauth_login.conf.user_fields import FieldRule, parse_field_rules
from oauth_login.conf.validation import Problem
from oauth_login.policy.rules import RuleSet
from oauth_login.protocol.client.keys import ClientKey
from oauth_login.protocol.client.registration import ASYMMETRIC_ALGS, Client
from oauth_login.protocol.deviations import TENANT

# A user model may lack any of these fields: then it is left out. A field that the site
# itself names in USER_FIELDS must exist.
USER_FIELDS = {"first_name": "given_name", "last_name": "family_name", "email": "email"}
# TRUST_EMAIL: when an address from this provider counts as verified.
TRUST = ("verified", "always", "managed", "never")

DEFAULT_FIELDS = parse_field_rules(USER_FIELDS)

# Called when the provider is first used: the site may fetch a key over the network.
KeySource: TypeAlias = Callable[[], ClientKey]
# The paths of a certificate and of its key; one path if both are in one file.
ClientCertificate: TypeAlias = str | tuple[str, str]


# In ADMIN_LOGIN: all admin sites that it does not name.
ANY_SITE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """One entry of PROVIDERS. docs/settings.md explains each key."""

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
    domains: tuple[str, ...] = ()
    link_by_email: bool | str = False
    trust_email: str = "verified"
    absent_claims: str = "none"
    connect: bool = True
    says_connect: bool = False  # whether the setting itself says it
    is_open: bool = False
    # What the preset's provider says of its addresses: see Preset.
    says_verified: str = "unknown"
    username_from: tuple[str, ...] = ("preferred_username", "email")
    user_fields: tuple[FieldRule, ...] = DEFAULT_FIELDS
    logout: str = "provider"
    url_params: tuple[str, ...] = ()
    initiate_login: bool = False
    backend_base_url: str | None = None
    internal_hosts: tuple[str, ...] = ()
    client_keys: tuple[KeySource, ...] = ()
    decryption_keys: tuple[KeySource, ...] = ()
    client_cert: ClientCertificate | None = None
    ca_bundle: str | None = None
    proxies: Mapping[str, str] | None = None

    @property
    def issuer_or_template(self) -> str:
        """The issuer without a final slash; with tenants, the template of theirs."""
        template = self.client.deviations.issuer_template
        return (template or self.issuer).removesuffix("/")

    def has_issuer(self, issuer: str) -> bool:
        """Whether an identity with this issuer can log in through this entry (T160)."""
        deviations, expected = self.client.deviations, self.issuer_or_template
        if deviations.issuer_template is None:
            return issuer.removesuffix("/") == expected
        pattern = re.escape(expected).replace(re.escape(TENANT), "([^/]+)")
        match = re.fullmatch(pattern, issuer.removesuffix("/"))
        return match is not None and deviations.allows_tenant(match[1])


# Whose a request is: a function (or its path), or how many proxies add an address.
ClientAddress: TypeAlias = str | int | Callable[[Any], object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole setting. Times are in seconds."""

    providers: Mapping[str, ProviderConfig]
    base_url: str | None
    admin_login: Mapping[str, str]  # by the name of the admin site
    admin_local_login: bool
    auto_redirect: bool
    login_timeout: int
    session_max_age: int
    cache_alias: str
    timeout: float
    allow_http_loopback: bool
    resolve_user: str | None
    client_address: ClientAddress
    mail_on_link: bool
    keep_claims: bool
    login_claims: tuple[str, ...]
    rights_max_age: int
    events_max_age: int  # days
    event_log_key: str | None = field(repr=False)
    site_name: str | None
    support_url: str | None
    logo: str | None
    problems: tuple[Problem, ...]

    def admin_mode(self, site_name: str) -> str:
        """The value of ADMIN_LOGIN for an admin site."""
        return self.admin_login.get(site_name, self.admin_login[ANY_SITE])

    def is_forced(self, site_name: str) -> bool:
        """Whether an admin site accepts no passwords."""
        return not self.admin_local_login and self.admin_mode(site_name) != "off"

    def entry_of(self, alias: str, issuer: str) -> ProviderConfig | None:
        """The entry with that alias, unless it is about another issuer now (T160)."""
        entry = self.providers.get(alias)
        return entry if entry is not None and entry.has_issuer(issuer) else None

    def label(self, alias: str) -> str:
        """The provider's LABEL; its alias if it is no longer configured."""
        entry = self.providers.get(alias)
        return entry.label if entry else alias

    def is_usable(self, alias: str) -> bool:
        """Whether the settings have no error that concerns this provider."""
        return not any(
            p.is_error and p.provider in (None, alias) for p in self.problems
        )


# Key → default. A test compares them with docs/settings.md.
SITE_KEYS: Mapping[str, object] = {
    "PROVIDERS": {},
    "BASE_URL": None,
    "ADMIN_LOGIN": "buttons",
    "ADMIN_LOCAL_LOGIN": True,
    "AUTO_REDIRECT": False,
    "LOGIN_TIMEOUT": 900,
    "SESSION_MAX_AGE": 43200,
    "CACHE": "default",
    "TIMEOUT": 15,
    "ALLOW_HTTP_LOOPBACK": None,
    "RESOLVE_USER": None,
    "MAIL_ON_LINK": False,
    "KEEP_CLAIMS": False,
    "LOGIN_CLAIMS": (),
    "RIGHTS_MAX_AGE": 86400,
    "EVENTS_MAX_AGE": 365,
    "EVENT_LOG_KEY": None,
    "CLIENT_ADDRESS": None,
    "SITE_NAME": None,
    "SUPPORT_URL": None,
    "LOGO": None,
}
PROVIDER_KEYS: Mapping[str, object] = {
    "PRESET": None,
    "LABEL": None,
    "DOMAINS": (),
    "ISSUER": None,
    "ISSUER_TEMPLATE": None,
    "ALLOWED_TENANTS": (),
    "DISCOVERY_URL": None,
    "BACKEND_BASE_URL": None,
    "INTERNAL_HOSTS": (),
    "ENDPOINTS": None,
    "CLIENT_ID": None,
    "CLIENT_SECRET": "",
    "CLIENT_AUTH": "auto",
    "CLIENT_KEYS": (),
    "DECRYPTION_KEYS": (),
    "CLIENT_CERT": None,
    "BASIC_ENCODING": "form",
    "TEAM_ID": None,
    "SCOPES": ("openid", "profile", "email"),
    "AUTH_PARAMS": {},
    "URL_PARAMS": (),
    "RESPONSE_MODE": None,
    "MAX_AGE": None,
    "ACR_VALUES": (),
    "ACR_ORDER": (),
    "AUTH_TIME": True,
    "PKCE": True,
    "NONCE": "required",
    "DEVIATIONS": (),
    "CLAIM_ALIASES": {},
    "SIGNING_ALGS": ASYMMETRIC_ALGS,
    "LEEWAY": 60,
    "USERINFO": "auto",
    "SUBJECT_FIELD": None,
    "ALLOW_IF": (),
    "DENY_IF": (),
    "STAFF_IF": (),
    "SUPERUSER_IF": (),
    "GROUPS": None,
    "SPLIT": None,
    "CREATE_USERS": True,
    "LINK_BY_EMAIL": False,
    "TRUST_EMAIL": "verified",
    "ABSENT_CLAIMS": "none",
    "CONNECT": None,
    "USERNAME_FROM": ("preferred_username", "email"),
    "USER_FIELDS": USER_FIELDS,
    "INITIATE_LOGIN": False,
    "LOGOUT": "provider",
    "LOGOUT_STYLE": "standard",
    "CA_BUNDLE": None,
    "PROXIES": None,
}
ENDPOINT_KEYS = {
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "end_session_endpoint",
    "emails_endpoint",
}

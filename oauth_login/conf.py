"""The setting OAUTH_LOGIN, read once into one frozen Config, with all its problems.

Nothing else reads it, but for the system checks. A problem does not raise: all of
them are shown by `manage.py check`, and a provider with an error is refused at run
time, too, because checks can be silenced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from oauth_login.config import (
    ENDPOINT_KEYS,
    PROVIDER_KEYS,
    SITE_KEYS,
    Config,
    ProviderConfig,
)
from oauth_login.env import from_env as from_env  # public here: site settings use it
from oauth_login.protocol.client import ASYMMETRIC_ALGS, HMAC_ALGS, Client
from oauth_login.protocol.client_auth import METHODS
from oauth_login.protocol.discovery import WELL_KNOWN, is_allowed_url
from oauth_login.rules import GroupsRule, Rules, RuleSet, parse_rules
from oauth_login.section import Problem, Section


@cache
def get_config() -> Config:
    """The setting as it stands; read again after `setting_changed`."""
    return _Reader().read(getattr(settings, "OAUTH_LOGIN", {}))


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("OAUTH_LOGIN", "DEBUG"):
        get_config.cache_clear()


setting_changed.connect(_forget, dispatch_uid="oauth_login.conf")


class _Reader:
    """Reads the setting and gathers what is wrong with it."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def read(self, setting: object) -> Config:
        site = self._section(setting, SITE_KEYS, "OAUTH_LOGIN")
        loopback = site.value("ALLOW_HTTP_LOOPBACK")
        allow_http_loopback = settings.DEBUG if loopback is None else loopback is True
        providers = {}
        for alias, entry in site.of_type("PROVIDERS", dict, default={}).items():
            if not isinstance(alias, str) or not re.fullmatch(
                r"[-a-z0-9_]{1,40}", alias
            ):
                text = (
                    f"{alias!r} cannot be in a URL: use up to 40 of a-z, 0-9, - and _."
                )
                site.problem("E006", text)
                continue
            providers[alias] = self._provider(alias, entry, allow_http_loopback)
        return Config(
            providers=providers,
            base_url=self._base_url(site, allow_http_loopback),
            admin_login=site.choice("ADMIN_LOGIN", ("buttons", "redirect", "off")),
            auto_redirect=site.of_type("AUTO_REDIRECT", bool, default=False),
            login_timeout=site.number("LOGIN_TIMEOUT", 60, 3600),
            session_max_age=site.number("SESSION_MAX_AGE", 60, 365 * 86400),
            cache_alias=self._cache_alias(site),
            timeout=site.number("TIMEOUT", 1, 60),
            allow_http_loopback=allow_http_loopback,
            resolve_user=site.text("RESOLVE_USER"),
            problems=tuple(self._problems),
        )

    def _section(
        self,
        values: object,
        keys: Mapping[str, object],
        where: str,
        provider: str | None = None,
    ) -> Section:
        return Section(values, keys, self._problems.append, where, provider)

    def _base_url(self, site: Section, allow_http_loopback: bool) -> str | None:
        url = site.text("BASE_URL")
        if url is None:
            return None
        if urlsplit(url).path.strip("/") or not is_allowed_url(
            url, allow_http_loopback=allow_http_loopback
        ):
            text = "OAUTH_LOGIN['BASE_URL'] must be https, a host, and nothing else."
            site.problem("E007", text, "For example: 'https://app.example.com'.")
        return url.rstrip("/")

    def _cache_alias(self, site: Section) -> str:
        alias = site.of_type("CACHE", str, default="default")
        if alias not in settings.CACHES:
            site.problem("E008", f"OAUTH_LOGIN['CACHE']: there is no cache {alias!r}.")
            return "default"
        return alias

    def _provider(
        self, alias: str, entry: object, allow_http_loopback: bool
    ) -> ProviderConfig:
        where = f"OAUTH_LOGIN['PROVIDERS'][{alias!r}]"
        section = self._section(entry, PROVIDER_KEYS, where, alias)
        subject_field = section.text("SUBJECT_FIELD")
        issuer = self._issuer(section, where, allow_http_loopback)
        return ProviderConfig(
            alias=alias,
            label=section.text("LABEL") or alias,
            issuer=issuer,
            client=self._client(section, where, plain=subject_field is not None),
            discovery_url=self._url(
                section, where, "DISCOVERY_URL", allow_http_loopback
            ),
            endpoints=self._endpoints(
                section, where, allow_http_loopback, plain=subject_field is not None
            ),
            subject_field=subject_field,
            userinfo=section.choice("USERINFO", ("auto", "always", "never")),
            rules=self._rules(section, where),
            create_users=section.of_type("CREATE_USERS", bool, default=False),
            username_from=section.strings("USERNAME_FROM"),
            logout=section.choice("LOGOUT", ("provider", "local")),
            ca_bundle=section.text("CA_BUNDLE"),
            proxies=section.of_type("PROXIES", dict, default={}) or None,
        )

    def _issuer(self, section: Section, where: str, allow_http_loopback: bool) -> str:
        issuer = self._url(section, where, "ISSUER", allow_http_loopback)
        if issuer is None:
            section.problem("E010", f"{where} needs an ISSUER.")
            return ""
        # Whoever copies the address of the document means the issuer in front of it.
        return issuer.removesuffix(WELL_KNOWN)

    def _url(
        self, section: Section, where: str, key: str, allow_http_loopback: bool
    ) -> str | None:
        url = section.text(key)
        if url is not None and not is_allowed_url(
            url, allow_http_loopback=allow_http_loopback
        ):
            section.problem(
                "E011",
                f"{where}[{key!r}] must be an https URL.",
                "http is for this machine alone, with ALLOW_HTTP_LOOPBACK.",
            )
        return url

    def _client(self, section: Section, where: str, *, plain: bool) -> Client:
        client_id = section.text("CLIENT_ID")
        if client_id is None:
            section.problem("E012", f"{where} needs a CLIENT_ID.")
        secret = section.of_type("CLIENT_SECRET", str, default="")
        if secret != secret.strip() or "\n" in secret:
            text = (
                f"{where}['CLIENT_SECRET'] has white space around it or a line break."
            )
            section.problem("W001", text, "Was it copied whole, and nothing else?")
        method = section.choice("CLIENT_AUTH", ("auto", *METHODS))
        if not secret and method.startswith("client_secret"):
            text = f"{where}['CLIENT_AUTH'] is {method!r}, which needs a CLIENT_SECRET."
            section.problem("E013", text)
        scopes = section.strings("SCOPES")
        if plain and "openid" in scopes and section.is_set("SCOPES"):
            text = (
                f"{where} has SUBJECT_FIELD, which is for providers without 'openid'."
            )
            section.problem("E014", text)
        if plain:
            scopes = tuple(scope for scope in scopes if scope != "openid")
        elif "openid" not in scopes:
            text = f"{where}['SCOPES'] must contain 'openid'."
            section.problem("E014", text, "Or is SUBJECT_FIELD missing?")
        return Client(
            client_id=client_id or "",
            client_secret=secret,
            token_endpoint_auth_method=method,
            scope=" ".join(scopes),
            id_token_signing_algs=self._signing_algs(section, where, secret),
            leeway=section.number("LEEWAY", 0, 300),
        )

    def _signing_algs(
        self, section: Section, where: str, secret: str
    ) -> tuple[str, ...]:
        algs = section.strings("SIGNING_ALGS")
        known = {*ASYMMETRIC_ALGS, *HMAC_ALGS}
        symmetric = [alg for alg in algs if alg in HMAC_ALGS]
        key = f"{where}['SIGNING_ALGS']"
        if not algs or not known.issuperset(algs):
            section.problem("E015", f"{key} must be of {', '.join(sorted(known))}.")
        elif symmetric and len(symmetric) != len(algs):
            # T65: with both, a public key could be used as a secret.
            section.problem("E016", f"{key} must not mix HS algorithms with others.")
        elif symmetric and len(secret.encode()) < max(HMAC_ALGS[a] for a in symmetric):
            section.problem("E017", f"{key}: the CLIENT_SECRET is too short for it.")
        return algs

    def _endpoints(
        self, section: Section, where: str, allow_http_loopback: bool, *, plain: bool
    ) -> Mapping[str, str] | None:
        endpoints = section.value("ENDPOINTS")
        if endpoints is None:
            if plain:
                section.problem("E018", f"{where} has SUBJECT_FIELD and no ENDPOINTS.")
            return None
        needed = {"authorization_endpoint", "token_endpoint"} | (
            {"userinfo_endpoint"} if plain else {"jwks_uri"}
        )
        if not isinstance(endpoints, Mapping) or not needed <= endpoints.keys():
            names = ", ".join(sorted(needed))
            section.problem(
                "E018", f"{where}['ENDPOINTS'] must be a dict with {names}."
            )
            return None
        for name, url in endpoints.items():
            if name not in ENDPOINT_KEYS:
                section.problem("E002", f"{where}['ENDPOINTS'] has no key {name!r}.")
            elif not isinstance(url, str) or not is_allowed_url(
                url, allow_http_loopback=allow_http_loopback
            ):
                text = f"{where}['ENDPOINTS'][{name!r}] must be an https URL."
                section.problem("E011", text)
        return endpoints

    def _rules(self, section: Section, where: str) -> RuleSet:
        def rules(key: str) -> Rules:
            try:
                return parse_rules(section.value(key))
            except ValueError as error:
                section.problem("E019", f"{where}[{key!r}]: {error}.")
                return ()

        return RuleSet(
            allow_if=rules("ALLOW_IF"),
            deny_if=rules("DENY_IF"),
            staff_if=rules("STAFF_IF"),
            superuser_if=rules("SUPERUSER_IF"),
            groups=self._groups(section, where),
        )

    def _groups(self, section: Section, where: str) -> GroupsRule | None:
        value = section.value("GROUPS")
        if value is None:
            return None
        defaults: Mapping[str, object] = {
            "CLAIM": None,
            "MAP": {},
            "MODE": "managed",
            "SPLIT": None,
        }
        groups = self._section(value, defaults, f"{where}['GROUPS']", section.provider)
        claim, mode = groups.text("CLAIM"), groups.choice("MODE", _GROUP_MODES)
        mapping = groups.of_type("MAP", dict, default={})
        if not claim or (mode != "mirror" and not mapping):
            text = f"{where}['GROUPS'] needs a CLAIM, and a MAP unless it mirrors."
            groups.problem("E020", text)
            return None
        if not all(isinstance(x, str) and x for x in (*mapping, *mapping.values())):
            groups.problem("E020", f"{where}['GROUPS']['MAP'] must map names to names.")
            return None
        return GroupsRule(claim, mapping, mode, groups.text("SPLIT"))


_GROUP_MODES = ("managed", "add", "mirror")

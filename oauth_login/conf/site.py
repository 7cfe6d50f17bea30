"""The setting OAUTH_LOGIN, read once into a frozen Config, with all its problems.

Only this module and the system checks read the setting. A problem does not raise an
exception: `manage.py check` shows all of them at once. A provider with an error is also
refused at run time, because checks can be silenced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed

from oauth_login.conf.accounts import with_connect
from oauth_login.conf.presets import PRESETS, find_preset
from oauth_login.conf.provider import read_provider
from oauth_login.conf.rules import RULE_KEYS, read_rules
from oauth_login.conf.schema import (
    ANY_SITE,
    PROVIDER_KEYS,
    SITE_KEYS,
    ClientAddress,
    Config,
)
from oauth_login.conf.validation import Problem, Section
from oauth_login.policy.rules import RuleSet
from oauth_login.protocol.urls import is_site_url

ADMIN_MODES = ("buttons", "redirect", "off")


@cache
def get_config() -> Config:
    """The setting. It is read again after the signal `setting_changed`."""
    return _config(getattr(settings, "OAUTH_LOGIN", {}))


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in ("OAUTH_LOGIN", "DEBUG"):
        get_config.cache_clear()


setting_changed.connect(_forget, dispatch_uid="oauth_login.conf")


def with_loopback() -> Any:
    """The setting for tests, with providers that have http on this machine.

    Django's test runner sets DEBUG to False, and ALLOW_HTTP_LOOPBACK follows it.
    """
    setting = getattr(settings, "OAUTH_LOGIN", {})
    if not isinstance(setting, Mapping):
        return setting
    allowed = setting.get("ALLOW_HTTP_LOOPBACK")
    return {**setting, "ALLOW_HTTP_LOOPBACK": True if allowed is None else allowed}


def _config(setting: object) -> Config:
    problems: list[Problem] = []
    site = Section(setting, SITE_KEYS, problems.append, "OAUTH_LOGIN")
    loopback = site.value("ALLOW_HTTP_LOOPBACK")
    allow_http_loopback = settings.DEBUG if loopback is None else loopback is True
    providers = {}
    for alias, entry in site.of_type("PROVIDERS", dict, default={}).items():
        if not isinstance(alias, str) or not re.fullmatch(r"[-a-z0-9_]{1,40}", alias):
            text = f"{alias!r} cannot be in a URL. Use at most 40 of a-z, 0-9, - and _."
            site.problem("E006", text)
            continue
        where = f"OAUTH_LOGIN['PROVIDERS'][{alias!r}]"
        preset = find_preset(entry)
        section = Section(
            preset.under(entry), PROVIDER_KEYS, problems.append, where, alias
        )
        if section.value("PRESET") is not None:
            section.choice("PRESET", tuple(PRESETS))
        providers[alias] = read_provider(
            section, alias, preset=preset, allow_http_loopback=allow_http_loopback
        )
    return Config(
        providers=with_connect(providers),
        base_url=_base_url(site, allow_http_loopback),
        admin_login=_admin_login(site),
        admin_local_login=_admin_local_login(site),
        auto_redirect=site.of_type("AUTO_REDIRECT", bool, default=False),
        login_timeout=site.number("LOGIN_TIMEOUT", 60, 3600),
        session_max_age=site.number("SESSION_MAX_AGE", 60, 365 * 86400),
        cache_alias=_cache_alias(site),
        timeout=site.number("TIMEOUT", 1, 60),
        allow_http_loopback=allow_http_loopback,
        resolve_user=site.text("RESOLVE_USER"),
        client_address=_client_address(site),
        mail_on_link=site.of_type("MAIL_ON_LINK", bool, default=False),
        keep_claims=site.of_type("KEEP_CLAIMS", bool, default=False),
        login_claims=site.strings("LOGIN_CLAIMS"),
        rights_max_age=site.number("RIGHTS_MAX_AGE", 0, 365 * 86400),
        events_max_age=site.number("EVENTS_MAX_AGE", 1, 3650),
        event_log_key=_event_log_key(site),
        site_name=site.text("SITE_NAME"),
        support_url=_support_url(site),
        logo=_logo(site),
        problems=tuple(problems),
    )


def _base_url(site: Section, allow_http_loopback: bool) -> str | None:
    url = site.text("BASE_URL")
    if url is None:
        return None
    allowed = is_site_url(url, allow_http_loopback=allow_http_loopback)
    if not allowed or urlsplit(url).path.strip("/"):
        text = "OAUTH_LOGIN['BASE_URL'] must be https with a host, without a path."
        site.problem("E007", text, "For example: 'https://app.example.com'.")
    return url.rstrip("/")


def _client_address(site: Section) -> ClientAddress:
    value = site.value("CLIENT_ADDRESS")
    if value is None or callable(value) or (isinstance(value, str) and value):
        return cast("ClientAddress", value)
    if isinstance(value, int) and not isinstance(value, bool):
        return site.number("CLIENT_ADDRESS", 0, 10)
    where = "OAUTH_LOGIN['CLIENT_ADDRESS']"
    site.problem("E003", f"{where} must be a number of proxies, or a function.")
    return None


def rules_with(changes: object) -> tuple[dict[str, RuleSet], list[Problem]]:
    """The rules of all providers after `changes`, and the problems in `changes`.

    `changes` has the shape of PROVIDERS, with only the keys of rules. Keys that it
    leaves out stay as they are.
    """
    problems: list[Problem] = []
    rules = {alias: entry.rules for alias, entry in get_config().providers.items()}
    names: dict[str, object] = {alias: {} for alias in rules}
    keys = {key: PROVIDER_KEYS[key] for key in RULE_KEYS}
    entries = Section(changes, names, problems.append, "The rules")
    for alias in names:
        entry = entries.within(alias, keys)
        read = read_rules(entry)
        changed = [key.lower() for key in RULE_KEYS if entry.is_set(key)]
        rules[alias] = replace(rules[alias], **{k: getattr(read, k) for k in changed})
    return rules, problems


def _admin_login(site: Section) -> Mapping[str, str]:
    """ADMIN_LOGIN: one mode for all admin sites, or a dict by the site's name."""
    if not isinstance(site.value("ADMIN_LOGIN"), dict):
        return {ANY_SITE: site.choice("ADMIN_LOGIN", ADMIN_MODES)}
    names = site.value("ADMIN_LOGIN")
    keys = {str(name): "buttons" for name in (*names, ANY_SITE)}
    modes = site.within("ADMIN_LOGIN", keys)
    return {name: modes.choice(name, ADMIN_MODES) for name in keys}


def _admin_local_login(site: Section) -> bool:
    allowed = site.of_type("ADMIN_LOCAL_LOGIN", bool, default=True)
    if not allowed and site.value("ADMIN_LOGIN") == "off":
        text = "OAUTH_LOGIN has ADMIN_LOGIN 'off', but ADMIN_LOCAL_LOGIN is False."
        hint = "'off' keeps the admin's password form. Use 'redirect' instead."
        site.problem("E051", text, hint)
    return allowed


def _cache_alias(site: Section) -> str:
    alias = site.of_type("CACHE", str, default="default")
    if alias not in settings.CACHES:
        site.problem("E008", f"OAUTH_LOGIN['CACHE']: there is no cache {alias!r}.")
        return "default"
    return alias


def _event_log_key(site: Section) -> str | None:
    key = site.text("EVENT_LOG_KEY")
    if key is not None and len(key.encode()) < 32:
        text = "OAUTH_LOGIN['EVENT_LOG_KEY'] must have at least 32 bytes."
        site.problem("E050", text, "secrets.token_urlsafe(48) generates one.")
    return key


def _support_url(site: Section) -> str | None:
    """Where "Get help signing in" leads; None, with a warning, if it is no link."""
    url = site.text("SUPPORT_URL")
    if url is None or _is_path(url) or re.match(r"(https?://[^/]|mailto:.|tel:.)", url):
        return url
    text = "OAUTH_LOGIN['SUPPORT_URL'] is left out: pages cannot link to it."
    hint = "Use a path such as '/help/', or a URL with https:, mailto: or tel:."
    site.problem("W003", text, hint)
    return None


def _logo(site: Section) -> str | None:
    """A URL, or the path of a static file; None, with a warning, if it is neither."""
    logo = site.text("LOGO")
    if logo is None or logo.startswith("https://") or _is_path(logo):
        return logo
    if ":" not in logo and not logo.startswith("//"):
        return logo
    text = "OAUTH_LOGIN['LOGO'] is left out: pages cannot show it."
    hint = "Use the path of a static file such as 'brand/logo.svg', or an https URL."
    site.problem("W003", text, hint)
    return None


def _is_path(url: str) -> bool:
    return url.startswith("/") and not url.startswith("//")

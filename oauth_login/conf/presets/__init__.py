"""Presets: what a site would have to find out about each provider, as data.

A preset gives defaults for the keys of an entry in PROVIDERS. A key that the site sets
replaces that of the preset. Presets contain no code. docs/providers.md describes each
of them, and what it relaxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from oauth_login.conf.presets.governments import GOVERNMENTS
from oauth_login.conf.presets.organisations import ORGANISATIONS, PERSONAL_ACCOUNTS
from oauth_login.conf.presets.preset import Preset as Preset  # public here
from oauth_login.conf.presets.public import PUBLIC
from oauth_login.protocol.discovery import WELL_KNOWN

PRESETS: Mapping[str, Preset] = {**PUBLIC, **ORGANISATIONS, **GOVERNMENTS}

# T95, T105: the same rules for a site that sets such an issuer without its preset.
OPEN_ISSUERS = frozenset().union(
    *(preset.open_issuers for preset in PRESETS.values()),
    {
        preset.values["ISSUER"].removesuffix("/")
        for preset in PRESETS.values()
        if preset.is_open and "ISSUER" in preset.values
    },
)
OPEN_HOSTS = tuple(host for preset in PRESETS.values() for host in preset.open_hosts)


def find_preset(entry: object) -> Preset:
    """The preset that an entry names; an empty one if the name is missing or unknown.

    `is_open` is also set if only the issuer or a tenant of the entry is open.
    """
    if not isinstance(entry, Mapping):
        return Preset()
    name = entry.get("PRESET")
    preset = PRESETS.get(name, Preset()) if isinstance(name, str) else Preset()
    issuer = str(entry.get("ISSUER") or preset.values.get("ISSUER") or "")
    tenants = entry.get("ALLOWED_TENANTS")
    is_open = (
        issuer.removesuffix(WELL_KNOWN).removesuffix("/") in OPEN_ISSUERS
        or _host(issuer).endswith(OPEN_HOSTS)
        or (isinstance(tenants, list | tuple) and PERSONAL_ACCOUNTS in tenants)
        or preset.is_open
    )
    return replace(preset, is_open=is_open)


def _host(url: str) -> str:
    """The host of a URL in lower case; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a bracket that is not closed
        return ""

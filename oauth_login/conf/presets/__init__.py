"""Providers as they are, as data: what a site would have to find out for each.

A preset gives defaults for the keys of an entry of PROVIDERS; every key that the site
sets itself replaces the preset's. There is no code in a preset. docs/providers.md says
what each of them costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from oauth_login.conf.presets.governments import GOVERNMENTS
from oauth_login.conf.presets.organisations import ORGANISATIONS, PERSONAL_ACCOUNTS
from oauth_login.conf.presets.preset import Preset as Preset  # public here
from oauth_login.conf.presets.public import PUBLIC
from oauth_login.protocol.discovery import WELL_KNOWN

PRESETS: Mapping[str, Preset] = {**PUBLIC, **ORGANISATIONS, **GOVERNMENTS}

# T95, T105: also for whoever writes down such an issuer without its preset.
OPEN_ISSUERS = frozenset().union(
    *(preset.open_issuers for preset in PRESETS.values()),
    {
        preset.values["ISSUER"].removesuffix("/")
        for preset in PRESETS.values()
        if preset.open_to_anybody and "ISSUER" in preset.values
    },
)


def find_preset(entry: object) -> Preset:
    """The preset that an entry names; an empty one if it names none that we have.

    It is open to anybody also where only the entry's issuer, or a tenant of it, is.
    """
    if not isinstance(entry, Mapping):
        return Preset()
    name = entry.get("PRESET")
    preset = PRESETS.get(name, Preset()) if isinstance(name, str) else Preset()
    issuer = str(entry.get("ISSUER") or preset.values.get("ISSUER") or "")
    tenants = entry.get("ALLOWED_TENANTS")
    is_open = (
        issuer.removesuffix(WELL_KNOWN).removesuffix("/") in OPEN_ISSUERS
        or (isinstance(tenants, list | tuple) and PERSONAL_ACCOUNTS in tenants)
        or preset.open_to_anybody
    )
    return replace(preset, open_to_anybody=is_open)

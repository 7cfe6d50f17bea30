"""Providers as they are, as data: what a site would have to find out for each.

A preset gives defaults for the keys of an entry of PROVIDERS; every key that the site
sets itself replaces the preset's. There is no code in a preset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults for a kind of provider.

    `open_to_anybody`: whoever likes can get an account there, so that having one says
    nothing; the site must say who may enter.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    open_to_anybody: bool = False

    def under(self, entry: object) -> object:
        """The entry with what it leaves to the preset; anything else as it is."""
        return {**self.values, **entry} if isinstance(entry, Mapping) else entry


def find_preset(entry: object) -> Preset:
    """The preset that an entry names; an empty one if it names none that we have."""
    name = entry.get("PRESET") if isinstance(entry, Mapping) else None
    return PRESETS.get(name, Preset()) if isinstance(name, str) else Preset()


PRESETS: Mapping[str, Preset] = {
    "google": Preset(
        {
            "LABEL": "Google",
            "ISSUER": "https://accounts.google.com",
        },
        open_to_anybody=True,
    ),
}

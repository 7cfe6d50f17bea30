"""Preset: defaults for one kind of provider, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults for one kind of provider.

    `is_open` means that anyone can create an account there, so that having one proves
    nothing: the site must define who may log in. `open_issuers` are the issuers that
    are open, for a preset whose other issuers are not.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    is_open: bool = False
    open_issuers: frozenset[str] = frozenset()

    def under(self, entry: object) -> object:
        """The entry, completed with the values of the preset. Not a dict: unchanged."""
        return {**self.values, **entry} if isinstance(entry, Mapping) else entry

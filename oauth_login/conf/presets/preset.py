"""What a preset is: data, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults for a kind of provider.

    `open_to_anybody`: whoever likes can get an account there, so that having one says
    nothing; the site must say who may enter. `open_issuers` are those of its issuers
    for which that is so, where it depends.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    open_to_anybody: bool = False
    open_issuers: frozenset[str] = frozenset()

    def under(self, entry: object) -> object:
        """The entry with what it leaves to the preset; anything else as it is."""
        return {**self.values, **entry} if isinstance(entry, Mapping) else entry

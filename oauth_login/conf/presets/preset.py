"""Preset: defaults for one kind of provider, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# What a provider says of its addresses, as it is set up by default: always true, always
# false, either of them by address, nothing at all, or not known.
EmailVerified = Literal["true", "false", "either", "absent", "unknown"]


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults for a kind of provider, and where they come from.

    `is_open` means that anyone can create an account there, so that having one proves
    nothing: the site must define who may log in. `open_issuers` are the issuers that
    are open, for a preset whose other issuers are not; `open_hosts` are the ends of
    the names of hosts whose issuers all are.

    `compared_with` are the vendor's own texts with which the values were compared, in
    the month `compared_in` (year and month); without any, they rest on what users of
    the provider report. `email_verified` is what those texts say of the claim.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    is_open: bool = False
    open_issuers: frozenset[str] = frozenset()
    open_hosts: tuple[str, ...] = ()
    compared_with: tuple[str, ...] = ()
    compared_in: str | None = None
    email_verified: EmailVerified = "unknown"

    def under(self, entry: object) -> object:
        """The entry, completed with the values of the preset. Not a dict: unchanged."""
        return {**self.values, **entry} if isinstance(entry, Mapping) else entry

"""Who can log in at the demo's provider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """One entry of the directory."""

    groups: tuple[str, ...]
    email_verified: bool = True


PEOPLE = {
    "alice": Person(("admins", "staff")),  # superuser by her group
    "bob": Person(("staff", "editors")),  # staff, and in one Django group
    "carol": Person(()),  # may not enter the admin
    "dave": Person((), email_verified=False),
}

"""Who can log in at the demo's provider."""

from __future__ import annotations

import os
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Person:
    """One entry of the directory."""

    groups: tuple[str, ...]
    email_verified: bool = True
    role: str = ""


PEOPLE = {
    "alice": Person(("admins", "staff"), role="a superuser of the demo site"),
    "bob": Person(("staff", "editors"), role="staff, and in its group Editors"),
    "carol": Person((), role="signed in, but not let into its admin"),
    "dave": Person(
        (), email_verified=False, role="as carol, with an address not verified"
    ),
}


def directory(request: HttpRequest) -> dict[str, object]:
    """For the provider's pages: who there is, and the way back to the demo site."""
    return {"people": PEOPLE.items(), "site_url": os.environ.get("SITE_URL", "")}

"""`manage.py oauth_login_explain USER`: why a user has a right, or does not have it."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_login.rights.explain import ExplainedIdentity, ExplainedRight, explain

WORDS = {
    "given": "yes, because {reason}, since {since}",
    "had": "yes, from elsewhere; the rules would grant it too, because {reason}",
    "next_login": "at the next login, because {reason}",
    "no_match": "no: no rule matches the values of {claims}",
    "absent": "no: the provider did not send {claims}",
    "unknown": "unchanged: {claims} is unknown",
    "not_kept": (
        "unknown: no claims are stored. Turn on KEEP_CLAIMS, and sign in once more"
    ),
}


class Command(BaseCommand):
    """Prints the names of claims, but only values that a rule matched."""

    help = "Explain which right of USER comes from which claim, and since when."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="the username")
        parser.add_argument(
            "--json", action="store_true", help="print JSON, for programs"
        )

    def handle(self, *, user: str, json: bool, **options: Any) -> None:
        user_model: Any = get_user_model()
        try:
            person = user_model._default_manager.get_by_natural_key(user)
        except user_model.DoesNotExist:
            raise CommandError(f"There is no user {user!r}.") from None
        explanation = explain(person)
        if json:
            self.stdout.write(
                json_format.dumps(
                    asdict(explanation), default=datetime.isoformat, indent=2
                )
            )
            return
        state = "" if explanation.is_active else ", not active"
        self.stdout.write(f"{explanation.user} (key {explanation.key}{state})")
        if explanation.by_hand:
            self.stdout.write(f"  by hand: {', '.join(explanation.by_hand)}")
        if explanation.orphans:
            rights = ", ".join(explanation.orphans)
            self.stdout.write(f"  until the next login, from a gone identity: {rights}")
        for identity in explanation.identities:
            self._print(identity)
        if not explanation.identities:
            self.stdout.write(
                "  no identities: this user cannot log in through a provider"
            )

    def _print(self, identity: ExplainedIdentity) -> None:
        self.stdout.write(f"  {identity.provider}: {identity.subject}")
        self.stdout.write(f"    issuer: {identity.issuer}")
        self.stdout.write(f"    last login: {_time(identity.last_login_at)}")
        if not identity.configured:
            self.stdout.write("    this provider is not in the settings")
        if identity.wanted:
            self.stdout.write(f"    claims wanted: {', '.join(identity.wanted)}")
            came = ", ".join(identity.received) or "unknown until the next login"
            self.stdout.write(f"    claims received: {came}")
        for right in identity.rights:
            self.stdout.write(f"    {right.right}: {_words(right)}")


def _words(right: ExplainedRight) -> str:
    return WORDS[right.status].format(
        reason=right.reason,
        since=_time(right.since) if right.since else "",
        claims=", ".join(right.claims),
    )


def _time(time: datetime) -> str:
    return time.isoformat(" ", "seconds")

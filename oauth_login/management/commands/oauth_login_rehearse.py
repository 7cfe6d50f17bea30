"""`manage.py oauth_login_rehearse`: show what other rules would change for whom."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_login.conf import get_config, rules_with
from oauth_login.rights.rehearse import RehearsedLogin, find_orphans, rehearse

CHANGES, UNKNOWN = 2, 3


class Command(BaseCommand):
    """Changes nothing without --withdraw.

    With Django's --settings it uses the rules of other settings.
    """

    help = (
        "Show which rights users would gain or lose at their next login, with the "
        "rules of a file, or with those of the settings (see --settings)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rules",
            type=Path,
            help='JSON: {"corp": {"STAFF_IF": …}}; other rules stay the same',
        )
        parser.add_argument(
            "--json", action="store_true", help="print one line of JSON per identity"
        )
        parser.add_argument(
            "--check",
            action="store_true",
            help=f"exit with {CHANGES} if something changes, else with {UNKNOWN} if "
            "the claims of an identity are unknown",
        )

        parser.add_argument(
            "--orphans",
            action="store_true",
            help="show instead who has rights only from identities that are gone, or "
            "that can no longer log in",
        )
        parser.add_argument(
            "--withdraw",
            action="store_true",
            help="with --orphans: take these rights away now, not at the next login",
        )

    def handle(
        self,
        *,
        rules: Path | None,
        json: bool,
        check: bool,
        orphans: bool,
        withdraw: bool,
        **options: Any,
    ) -> None:
        if withdraw and not orphans:
            raise CommandError("--withdraw needs --orphans")
        if orphans and rules is not None:
            raise CommandError("--orphans judges no rules: leave out --rules")
        if orphans:
            found = self._orphans(json=json, withdraw=withdraw)
            if check and found:
                sys.exit(CHANGES)
            return
        now = {alias: entry.rules for alias, entry in get_config().providers.items()}
        if rules is None:
            logins = rehearse(now)
        else:
            after, problems = rules_with(_read(rules))
            if problems:
                raise CommandError("\n".join(p.message for p in problems))
            logins = rehearse(after, before=now)
        changed = unknown = 0
        for login in logins:
            changed += login.is_change
            unknown += bool(login.unknown)
            self.stdout.write(_as_json(login) if json else _words(login))
        if not json:
            self.stdout.write(f"{changed} would change; {unknown} are unknown.")
            if unknown and not get_config().keep_claims:
                self.stdout.write(
                    "No claims are stored: turn on KEEP_CLAIMS. The next login of each "
                    "user then records those that the rules need."
                )
        if check and (changed or unknown):
            sys.exit(CHANGES if changed else UNKNOWN)

    def _orphans(self, *, json: bool, withdraw: bool) -> int:
        verb = "lost" if withdraw else "has"
        found = list(find_orphans(withdraw=withdraw))
        for one in found:
            words = f"{one.user} {verb} {', '.join(one.rights)}"
            self.stdout.write(json_format.dumps(asdict(one)) if json else words)
        if not json:
            self.stdout.write(
                f"{len(found)} users {'lost' if withdraw else 'have'} rights that only "
                "identities gave which are gone or can no longer log in."
            )
        return len(found)


def _read(path: Path) -> object:
    try:
        return json_format.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _as_json(login: RehearsedLogin) -> str:
    return json_format.dumps(asdict(login))


def _words(login: RehearsedLogin) -> str:
    told = [
        f"{verb} {', '.join(what)}"
        for verb, what in (
            ("gains", login.gains),
            ("loses", login.loses),
            ("would be refused:", (login.refused,) if login.refused else ()),
            ("unknown without", login.unknown),
        )
        if what
    ]
    return f"{login.user} ({login.provider}): {'; '.join(told)}"

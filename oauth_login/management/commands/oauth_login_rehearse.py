"""`manage.py oauth_login_rehearse`: who would gain or lose what under other rules."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_login.conf import get_config, rules_with
from oauth_login.rights.rehearse import RehearsedLogin, rehearse

CHANGES, UNTOLD = 2, 3


class Command(BaseCommand):
    """Writes nothing. With Django's own --settings it rehearses those settings."""

    help = (
        "Say who would gain or lose what at their next login: under the rules of a "
        "file, or under those of the settings (Django's --settings names others)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rules",
            type=Path,
            help='JSON: {"corp": {"STAFF_IF": …}}; what is not in it stays as it is',
        )
        parser.add_argument("--json", action="store_true", help="a line per identity")
        parser.add_argument(
            "--check",
            action="store_true",
            help=f"end with {CHANGES} if something changes, else with {UNTOLD} if it "
            "cannot be told for everybody",
        )

    def handle(
        self, *, rules: Path | None, json: bool, check: bool, **options: Any
    ) -> None:
        now = {alias: entry.rules for alias, entry in get_config().providers.items()}
        if rules is None:
            outcomes = rehearse(now)
        else:
            after, problems = rules_with(_read(rules))
            if problems:
                raise CommandError("\n".join(p.message for p in problems))
            outcomes = rehearse(after, before=now)
        changed = untold = 0
        for outcome in outcomes:
            changed += outcome.is_change
            untold += bool(outcome.unknown)
            self.stdout.write(_as_json(outcome) if json else _words(outcome))
        if not json:
            self.stdout.write(f"{changed} would change; {untold} cannot be told.")
        if check and (changed or untold):
            sys.exit(CHANGES if changed else UNTOLD)


def _read(path: Path) -> object:
    try:
        return json_format.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _as_json(outcome: RehearsedLogin) -> str:
    return json_format.dumps(asdict(outcome))


def _words(outcome: RehearsedLogin) -> str:
    told = [
        f"{verb} {', '.join(what)}"
        for verb, what in (
            ("gains", outcome.gains),
            ("loses", outcome.loses),
            ("would be refused:", (outcome.refused,) if outcome.refused else ()),
            ("cannot be told, for lack of", outcome.unknown),
        )
        if what
    ]
    return f"{outcome.user} ({outcome.provider}): {'; '.join(told)}"

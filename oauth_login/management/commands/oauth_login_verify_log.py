"""`manage.py oauth_login_verify_log`: check that no login event was changed."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauth_login.audit import chain
from oauth_login.conf import get_config


class Command(BaseCommand):
    """Exits with status 1 at the first break."""

    help = "Verify the chain of login events, and report the first break."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            type=_head,
            help="a head that an earlier run printed, and that you stored elsewhere",
        )
        parser.add_argument(
            "--restart",
            action="store_true",
            help="start a new chain; existing events stay, without its protection",
        )

    def handle(self, *, head: str | None, restart: bool, **options: Any) -> None:
        if get_config().event_log_key is None:
            raise CommandError("OAUTH_LOGIN has no EVENT_LOG_KEY: there is no chain.")
        verdict = chain.verify(expected_head=head or "")
        self.stdout.write(f"rows in the chain: {verdict.rows}")
        self.stdout.write(f"rows outside the chain, unprotected: {verdict.unprotected}")
        self.stdout.write(f"head: {verdict.head or 'none'}")
        if restart:
            chain.restart()
            self.stdout.write("The next event starts a new chain.")
            return
        if found := verdict.found:
            where = f"at {found.sequence}" if found.sequence else "in the log"
            raise CommandError(f"BROKEN {where}: {found.what}.")
        self.stdout.write(self.style.SUCCESS("The chain is intact."))


def _head(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise ArgumentTypeError("a head is a number, a colon and 64 hex digits")
    return text

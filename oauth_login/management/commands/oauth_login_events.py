"""`manage.py oauth_login_events`: print login events as JSON lines."""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from oauth_login.models import LoginEvent
from oauth_login.sessions.expiry import as_stored

CHUNK = 1000
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class Command(BaseCommand):
    """One line per event, oldest first. The events are streamed from the database."""

    help = "Print login events as JSON lines, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        when = "7d, 24h, 30m, 2026-11-01, or a date and time with its time zone"
        parser.add_argument(
            "--since", type=_instant, help=f"only events from then on: {when}"
        )
        parser.add_argument("--until", type=_instant, help="only events before then")
        parser.add_argument(
            "--outcome",
            action="append",
            choices=LoginEvent.Outcome.values,
            help="only events with this outcome; can be repeated",
        )
        parser.add_argument("--provider", help="only events of this provider")
        parser.add_argument(
            "--user", help="only events of the user with this primary key"
        )
        parser.add_argument("--format", choices=["jsonl"], default="jsonl")

    def handle(self, **options: Any) -> None:
        wanted = {
            "created_at__gte": options["since"],
            "created_at__lt": options["until"],
            "outcome__in": options["outcome"],
            "provider": options["provider"],
            "user_key": options["user"],
        }
        events = LoginEvent.objects.filter(
            **{name: value for name, value in wanted.items() if value is not None}
        ).order_by("created_at", "pk")
        try:
            for event in events.iterator(chunk_size=CHUNK):
                self.stdout.write(json.dumps(_line(event), ensure_ascii=True))
        except BrokenPipeError:
            # The reader closed the pipe ("| head"). Without this, Python would report
            # an error when it flushes stdout at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _line(event: LoginEvent) -> dict[str, object]:
    """The keys are API: docs/operations.md documents them."""
    created = event.created_at
    return {
        # With USE_TZ = False it is local time.
        "time": created.astimezone(UTC).isoformat(),
        "outcome": event.outcome,
        "code": event.code,
        "provider": event.provider,
        "user": event.user_key,
        "reference": event.reference,
        "client": event.client,
        "sequence": event.sequence,
        "mac": event.mac,
        "count": event.count,
    }


def _instant(text: str) -> datetime:
    if match := re.fullmatch(r"(\d{1,5})([dhm])", text):
        return timezone.now() - timedelta(**{UNITS[match[2]]: int(match[1])})
    try:
        found = parse_datetime(text)
        if found is None and (day := parse_date(text)):
            found = datetime(day.year, day.month, day.day)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a valid time")
    return as_stored(found)

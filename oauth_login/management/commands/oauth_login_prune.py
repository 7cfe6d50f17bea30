"""`manage.py oauth_login_prune`: delete what has been stored long enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from oauth_login.audit import chain
from oauth_login.conf import get_config
from oauth_login.login.claimed_states import remove_old
from oauth_login.models import BreakGlassLink, Identity, LoginEvent
from oauth_login.rights.record_claims import not_to_be_kept
from oauth_login.sessions.end import ended_before, prune_ended

BATCH = 1000
# How long they stay visible in the admin after their end.
SESSIONS_KEPT, LINKS_KEPT = timedelta(days=30), timedelta(days=1)


class Command(BaseCommand):
    """Meant for a daily job. Each batch is a transaction of its own."""

    help = (
        "Delete login events older than EVENTS_MAX_AGE, and ended sessions, expired "
        "emergency links and claims that are no longer needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="print how much, and delete nothing"
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        config, now = get_config(), timezone.now()
        oldest = now - timedelta(days=config.events_max_age)
        sessions_over = now - SESSIONS_KEPT
        links = BreakGlassLink.objects.filter(expires_at__lt=now - LINKS_KEPT)
        claims = not_to_be_kept()
        if dry_run:
            self._report(
                "would delete",
                events=LoginEvent.objects.filter(created_at__lt=oldest).count(),
                sessions=ended_before(sessions_over).count(),
                links=links.count(),
                claims=claims.count(),
            )
            return
        events = erased = 0
        while gone := chain.prune(oldest, limit=BATCH):
            events += gone
        while keys := list(claims.order_by("pk").values_list("pk", flat=True)[:BATCH]):
            some = Identity.objects.filter(pk__in=keys)
            erased += some.update(claims=None, claims_at=None)
        self._report(
            "deleted",
            events=events,
            sessions=prune_ended(sessions_over),
            links=links.delete()[0],
            claims=erased,
        )
        remove_old()

    def _report(
        self, verb: str, *, events: int, sessions: int, links: int, claims: int
    ) -> None:
        self.stdout.write(f"{verb} {events} login events")
        self.stdout.write(f"{verb} {sessions} sessions that have ended")
        self.stdout.write(f"{verb} {links} emergency links")
        self.stdout.write(f"{verb} the claims of {claims} identities")

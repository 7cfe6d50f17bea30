"""Keeps, with an identity, the claims that rules name; only with KEEP_CLAIMS."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.recorded_claims import known_claims
from oauth_login.policy.rules import RuleSet


def keep(row: Identity, identity: VerifiedIdentity, rules: RuleSet) -> None:
    """Keep what these claims say to the rules; without the setting, forget it."""
    if get_config().keep_claims:
        row.claims = known_claims(
            identity.claims, rules.claims_needed(), complete=identity.claims_complete
        )
        row.claims_at = timezone.now()
    elif row.claims is None:
        return
    else:
        row.claims = row.claims_at = None
    row.save(update_fields=["claims", "claims_at"])


def not_to_be_kept() -> QuerySet[Identity]:
    """Identities with claims from when the setting was on."""
    rows = Identity.objects.filter(claims_at__isnull=False)
    return rows.none() if get_config().keep_claims else rows

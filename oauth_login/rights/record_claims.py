"""With KEEP_CLAIMS: stores the claims that rules name with the identity."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.models import Identity
from oauth_login.policy.claim_paths import ClaimValues
from oauth_login.policy.recorded_claims import known_claims
from oauth_login.policy.rules import RuleSet


def record_claims(identity: Identity, values: ClaimValues, rules: RuleSet) -> None:
    """Store the claims that the rules name; without KEEP_CLAIMS, delete them."""
    if get_config().keep_claims:
        identity.claims = known_claims(values, rules)
        identity.claims_at = timezone.now()
    elif identity.claims is None:
        return
    else:
        identity.claims = identity.claims_at = None
    identity.save(update_fields=["claims", "claims_at"])


def not_to_be_kept() -> QuerySet[Identity]:
    """Identities whose claims were stored while KEEP_CLAIMS was on, if it is off."""
    rows = Identity.objects.filter(claims_at__isnull=False)
    return rows.none() if get_config().keep_claims else rows

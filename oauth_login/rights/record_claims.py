"""Stores the names of a login's claims, and with KEEP_CLAIMS those that rules name."""

from __future__ import annotations

import logging

from django.db.models import QuerySet
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.models import Identity
from oauth_login.policy.claim_paths import ClaimValues
from oauth_login.policy.recorded_claims import known_claims
from oauth_login.policy.rules import RuleSet, claim_names

logger = logging.getLogger("oauth_login.rights")


def record_claims(identity: Identity, values: ClaimValues, rules: RuleSet) -> None:
    """Store the names, and the values of the claims that the rules name.

    Without KEEP_CLAIMS, values are deleted. Nothing is written if nothing changed.
    """
    names = claim_names(values.claims)
    fields = []
    if identity.claim_names != names:
        identity.claim_names = names
        fields.append("claim_names")
    if get_config().keep_claims:
        identity.claims = known_claims(values, rules)
        identity.claims_at = timezone.now()
        fields += ["claims", "claims_at"]
    elif identity.claims is not None:
        identity.claims = identity.claims_at = None
        fields += ["claims", "claims_at"]
    if fields:
        identity.save(update_fields=fields)
    logger.debug(
        "provider=%r claims=%r wanted=%r",
        identity.provider,
        names,
        sorted(rules.claims_needed()),
    )


def not_to_be_kept() -> QuerySet[Identity]:
    """Identities whose claims were stored while KEEP_CLAIMS was on, if it is off."""
    rows = Identity.objects.filter(claims_at__isnull=False)
    return rows.none() if get_config().keep_claims else rows

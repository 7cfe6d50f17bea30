"""Who may log in, and what a known person loses whom a rule denies (T136)."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.cache import caches
from django.db import transaction
from django.utils import timezone

from oauth_login.accounts.identities import find_identity
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginEvent
from oauth_login.policy.claim_paths import ClaimValues
from oauth_login.policy.email_address import trusted_claims
from oauth_login.policy.rules import Decision, bars_the_person, check_admission
from oauth_login.rights.apply import apply, take_rights
from oauth_login.rights.history import write_history
from oauth_login.sessions.end import end_rows

logger = logging.getLogger("oauth_login.rights")

# More withdrawals than this of one provider, within these seconds, look like a mistake
# in its settings or here, and are reported once as CRITICAL.
MANY, WITHIN = 20, 600


def admit(verified: VerifiedIdentity, entry: ProviderConfig) -> ClaimValues:
    """Raise LoginRefused unless ALLOW_IF and DENY_IF let the person in.

    Returns the values that rules judge. What a known identity loses is committed before
    this raises, because the error ends the transactions around it.
    """
    values = _values(verified, entry)
    try:
        check_admission(entry.rules, values)
    except LoginRefused as error:
        site = get_config()
        if error.code == "account.claims_unknown":
            _leave_unconfirmed(verified, entry, error)
        elif bars_the_person(entry.rules, values, login_claims=site.login_claims):
            _withdraw_access(verified, code=error.code)
        raise
    return values


def _values(verified: VerifiedIdentity, entry: ProviderConfig) -> ClaimValues:
    """The values that rules judge. An absent claim is unknown if it may exist there.

    So it is if userinfo was down, if a scope was requested and not granted, or if the
    site says so with ABSENT_CLAIMS.
    """
    complete = (
        verified.claims_complete
        and not verified.missing_scopes
        and entry.absent_claims != "unknown"
    )
    claims = trusted_claims(verified.claims, trust=entry.trust_email)
    return entry.rules.read(claims, complete=complete)


def _leave_unconfirmed(
    verified: VerifiedIdentity, entry: ProviderConfig, error: LoginRefused
) -> None:
    """Note that the rules could not decide about a known identity (T148)."""
    with transaction.atomic():
        identity = find_identity(verified.issuer, verified.subject, lock=True)
        if identity is not None:
            unknown = frozenset({str(error.detail.get("claim"))})
            decision = Decision(unknown=unknown)
            apply(identity.user, identity, decision, groups=entry.rules.groups)


def _withdraw_access(verified: VerifiedIdentity, *, code: str) -> None:
    """Take what the identity alone gave, and end the sessions that it began."""
    with transaction.atomic():
        identity = find_identity(verified.issuer, verified.subject, lock=True)
        if identity is None or not _lose(
            identity, provider=verified.provider, code=code
        ):
            return
    _report_if_many(verified.provider)


def _lose(identity: Identity, *, provider: str, code: str) -> bool:
    """Whether there was anything to lose. One event says what."""
    user = identity.user
    change = take_rights(user, identity)
    sessions = end_rows(identity.sessions.all())
    removed = [right.name for right in change.revoked]
    if not removed and not sessions:
        return False
    if removed:
        write_history(user, provider, change)
    events.withdrawn(
        user, provider=provider, code=code, removed=removed, sessions=sessions
    )
    return True


def _report_if_many(provider: str) -> None:
    since = timezone.now() - timedelta(seconds=WITHIN)
    rows = LoginEvent.objects.filter(
        outcome=LoginEvent.Outcome.WITHDRAWN, provider=provider, created_at__gt=since
    )
    number = rows.count()
    if number > MANY and _is_first_report(provider):
        logger.critical(
            "provider=%r: rules took the access of %d people within ten minutes",
            provider,
            number,
        )


def _is_first_report(provider: str) -> bool:
    key = f"oauth_login.withdrawals.{provider}"
    try:
        return bool(caches[get_config().cache_alias].add(key, 1, WITHIN))
    except Exception:
        return True  # without a cache, one record too many is better than none

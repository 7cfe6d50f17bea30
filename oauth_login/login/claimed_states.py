"""Each state is claimed once, by a row with a unique key, before its code is redeemed.

The session cannot guarantee that: two callbacks at once read it before either of them
has saved it, and a session in a cookie can be restored (T153). The database decides,
whichever engine keeps the sessions. The cache takes no part: one that is down, or that
each process has for itself, would let both through.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, connections, router, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from oauth_login.conf import get_config
from oauth_login.models import ClaimedState

# One claim in so many also removes old rows.
REMOVAL = 64
# How far apart the clocks of this site's servers may be.
CLOCK_SKEW = timedelta(minutes=2)


def claim(state: str) -> bool:
    """Whether this request, and no other before it, may use the attempt of this state.

    One INSERT, committed at once: the caller has no transaction open. If it has one all
    the same, a savepoint keeps that transaction usable.
    """
    key = _key(state)
    using = router.db_for_write(ClaimedState)
    is_open = connections[using].in_atomic_block
    try:
        with transaction.atomic(using) if is_open else nullcontext():
            ClaimedState(key=key, claimed_at=timezone.now()).save(
                using=using, force_insert=True
            )
    except IntegrityError:
        return False
    if int(key, 16) % REMOVAL == 0:
        _remove_in_passing(using)
    return True


def remove_old() -> int:
    """Remove the rows of attempts that are too old by now. Returns how many."""
    oldest = timezone.now() - timedelta(seconds=get_config().login_timeout) - CLOCK_SKEW
    return ClaimedState.objects.filter(claimed_at__lt=oldest).delete()[0]


def _remove_in_passing(using: str) -> None:
    try:
        with transaction.atomic(using):
            remove_old()
    except DatabaseError:
        pass  # the next one removes them, or oauth_login_prune


def _key(state: str) -> str:
    return salted_hmac("oauth_login.state", state, algorithm="sha256").hexdigest()

"""OAuthLoginBackend: from a VerifiedIdentity to Django's user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import OperationalError, transaction
from django.http import HttpRequest

from oauth_login.accounts.resolve import resolve_user
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.rules import decide
from oauth_login.rights.admission import admit
from oauth_login.rights.apply import apply
from oauth_login.rights.record_claims import record_claims

# How often a login's transaction is tried if the database ends it.
TRIES = 3


class OAuthLoginBackend(ModelBackend):
    """Permissions and users as in Django's ModelBackend, but no passwords.

    T130: a site that removes ModelBackend to disable passwords must not get them back
    through this backend.
    """

    def authenticate(  # type: ignore[override] # other backends take other credentials
        self,
        request: HttpRequest | None,
        *,
        oauth_login_token: Any = None,
        **credentials: Any,
    ) -> AbstractBaseUser | None:
        """The user, after the rules were applied; None for other credentials.

        Raises LoginRefused if the person must not log in. `oauth_login_token` has
        "token" in its name, so that Django hides its value from the receivers of
        `user_login_failed`.
        """
        # T102: a dict, as another view may pass it on from a request, proves nothing.
        if type(oauth_login_token) is not VerifiedIdentity or request is None:
            return None
        verified = oauth_login_token
        entry = get_config().providers[verified.provider]
        values = admit(verified, entry)
        decision = decide(entry.rules, values)
        for tries_left in reversed(range(TRIES)):
            try:
                with transaction.atomic(), events.stored_last():
                    user, identity = resolve_user(verified, entry)
                    apply(user, identity, decision, groups=entry.rules.groups)
                    record_claims(identity, values, entry.rules)
                break
            except OperationalError:
                # A deadlock, say: MariaDB keeps the row locks of a savepoint that was
                # rolled back (T149). Inside a caller's transaction nothing is left.
                if not tries_left or transaction.get_connection().in_atomic_block:
                    raise
        return user

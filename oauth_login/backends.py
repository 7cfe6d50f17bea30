"""OAuthLoginBackend: from a proven identity to Django's user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest

from oauth_login.accounts.resolve import resolve_user
from oauth_login.conf import get_config
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.rules import check_admission, decide
from oauth_login.rights.apply import apply
from oauth_login.rights.record_claims import keep


class OAuthLoginBackend(ModelBackend):
    """Permissions and users as Django's own backend has them; no passwords.

    A site that removes ModelBackend to forbid passwords must not have them back
    through this one (T130).
    """

    def authenticate(  # type: ignore[override] # other backends take other credentials
        self,
        request: HttpRequest | None,
        *,
        oauth_login_token: Any = None,
        **credentials: Any,
    ) -> AbstractBaseUser | None:
        """The user, with today's rights; None for anything that is not ours.

        Raises LoginRefused for somebody who may not enter. The argument's name is
        one that Django hides from the receivers of `user_login_failed` (E5).
        """
        # T102: a dict from somebody's JSON is no proof.
        if type(oauth_login_token) is not VerifiedIdentity or request is None:
            return None
        identity = oauth_login_token
        entry = get_config().providers[identity.provider]
        complete = identity.claims_complete
        check_admission(entry.rules, identity.claims, complete=complete)
        decision = decide(entry.rules, identity.claims, complete=complete)
        with transaction.atomic():
            user, row = resolve_user(identity, entry)
            apply(user, row, decision, groups=entry.rules.groups)
            keep(row, identity, entry.rules)
        return user

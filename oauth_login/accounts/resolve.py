"""VerifiedIdentity → user: find, link, or create. The only writer of users.

A user is found by issuer and subject. Neither an e-mail address nor a username leads to
anybody (T88, T92), but for the one address that linking.py allows, at a first login and
where a site says so (T90).
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from oauth_login import signals
from oauth_login.accounts.fields import set_fields
from oauth_login.accounts.identities import (
    find_identity,
    new_identity,
    tell_linked,
    verified_email,
)
from oauth_login.accounts.link_by_email import find_by_email
from oauth_login.accounts.usernames import new_username
from oauth_login.audit.events import send
from oauth_login.conf import get_config
from oauth_login.conf.accounts import KEEP_PASSWORD
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import ConfigurationError, LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.rights.apply import withdraw
from oauth_login.sessions.end import end_rows, open_sessions

logger = logging.getLogger("oauth_login.accounts")

TRIES = 3


def resolve_user(
    identity: VerifiedIdentity, entry: ProviderConfig
) -> tuple[AbstractBaseUser, Identity]:
    """The user of this identity, active, with today's name; or LoginRefused."""
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                row = find_identity(identity.issuer, identity.subject)
                user = _after_hook(identity, row.user if row else None)
                _check_active(user)
                if row is None:
                    if user is None and attempt == 0:
                        user = find_by_email(identity, entry)
                        if user is not None:
                            return user, _link(user, identity, entry)
                    return _first_login(identity, entry, user)
                if user is not None and user.pk != row.user_id:
                    # A hook moved the person to another account: without what the
                    # old one had because of them.
                    withdraw(row)
                    row.user = user  # type: ignore[assignment] # any user model
                _update(row.user, identity, entry)
                row.last_login_at = timezone.now()
                row.provider = identity.provider
                row.verified_email = verified_email(identity, entry)
                row.save(
                    update_fields=[
                        *("user", "last_login_at", "provider", "verified_email")
                    ]
                )
                return row.user, row
        except IntegrityError:
            # Somebody was quicker: the same person in another tab, or the same name.
            # Look again for their identity; never for another way to an account: an
            # address leads to nobody any more (T11, T90).
            continue
    raise LoginRefused("account.exists")


def _first_login(
    identity: VerifiedIdentity,
    entry: ProviderConfig,
    user: AbstractBaseUser | None,
) -> tuple[AbstractBaseUser, Identity]:
    created = user is None or user.pk is None or user._state.adding
    if user is None:
        if not entry.create_users:
            raise LoginRefused("account.creation_disabled")
        user = _new_user(identity, entry)
    if created:
        if not user.password:
            user.set_unusable_password()  # T101
        _save_new(user)
    row = new_identity(user, identity, verified_email=verified_email(identity, entry))
    if created:
        send(signals.user_created, user=user, identity=identity)
    else:
        tell_linked(user, row, how="hook")
    return user, row


def _link(
    user: AbstractBaseUser, identity: VerifiedIdentity, entry: ProviderConfig
) -> Identity:
    """Give somebody who was here before their identity.

    T91: the account may have been made by somebody else, under an address that was
    never theirs, to wait for its owner. So their password opens it no longer, and
    their sessions end with it; unless the site vouches for its addresses itself.
    """
    if entry.link_by_email != KEEP_PASSWORD:
        user.set_unusable_password()  # another one each time: ends sessions as well
        user.save(update_fields=["password"])
        end_rows(open_sessions(user))
    _update(user, identity, entry)
    row = new_identity(user, identity, verified_email=verified_email(identity, entry))
    tell_linked(user, row, how="email")
    return row


def _new_user(identity: VerifiedIdentity, entry: ProviderConfig) -> AbstractBaseUser:
    user_model = get_user_model()
    user = user_model()
    set_fields(user, identity, entry)
    field: Any = user_model._meta.get_field(user_model.USERNAME_FIELD)
    if isinstance(field, models.EmailField):
        if not user.get_username():
            raise LoginRefused("account.no_username", field=field.name)
        taken = {f"{field.name}__iexact": user.get_username()}
        if user_model._default_manager.filter(**taken).exists():
            raise LoginRefused("account.exists", field=field.name)
    else:
        wanted = str(user.get_username())  # by USER_FIELDS, maybe
        name = new_username(
            user_model, field, identity, wanted=wanted, claims=entry.username_from
        )
        setattr(user, field.name, name)
    return user


def _save_new(user: AbstractBaseUser) -> None:
    try:
        # E6: save() alone would take what no form would. Uniqueness is the
        # database's business: it is the only one who knows in time.
        user.full_clean(validate_unique=False, exclude=["password"])
    except ValidationError as error:
        raise LoginRefused(
            "account.missing_field", fields=sorted(error.message_dict)
        ) from None
    try:
        user.save(force_insert=True)
    except DataError:
        raise LoginRefused("account.not_storable") from None


def _update(
    user: AbstractBaseUser, identity: VerifiedIdentity, entry: ProviderConfig
) -> None:
    changed = set_fields(user, identity, entry)
    if not changed:
        return
    try:
        with transaction.atomic():
            user.save(update_fields=changed)
    except DataError:
        # A letter that this database has no room for: no reason to keep somebody out.
        user.refresh_from_db(fields=changed)
        logger.warning("user=%r: the database does not take %r", user.pk, changed)


def _after_hook(
    identity: VerifiedIdentity, user: AbstractBaseUser | None
) -> AbstractBaseUser | None:
    """What the site's RESOLVE_USER makes of it: see docs/settings.md."""
    path = get_config().resolve_user
    if path is None:
        return user
    try:
        found = import_string(path)(identity, user)
    except (LoginRefused, IntegrityError):
        raise
    except Exception as error:
        raise ConfigurationError("config.hook", hook=path) from error
    if found is None:
        return user
    if not isinstance(found, get_user_model()):
        raise ConfigurationError(
            "config.hook", hook=path, received=type(found).__name__
        )
    return found


def _check_active(user: AbstractBaseUser | None) -> None:
    # T99: no login wakes a user up again.
    if user is not None and not user.is_active:
        raise LoginRefused("account.inactive")

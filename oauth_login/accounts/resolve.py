"""VerifiedIdentity → user: find, link, or create. With fields.py, it writes users.

An identity is found by issuer and subject. Neither an e-mail address nor a username
finds a user (T88, T92). The one exception is LINK_BY_EMAIL (link_by_email.py): a site
can let a verified address find a user at the first login of an identity (T90).
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
    announce_link,
    create_identity_of,
    find_identity,
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

MAX_ATTEMPTS = 3


def resolve_user(
    verified: VerifiedIdentity, entry: ProviderConfig
) -> tuple[AbstractBaseUser, Identity]:
    """The user, active and with today's fields, and the identity; or LoginRefused."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                identity = find_identity(verified.issuer, verified.subject)
                if identity is not None:
                    return _returning_user(identity, verified, entry)
                return _new_user(verified, entry, by_email=attempt == 0)
        except IntegrityError:
            # Lost a race: the same person in another tab, or another user took the
            # username. Look for the identity again, but no longer by the address:
            # the other tab may have created a user with it (T11, T90).
            continue
    raise LoginRefused("account.exists")


def _returning_user(
    identity: Identity, verified: VerifiedIdentity, entry: ProviderConfig
) -> tuple[AbstractBaseUser, Identity]:
    """The user whom the identity belongs to, unless the site's hook moves it."""
    user = _user_from_hook(verified, identity.user)
    _check_active(identity.user if user is None else user)
    if user is not None and user.pk != identity.user_id:
        # The previous user must not keep the rights that this identity granted.
        withdraw(identity)
        identity.user = user  # type: ignore[assignment] # any user model
    _update(identity.user, verified, entry)
    identity.last_login_at = timezone.now()
    identity.provider = verified.provider
    identity.verified_email = verified_email(verified, entry)
    identity.save(update_fields=["user", "last_login_at", "provider", "verified_email"])
    return identity.user, identity


def _new_user(
    verified: VerifiedIdentity, entry: ProviderConfig, *, by_email: bool
) -> tuple[AbstractBaseUser, Identity]:
    """The user for a first login: from the hook, by address, or created."""
    user = _user_from_hook(verified, None)
    _check_active(user)
    if user is None and by_email:
        found = find_by_email(verified, entry)
        if found is not None:
            return found, _link(found, verified, entry)
    created = user is None or user.pk is None or user._state.adding
    if user is None:
        if not entry.create_users:
            raise LoginRefused("account.creation_disabled")
        user = _unsaved_user(verified, entry)
    if created:
        if not user.password:
            user.set_unusable_password()  # T101
        _save_new(user)
    identity = create_identity_of(user, verified, entry)
    if created:
        send(signals.user_created, user=user, identity=verified)
    else:
        announce_link(user, identity, how="hook")
    return user, identity


def _link(
    user: AbstractBaseUser, verified: VerifiedIdentity, entry: ProviderConfig
) -> Identity:
    """Give a user who existed before this login their identity.

    T91: an attacker may have created the account with an address that is not theirs,
    to wait until its owner links it. So the password stops working and all sessions
    end, unless the site says with "keep_password" that it verified the address.
    """
    if entry.link_by_email != KEEP_PASSWORD:
        # A new unusable password each time: Django ends the user's sessions as well.
        user.set_unusable_password()
        user.save(update_fields=["password"])
        end_rows(open_sessions(user))
    _update(user, verified, entry)
    identity = create_identity_of(user, verified, entry)
    announce_link(user, identity, how="email")
    return identity


def _unsaved_user(
    verified: VerifiedIdentity, entry: ProviderConfig
) -> AbstractBaseUser:
    user_model = get_user_model()
    user = user_model()
    set_fields(user, verified, entry)
    field: Any = user_model._meta.get_field(user_model.USERNAME_FIELD)
    if isinstance(field, models.EmailField):
        if not user.get_username():
            raise LoginRefused("account.no_username", field=field.name)
        taken = {f"{field.name}__iexact": user.get_username()}
        if user_model._default_manager.filter(**taken).exists():
            raise LoginRefused("account.exists", field=field.name)
    else:
        wanted = str(user.get_username())  # USER_FIELDS may have filled it
        name = new_username(
            user_model, field, verified, wanted=wanted, claims=entry.username_from
        )
        setattr(user, field.name, name)
    return user


def _save_new(user: AbstractBaseUser) -> None:
    try:
        # save() alone stores values that no form would accept. Uniqueness is left to
        # the database: only its constraint is safe against concurrent logins.
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
    user: AbstractBaseUser, verified: VerifiedIdentity, entry: ProviderConfig
) -> None:
    changed = set_fields(user, verified, entry)
    if not changed:
        return
    try:
        with transaction.atomic():
            user.save(update_fields=changed)
    except DataError:
        # The database cannot store a character of it: keep the old values and let
        # the user in.
        user.refresh_from_db(fields=changed)
        logger.warning("user=%r: the database does not take %r", user.pk, changed)


def _user_from_hook(
    verified: VerifiedIdentity, user: AbstractBaseUser | None
) -> AbstractBaseUser | None:
    """The user that RESOLVE_USER returns instead of `user`; None if it returns none.

    See docs/settings.md.
    """
    path = get_config().resolve_user
    if path is None:
        return None
    try:
        found = import_string(path)(verified, user)
    except (LoginRefused, IntegrityError):
        raise
    except Exception as error:
        raise ConfigurationError("config.hook", hook=path) from error
    if found is not None and not isinstance(found, get_user_model()):
        raise ConfigurationError(
            "config.hook", hook=path, received=type(found).__name__
        )
    return found


def _check_active(user: AbstractBaseUser | None) -> None:
    # T99: a login does not reactivate a user.
    if user is not None and not user.is_active:
        raise LoginRefused("account.inactive")

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
    is_first,
    lock_user,
    pass_mark_on,
    verified_email,
)
from oauth_login.accounts.link_by_email import check_address_known, find_by_email
from oauth_login.accounts.usernames import is_placeholder, new_username
from oauth_login.audit.events import send
from oauth_login.conf import get_config
from oauth_login.conf.accounts import KEEP_PASSWORD
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import ConfigurationError, LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.rights.apply import withdraw
from oauth_login.rights.plan import FLAGS
from oauth_login.sessions.end import end_rows, open_sessions

logger = logging.getLogger("oauth_login.accounts")

# T180: strangers with the same username, at the same moment, get one each.
MAX_ATTEMPTS = 6


def resolve_user(
    verified: VerifiedIdentity, entry: ProviderConfig
) -> tuple[AbstractBaseUser, Identity]:
    """The user, active and with today's fields, and the identity; or LoginRefused."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                identity = find_identity(verified.issuer, verified.subject, lock=True)
                if identity is not None:
                    return _returning_user(identity, verified, entry)
                return _new_user(verified, entry, attempt=attempt)
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
    changed = ["last_login_at", "provider", "verified_email", "provisional_username"]
    if user is not None and user.pk != identity.user_id:
        _move(identity, user)
        changed += ["user", "made_user"]
    identity.last_login_at = timezone.now()
    identity.provider = verified.provider
    identity.verified_email = verified_email(verified, entry)
    _update(identity, verified, entry)
    # Not `user`, unless this login moves the identity: an operator may have moved it.
    identity.save(update_fields=changed)
    return identity.user, identity


def _move(identity: Identity, user: AbstractBaseUser) -> None:
    """Give the identity to another user, as the site's hook says."""
    # Before the first event: no lock is taken while the chain's head is held (T149).
    _lock(user)
    # The previous user must not keep the rights that this identity granted.
    withdraw(identity)
    pass_mark_on(instance=identity)
    identity.made_user = identity.provisional_username = False
    identity.user = user  # type: ignore[assignment] # any user model


def _new_user(
    verified: VerifiedIdentity, entry: ProviderConfig, *, attempt: int
) -> tuple[AbstractBaseUser, Identity]:
    """The user for a first login: from the hook, by address, or created."""
    user = _user_from_hook(verified, None)
    _check_active(user)
    if user is None:
        check_address_known(verified, entry)
        found = find_by_email(verified, entry) if attempt == 0 else None
        if found is not None:
            return found, _link(found, verified, entry)
    created = user is None or user.pk is None or user._state.adding
    is_provisional = False
    if user is None:
        if not entry.create_users:
            raise LoginRefused("account.creation_disabled")
        user = _unsaved_user(verified, entry, is_contested=attempt > 1)
        is_provisional = not verified.claims_complete and is_placeholder(
            user.get_username(), verified
        )
    if created:
        if not user.password:
            user.set_unusable_password()  # T101
        _save_new(user)
    else:
        _lock(user)
    identity = create_identity_of(
        user,
        verified,
        entry,
        made_user=created,
        provisional_username=is_provisional,
    )
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
    identity = create_identity_of(user, verified, entry)
    identity.user = user  # type: ignore[assignment] # any user model
    _update(identity, verified, entry)
    announce_link(user, identity, how="email")
    return identity


def _unsaved_user(
    verified: VerifiedIdentity, entry: ProviderConfig, *, is_contested: bool
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
            user_model,
            field,
            verified,
            wanted=wanted,
            entry=entry,
            is_contested=is_contested,
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
    identity: Identity, verified: VerifiedIdentity, entry: ProviderConfig
) -> None:
    """Today's names and addresses for the identity's user. Saves the user alone."""
    user: Any = identity.user
    changed = set_fields(user, verified, entry, may_replace=lambda: is_first(identity))
    changed += _final_username(identity, verified, entry)
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


def _final_username(
    identity: Identity, verified: VerifiedIdentity, entry: ProviderConfig
) -> list[str]:
    """Replace a placeholder that an outage caused, once; the name of the field set.

    The only case in which a login changes the username of an existing user (T97).
    """
    if not identity.provisional_username or not verified.claims_complete:
        return []
    identity.provisional_username = False
    user: Any = identity.user
    if not is_placeholder(user.get_username(), verified):
        return []  # the site has given the user another one
    user_model = get_user_model()
    field: Any = user_model._meta.get_field(user_model.USERNAME_FIELD)
    fresh = user_model()
    set_fields(fresh, verified, entry)  # USER_FIELDS may fill the username
    wanted = str(fresh.get_username())
    name = new_username(user_model, field, verified, wanted=wanted, entry=entry)
    if is_placeholder(name, verified):
        return []  # there is no name in the claims
    setattr(user, field.name, name)
    return [field.name]


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


def _lock(user: Any) -> None:
    """Lock the user of the hook, and take over what the row says of its rights."""
    locked = lock_user(user.pk)
    for name in ("is_active", *FLAGS.values()):
        if name in {field.name for field in user._meta.concrete_fields}:
            setattr(user, name, getattr(locked, name))
    _check_active(user)


def _check_active(user: AbstractBaseUser | None) -> None:
    # T99: a login does not reactivate a user.
    if user is not None and not user.is_active:
        raise LoginRefused("account.inactive")

"""What a login writes into the fields of its user: see USER_FIELDS.

A claim is something that somebody outside has written. It becomes a clean value of
its field, or nothing: a field that cannot be filled costs the field, not the login.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, models
from django.utils.module_loading import import_string

from oauth_login.conf.schema import ProviderConfig
from oauth_login.conf.user_fields import FieldRule
from oauth_login.errors import ConfigurationError, LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.claim_paths import find_claim
from oauth_login.policy.email_address import is_verified

logger = logging.getLogger("oauth_login.user_fields")

MAX_LENGTH = 10_000
# T106: control characters, line separators, and what makes text run the other way.
_HOSTILE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def set_fields(
    user: AbstractBaseUser, identity: VerifiedIdentity, entry: ProviderConfig
) -> list[str]:
    """Put what the settings say into the user, unsaved; the fields that changed.

    What is not said, or in a way that the field does not allow, stays as it is: an
    empty claim erases nothing.
    """
    changed = []
    for rule in entry.user_fields:
        field = field_of(type(user), rule)
        if field is None or not _is_due(rule, field, user):
            continue
        value = _clean(_said(rule, field, user, identity), field, user)
        if (
            value in field.empty_values
            or value == getattr(user, field.name)
            or not _may_have(user, field, value, rule, identity, entry)
        ):
            continue
        setattr(user, field.name, value)
        changed.append(field.name)
    return changed


def field_of(user_model: type[AbstractBaseUser], rule: FieldRule) -> Any | None:
    """The model's field of a rule; None if it has none that a claim may fill.

    No key and no relation: a claim does not say who somebody is here. No file: its
    text would be a path on this server.
    """
    name = rule.field
    if name == "email":
        name = user_model.get_email_field_name()
    try:
        field = user_model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    if (
        not isinstance(field, models.Field)
        or field.primary_key
        or field.is_relation
        or isinstance(field, models.FileField | models.BinaryField)
    ):
        return None
    return field


def _is_due(rule: FieldRule, field: Any, user: Any) -> bool:
    if user._state.adding:
        return True
    # A login name does not change by itself (T97).
    if rule.when == "create" or field.name == user.USERNAME_FIELD:
        return False
    return rule.when == "always" or getattr(user, field.name) in field.empty_values


def _said(
    rule: FieldRule, field: Any, user: AbstractBaseUser, identity: VerifiedIdentity
) -> object:
    if rule.call is not None:
        return _called(rule.call, identity)
    if rule.claim is None:
        return rule.value
    said = find_claim(identity.claims, rule.claim)
    if said in (None, "") and not getattr(user, field.name):
        # Nobody signed it: better than nothing, and for nothing else.
        return identity.unsigned_names.get(rule.claim)
    return said


def _called(path: str, identity: VerifiedIdentity) -> object:
    try:
        value: object = import_string(path)(identity)
    except (LoginRefused, IntegrityError):
        raise
    except Exception as error:
        raise ConfigurationError("config.hook", hook=path) from error
    return value


def _clean(value: object, field: Any, user: AbstractBaseUser) -> Any:
    """The value as the field has it, or None."""
    if isinstance(value, bool) != isinstance(field, models.BooleanField):
        return None  # a boolean is nothing else, and nothing else is one (T94)
    if isinstance(value, str):
        value = _text(value, field)
    elif not isinstance(value, bool | int | float):
        return None
    if value in field.empty_values:
        return None
    try:
        return field.clean(value, user)
    except (ValidationError, ValueError, TypeError, ArithmeticError):
        return None


def _text(value: str, field: Any) -> str:
    """One clean line, not longer than the field; empty if it cannot be one."""
    if len(value) > MAX_LENGTH or any("\ud800" <= c <= "\udfff" for c in value):
        return ""  # half a character fits into no database
    text = _HOSTILE.sub(" ", value).strip()
    # A name can be cut. An address or a URL would be another one.
    return text[: field.max_length] if type(field) in _NAMES else text


_NAMES = (models.CharField, models.TextField)


def _may_have(
    user: Any,
    field: Any,
    value: object,
    rule: FieldRule,
    identity: VerifiedIdentity,
    entry: ProviderConfig,
) -> bool:
    """Whether nobody else is in the way.

    An address that is not the person's is not stored. One that another user has is
    stored only with a new user, and only if it is verified: two users with one address
    are a trap for whoever looks for it (T90, T107).
    """
    verified: bool | None = None
    is_address = field.name == type(user).get_email_field_name()
    if is_address and rule.claim is not None:
        if rule.claim == "email" or entry.trust_email == "never":
            verified = is_verified(identity.claims, trust=entry.trust_email)
        if verified is False:
            return False
    if field.name == user.USERNAME_FIELD:
        return True  # somebody new: accounts.py sees to it
    may_share = user._state.adding and verified is True
    if (is_address and not may_share and _is_taken(user, field, value, "iexact")) or (
        field.unique and _is_taken(user, field, value, "exact")
    ):
        logger.warning("user=%r: another user has this %s", user.pk, field.name)
        return False
    return True


def _is_taken(user: Any, field: Any, value: object, lookup: str) -> bool:
    others = type(user)._default_manager.filter(**{f"{field.name}__{lookup}": value})
    return bool(others.exclude(pk=user.pk).exists())

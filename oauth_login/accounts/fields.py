"""What a login writes into the fields of its user: see USER_FIELDS.

Claims are untrusted input. A claim becomes a clean value of its field, or the field
stays as it is: a claim that does not fit never fails the login.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import IntegrityError, models
from django.utils.module_loading import import_string

from oauth_login.conf import get_config
from oauth_login.conf.accounts import KEEP_PASSWORD
from oauth_login.conf.schema import ProviderConfig
from oauth_login.conf.user_fields import FieldRule
from oauth_login.errors import ConfigurationError, LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.claim_paths import first_text
from oauth_login.policy.email_address import is_verified, plain_address

logger = logging.getLogger("oauth_login.user_fields")

MAX_TEXT_LENGTH = 10_000
# T106: control characters, line separators, and characters that change the direction
# of the text.
_HOSTILE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def set_fields(
    user: AbstractBaseUser,
    verified: VerifiedIdentity,
    entry: ProviderConfig,
    *,
    may_replace: Callable[[], bool] = lambda: True,
) -> list[str]:
    """Set the fields that USER_FIELDS names, without saving; return what changed.

    A claim that is missing, empty or not allowed by the field leaves it as it is.
    `may_replace` is asked before the first value of an existing user is replaced;
    without it, a login only fills empty fields.
    """
    changed: list[str] = []
    may_replace = cache(may_replace)
    for rule in entry.user_fields:
        field = field_of(type(user), rule)
        if field is None or not _is_due(rule, field, user):
            continue
        value = _clean(_source_value(rule, field, user, verified), field, user)
        if (
            value in field.empty_values
            or value == getattr(user, field.name)
            or not _may_store(user, field, value, rule, verified, entry)
            or not (_is_empty(user, field) or may_replace())
        ):
            continue
        setattr(user, field.name, value)
        changed.append(field.name)
    return changed


def field_of(user_model: type[AbstractBaseUser], rule: FieldRule) -> Any | None:
    """The model's field of a rule; None if there is none that a claim may fill.

    Keys and relations are excluded: a claim must not decide which user or row this is.
    So are files: the claim would become a path on this server.
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
    # T97: a login never changes the username of an existing user.
    if rule.when == "create" or field.name == user.USERNAME_FIELD:
        return False
    return rule.when == "always" or _is_empty(user, field)


def _source_value(
    rule: FieldRule, field: Any, user: AbstractBaseUser, verified: VerifiedIdentity
) -> object:
    """What the claim, constant or function of a rule gives, as it is."""
    if rule.call is not None:
        return _call(rule.call, verified)
    if rule.claim is None:
        return rule.value
    value = first_text(verified.claims, rule.claim)
    if value in (None, "") and not getattr(user, field.name):
        # Not signed by the provider: good enough for an empty field, and only there.
        return verified.unsigned_names.get(rule.claim)
    return value


def _call(path: str, verified: VerifiedIdentity) -> object:
    try:
        value: object = import_string(path)(verified)
    except (LoginRefused, IntegrityError):
        raise
    except Exception as error:
        raise ConfigurationError("config.hook", hook=path) from error
    return value


def _clean(value: object, field: Any, user: AbstractBaseUser) -> Any:
    """The value as the field stores it; None if it does not fit."""
    if isinstance(value, bool) != isinstance(field, models.BooleanField):
        return None  # T94: "true" and 1 are not booleans, and True is not a text
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
    """One clean line that fits into the field; empty if that is impossible."""
    if len(value) > MAX_TEXT_LENGTH or any("\ud800" <= c <= "\udfff" for c in value):
        return ""  # no database stores a lone surrogate
    text = _HOSTILE.sub(" ", value).strip()
    # Names can be cut. A shortened address or URL would be a different one.
    return text[: field.max_length] if type(field) in _NAMES else text


_NAMES = (models.CharField, models.TextField)


def _may_store(
    user: Any,
    field: Any,
    value: object,
    rule: FieldRule,
    verified: VerifiedIdentity,
    entry: ProviderConfig,
) -> bool:
    """Whether the value does not clash with another user, and an address may stand.

    T145: an address that the provider says is not verified is not stored. One of which
    it says nothing fills an empty field, as a contact address, but it replaces none and
    is never a login name. An address that another user has is stored only with a new
    user, and only if it is verified: code that looks up users by address could take one
    for the other (T90, T107).
    """
    is_own: bool | None = None
    is_address = field.name == type(user).get_email_field_name()
    if _holds_address(user, field, rule):
        if is_address and not user._state.adding and not _may_move_address(entry):
            return False
        is_own = _is_own(value, rule, verified, trust=entry.trust_email)
        if is_own is False:
            return False
        if is_own is None and (
            field.name == user.USERNAME_FIELD or not _is_empty(user, field)
        ):
            return False
    if field.name == user.USERNAME_FIELD:
        return True  # a new user: resolve.py makes it unique
    may_share = user._state.adding and is_own is True
    if (is_address and not may_share and _is_taken(user, field, value, "iexact")) or (
        field.unique and _is_taken(user, field, value, "exact")
    ):
        logger.warning("user=%r: another user has this %s", user.pk, field.name)
        return False
    return True


def _may_move_address(entry: ProviderConfig) -> bool:
    """Whether a login there may change the address of an existing user (T135).

    "keep_password" says that the site has verified the addresses of its users. With an
    address of a provider that may not link, an account that an attacker keeps the
    password of would wait for the owner of that address.
    """
    return bool(entry.link_by_email) or all(
        other.link_by_email != KEEP_PASSWORD
        for other in get_config().providers.values()
    )


def _holds_address(user: Any, field: Any, rule: FieldRule) -> bool:
    """Whether a claim would fill this field with an e-mail address."""
    return rule.claim is not None and (
        rule.claim == "email"
        or isinstance(field, models.EmailField)
        or field.name == type(user).get_email_field_name()
    )


def _is_own(
    value: object, rule: FieldRule, verified: VerifiedIdentity, *, trust: str
) -> bool | None:
    """As is_verified(), for the address of any claim."""
    claims = verified.claims
    if rule.claim != "email" and (
        plain_address(value) is None
        or plain_address(value) != plain_address(claims.get("email"))
    ):
        # `email_verified` is about the address in `email` and about no other one.
        claims = {}
    return is_verified(claims, trust=trust)


def _is_empty(user: Any, field: Any) -> bool:
    return getattr(user, field.name) in field.empty_values


def _is_taken(user: Any, field: Any, value: object, lookup: str) -> bool:
    others = type(user)._default_manager.filter(**{f"{field.name}__{lookup}": value})
    return bool(others.exclude(pk=user.pk).exists())

"""What the settings of several providers, and the user model, mean for rights.

Problems as (id, text, hint); checks.py makes system checks of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models

from oauth_login.conf import get_config
from oauth_login.conf.accounts import is_weak_door
from oauth_login.conf.schema import ProviderConfig
from oauth_login.rights.plan import FLAGS, GROUP, STAFF, SUPERUSER
from oauth_login.rights.records import kinds_of

Found: TypeAlias = tuple[str, str, str]


def find_problems() -> Iterator[Found]:
    yield from _equal_issuers()
    yield from _no_address()
    yield from _linking()
    for entry in get_config().providers.values():
        yield from _nothing_to_set(entry)
        yield from _weak_door(entry)
        yield from _login_name(entry)
        yield from _consent(entry)


def find_database_problems() -> Iterator[Found]:
    databases: dict[str, Any] = settings.DATABASES
    for alias, database in databases.items():
        mode = database.get("OPTIONS", {}).get("transaction_mode")
        if database["ENGINE"].endswith(".sqlite3") and mode != "IMMEDIATE":
            # T149: SQLite has no row locks, and refuses a lock that comes too late.
            yield (
                "W053",
                f"The SQLite database {alias!r} does not lock when a login begins.",
                "Set 'OPTIONS': {'transaction_mode': 'IMMEDIATE'} in DATABASES.",
            )


def _equal_issuers() -> Iterator[Found]:
    """T160: both entries have the same identities, and so the same users."""
    by_issuer = defaultdict(list)
    for alias, entry in get_config().providers.items():
        if entry.issuer:
            by_issuer[entry.issuer_or_template].append(alias)
    for issuer, aliases in by_issuer.items():
        if len(aliases) > 1:
            text = f"{', '.join(map(repr, aliases))} have the same issuer {issuer!r}."
            hint = "A person is the same user through each: the weakest rules count."
            yield "W061", text, hint


def _no_address() -> Iterator[Found]:
    """LINK_BY_EMAIL with a user model that has no e-mail address."""
    user_model = get_user_model()
    name = user_model.get_email_field_name()
    entries = get_config().providers.values()
    if any(entry.link_by_email for entry in entries) and not any(
        field.name == name for field in user_model._meta.concrete_fields
    ):
        label = user_model._meta.label
        yield "E061", f"LINK_BY_EMAIL finds no users: {label} has no {name!r}.", ""


def _linking() -> Iterator[Found]:
    """T135: users whom a provider that may not link has made are never linked."""
    entries = get_config().providers.values()
    linking = [entry.alias for entry in entries if entry.link_by_email]
    others = [
        entry.alias
        for entry in entries
        if not entry.link_by_email
        and entry.create_users
        and entry.trust_email != "never"
    ]
    if linking and others:
        names = ", ".join(map(repr, others))
        yield (
            "W060",
            f"{names} may not link, but creates users with addresses: "
            f"{', '.join(map(repr, linking))} never links these users.",
            "A person who uses both gets two users, unless they connect them. Set "
            "LINK_BY_EMAIL there as well if you trust its addresses, or TRUST_EMAIL to "
            "'never'.",
        )


def _nothing_to_set(entry: ProviderConfig) -> Iterator[Found]:
    """A rule for a right that the user model computes, or does not have."""
    user_model = get_user_model()
    kinds = kinds_of(user_model)
    for key, kind, is_used in (
        ("STAFF_IF", STAFF, entry.rules.staff_if),
        ("SUPERUSER_IF", SUPERUSER, entry.rules.superuser_if),
        ("GROUPS", GROUP, entry.rules.groups),
    ):
        if is_used and kind not in kinds:
            name = FLAGS.get(kind, "groups")
            where = f"OAUTH_LOGIN['PROVIDERS'][{entry.alias!r}][{key!r}]"
            yield (
                "E066",
                f"{where} has nothing to set: {user_model._meta.label} has no field "
                f"{name!r}.",
                "Only fields of the database can be set, and only Django's groups.",
            )


def _weak_door(entry: ProviderConfig) -> Iterator[Found]:
    """T136: rights belong to the user, whichever identity logs in."""
    if not is_weak_door(entry, get_config().providers):
        return
    text = f"Anyone can have an account at {entry.alias!r}, and another provider gives"
    text += " rights or asks for ACR_VALUES: "
    if entry.connect:
        text += "a connected account is a weaker way to these rights."
        yield "W062", text, "Set CONNECT to False there."
    elif not entry.says_connect:
        text += "people cannot connect accounts from there."
        yield "W062", text, "Set CONNECT there, to False if this is what you want."


def _login_name(entry: ProviderConfig) -> Iterator[Found]:
    """T145: an address that is not verified is never a login name."""
    user_model = get_user_model()
    field: Any = user_model._meta.get_field(user_model.USERNAME_FIELD)
    is_address = (
        isinstance(field, models.EmailField)
        or field.name == user_model.get_email_field_name()
    )
    if (
        is_address
        and entry.create_users
        and entry.trust_email == "verified"
        and entry.says_verified in ("absent", "false")
    ):
        yield (
            "W063",
            f"{entry.alias!r} never says that an address is verified, and the address "
            "is the login name: no user can be created.",
            "If only its administrators write addresses, set TRUST_EMAIL: 'always' if "
            "it says nothing, 'managed' if it says false.",
        )


def _consent(entry: ProviderConfig) -> Iterator[Found]:
    """A person who does not consent to a scope makes its claims absent."""
    if entry.is_open and entry.rules.deny_if and entry.absent_claims == "none":
        yield (
            "W064",
            f"People choose what {entry.alias!r} tells this site, and a claim that is "
            "absent does not match DENY_IF.",
            "Set ABSENT_CLAIMS to 'unknown', or name who may enter with ALLOW_IF.",
        )

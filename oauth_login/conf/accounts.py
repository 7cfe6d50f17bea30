"""The keys of a provider's entry that concern users and their addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from oauth_login.conf.schema import DEFAULT_FIELDS, TRUST, ProviderConfig
from oauth_login.conf.user_fields import FieldRule, parse_field_rules
from oauth_login.conf.validation import Section
from oauth_login.policy.claim_paths import EMAIL_DOMAIN
from oauth_login.policy.rules import RuleSet

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
KEEP_PASSWORD = "keep_password"  # noqa: S105 - a choice, not a password


def read_trust_email(section: Section, *, is_open: bool, rules: RuleSet) -> str:
    """TRUST_EMAIL. `is_open` means that anyone can create an account there."""
    trust = section.choice("TRUST_EMAIL", TRUST)
    where = f"{section.where}['TRUST_EMAIL']"
    if trust in ("always", "managed") and is_open:
        # T90: a person with an account there can enter any address.
        text = f"{where} cannot be {trust!r}: anyone can create an account there."
        section.problem("E060", text)
    if trust == "never" and EMAIL_DOMAIN in rules.claims_needed():
        text = f"{where} is 'never', but a rule needs 'email_domain'."
        section.problem("E060", text)
    return trust


def read_link_by_email(section: Section, *, trust: str) -> bool | str:
    """LINK_BY_EMAIL: False, True or "keep_password"."""
    value = section.value("LINK_BY_EMAIL")
    where = f"{section.where}['LINK_BY_EMAIL']"
    if not isinstance(value, bool) and value != KEEP_PASSWORD:
        text = f"{where} must be True, False or {KEEP_PASSWORD!r}."
        section.problem("E004", text)
        return False
    if value and trust == "never":
        text = f"{where} cannot be used while TRUST_EMAIL is 'never'."
        section.problem("E060", text)
    return KEEP_PASSWORD if value == KEEP_PASSWORD else value is True


def with_connect(
    providers: Mapping[str, ProviderConfig],
) -> dict[str, ProviderConfig]:
    """The entries, with CONNECT for those that leave it out (T136).

    Rights belong to the user, whichever identity logs in. So people cannot connect an
    account that anyone can create, where another provider gives rights or asks for a
    class of authentication.
    """
    return {
        alias: entry
        if entry.says_connect
        else replace(entry, connect=not is_weak_door(entry, providers))
        for alias, entry in providers.items()
    }


def is_weak_door(
    entry: ProviderConfig, providers: Mapping[str, ProviderConfig]
) -> bool:
    """Whether anyone can have an account there, and another provider is stricter."""
    return entry.is_open and any(
        other.rules.gives_rights or other.client.default_acr_values
        for other in providers.values()
        if other.alias != entry.alias
    )


def read_domains(section: Section) -> tuple[str, ...]:
    """DOMAINS in lower case: the login page sends addresses in them here."""
    domains = tuple(domain.lower() for domain in section.strings("DOMAINS"))
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            section.problem(
                "E064",
                f"{section.where}['DOMAINS']: {domain!r} is not a valid domain name.",
                "For example: 'example.com'. Write other letters as 'xn--…'.",
            )
    return domains


def read_user_fields(section: Section) -> tuple[FieldRule, ...]:
    """USER_FIELDS. checks.py compares them with the fields of the user model."""
    setting = section.of_type("USER_FIELDS", dict, default={})
    try:
        return parse_field_rules(setting)
    except ValueError as error:
        section.problem("E062", f"{section.where}['USER_FIELDS']: {error}.")
        return DEFAULT_FIELDS

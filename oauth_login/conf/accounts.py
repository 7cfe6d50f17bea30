"""What an entry of PROVIDERS says of users: whom a login leads to."""

from __future__ import annotations

import re

from oauth_login.conf.schema import DEFAULT_FIELDS, TRUST
from oauth_login.conf.user_fields import FieldRule, parse_field_rules
from oauth_login.conf.validation import Section
from oauth_login.policy.claim_paths import EMAIL_DOMAIN
from oauth_login.policy.rules import RuleSet

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
KEEP_PASSWORD = "keep_password"  # noqa: S105 - a choice, no password


def read_trust_email(section: Section, *, anybody: bool, rules: RuleSet) -> str:
    """How far its addresses are believed; `anybody` can get an account there."""
    trust = section.choice("TRUST_EMAIL", TRUST)
    where = f"{section.where}['TRUST_EMAIL']"
    if trust == "always" and anybody:
        # T90: whoever has an account there could write any address into it.
        text = f"{where} cannot be 'always': anybody can get an account there."
        section.problem("E060", text)
    if trust == "never" and EMAIL_DOMAIN in rules.claims_needed():
        text = f"{where} is 'never', and a rule needs 'email_domain'."
        section.problem("E060", text)
    return trust


def read_link_by_email(section: Section, *, trust: str) -> bool | str:
    """False, True or "keep_password"."""
    value = section.value("LINK_BY_EMAIL")
    where = f"{section.where}['LINK_BY_EMAIL']"
    if not isinstance(value, bool) and value != KEEP_PASSWORD:
        text = f"{where} must be True, False or {KEEP_PASSWORD!r}."
        section.problem("E004", text)
        return False
    if value and trust == "never":
        text = f"{where} needs addresses to be believed, and TRUST_EMAIL is 'never'."
        section.problem("E060", text)
    return KEEP_PASSWORD if value == KEEP_PASSWORD else value is True


def read_domains(section: Section) -> tuple[str, ...]:
    """Whose addresses belong to this provider, in lower case: for the login page."""
    domains = tuple(domain.lower() for domain in section.strings("DOMAINS"))
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            section.problem(
                "E064",
                f"{section.where}['DOMAINS']: {domain!r} is no domain.",
                "For example: 'example.com'; beyond ASCII, as 'xn--…'.",
            )
    return domains


def read_user_fields(section: Section) -> tuple[FieldRule, ...]:
    """Which claims fill which fields; what the model makes of it, checks.py says."""
    setting = section.of_type("USER_FIELDS", dict, default={})
    try:
        return parse_field_rules(setting)
    except ValueError as error:
        section.problem("E062", f"{section.where}['USER_FIELDS']: {error}.")
        return DEFAULT_FIELDS

"""The keys that allow a provider to deviate from the standards."""

from __future__ import annotations

import re

from oauth_login.conf.validation import Section
from oauth_login.protocol.deviations import TENANT, Deviations
from oauth_login.protocol.logout.styles import STYLES
from oauth_login.protocol.urls import is_allowed_url

# Entra ID's shared URLs for many tenants. None of them is an issuer.
EVERY_TENANT = (
    r"https://login\.microsoftonline\.[a-z]+/(common|organizations|consumers)(/|$)"
)
# The names in DEVIATIONS. Other deviations have a key of their own.
SWITCHES = (
    "acr_values_required",
    "audience_is_token_endpoint",
    "login_oauth_issuer",
    "no_login_hint",
    "no_prompt_login",
    "numeric_booleans",
    "string_booleans",
    "user_in_data",
    "user_in_response",
)


def read_deviations(section: Section) -> Deviations:
    """The deviations of one provider. Off unless a preset or the site sets them."""
    switches = section.strings("DEVIATIONS")
    if unknown := sorted(set(switches).difference(SWITCHES)):
        names = ", ".join(unknown)
        text = f"{section.where}['DEVIATIONS'] contains unknown names: {names}."
        section.problem("E027", text, f"Known names: {', '.join(SWITCHES)}.")
    return Deviations(
        without_pkce=not section.of_type("PKCE", bool, default=True),
        nonce_optional=section.choice("NONCE", ("required", "optional")) == "optional",
        raw_basic=section.choice("BASIC_ENCODING", ("form", "raw")) == "raw",
        audience_is_token_endpoint="audience_is_token_endpoint" in switches,
        acr_values_required="acr_values_required" in switches,
        login_oauth_issuer="login_oauth_issuer" in switches,
        no_login_hint="no_login_hint" in switches,
        no_prompt_login="no_prompt_login" in switches,
        string_booleans="string_booleans" in switches,
        numeric_booleans="numeric_booleans" in switches,
        user_in_data="user_in_data" in switches,
        user_in_response="user_in_response" in switches,
        claim_aliases=_claim_aliases(section),
        logout_style=section.choice("LOGOUT_STYLE", tuple(STYLES)),
        issuer_template=_issuer_template(section),
        allowed_tenants=section.strings("ALLOWED_TENANTS"),
    )


def _claim_aliases(section: Section) -> dict[str, str]:
    aliases = section.of_type("CLAIM_ALIASES", dict, default={})
    if not all(isinstance(x, str) and x for x in (*aliases, *aliases.values())):
        text = f"{section.where}['CLAIM_ALIASES'] must map claim names to claim names."
        section.problem("E003", text)
        return {}
    if "sub" in aliases or "iss" in aliases:
        # A person is identified by `iss` and `sub`, and by no other claim.
        text = f"{section.where}['CLAIM_ALIASES'] cannot replace 'sub' or 'iss'."
        section.problem("E003", text)
        return {}
    return dict(aliases)


def _issuer_template(section: Section) -> str | None:
    template, where = section.text("ISSUER_TEMPLATE"), section.where
    if template is None:
        if section.value("ALLOWED_TENANTS"):
            text = f"{where} has ALLOWED_TENANTS, but no ISSUER_TEMPLATE."
            section.problem("E028", text)
        if re.match(EVERY_TENANT, str(section.value("ISSUER"))):
            section.problem(
                "E070",
                f"{where}['ISSUER'] is not an issuer: it is shared by many tenants.",
                "Use the tenant's own ID, or the preset 'entra_multitenant'. Personal "
                "accounts are in the tenant 9188040d-6c67-4c5b-b112-36a304b66dad.",
            )
        return None
    plain = template.replace(TENANT, "tenant")
    if template.count(TENANT) != 1 or not is_allowed_url(
        plain, allow_http_loopback=False
    ):
        text = f"{where}['ISSUER_TEMPLATE'] must be an https URL with {TENANT} in it."
        section.problem("E028", text)
    if not section.value("ALLOWED_TENANTS"):
        # T79: otherwise, people from any tenant of the provider could log in.
        text = f"{where} needs ALLOWED_TENANTS: only their users may log in."
        section.problem("E028", text, "List their IDs; ['*'] allows every tenant.")
    return template

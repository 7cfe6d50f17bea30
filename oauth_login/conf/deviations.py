"""Where an entry of PROVIDERS says that its provider leaves the standards."""

from __future__ import annotations

import re

from oauth_login.conf.validation import Section
from oauth_login.protocol.deviations import TENANT, Deviations
from oauth_login.protocol.logout.styles import STYLES
from oauth_login.protocol.urls import is_allowed_url

# Where Entra ID has one address for many tenants, and none of them is an issuer.
EVERY_TENANT = (
    r"https://login\.microsoftonline\.[a-z]+/(common|organizations|consumers)(/|$)"
)
# Those without a key of their own.
SWITCHES = (
    "acr_values_required",
    "audience_is_token_endpoint",
    "numeric_booleans",
    "string_booleans",
    "user_in_response",
)


def read_deviations(section: Section) -> Deviations:
    """The switches of one provider; all off unless a preset or the site says so."""
    switches = section.strings("DEVIATIONS")
    if unknown := sorted(set(switches).difference(SWITCHES)):
        text = f"{section.where}['DEVIATIONS'] has no {', '.join(unknown)}."
        section.problem("E027", text, f"There are {', '.join(SWITCHES)}.")
    return Deviations(
        without_pkce=not section.of_type("PKCE", bool, default=True),
        nonce_optional=section.choice("NONCE", ("required", "optional")) == "optional",
        raw_basic=section.choice("BASIC_ENCODING", ("form", "raw")) == "raw",
        audience_is_token_endpoint="audience_is_token_endpoint" in switches,
        acr_values_required="acr_values_required" in switches,
        string_booleans="string_booleans" in switches,
        numeric_booleans="numeric_booleans" in switches,
        user_in_response="user_in_response" in switches,
        claim_aliases=_claim_aliases(section),
        logout_style=section.choice("LOGOUT_STYLE", tuple(STYLES)),
        issuer_template=_issuer_template(section),
        allowed_tenants=section.strings("ALLOWED_TENANTS"),
    )


def _claim_aliases(section: Section) -> dict[str, str]:
    aliases = section.of_type("CLAIM_ALIASES", dict, default={})
    if not all(isinstance(x, str) and x for x in (*aliases, *aliases.values())):
        text = f"{section.where}['CLAIM_ALIASES'] must map names to names."
        section.problem("E003", text)
        return {}
    if "sub" in aliases or "iss" in aliases:
        # Who somebody is has one name.
        text = f"{section.where}['CLAIM_ALIASES'] cannot replace 'sub' or 'iss'."
        section.problem("E003", text)
        return {}
    return dict(aliases)


def _issuer_template(section: Section) -> str | None:
    template, where = section.text("ISSUER_TEMPLATE"), section.where
    if template is None:
        if section.value("ALLOWED_TENANTS"):
            text = f"{where} has ALLOWED_TENANTS and no ISSUER_TEMPLATE."
            section.problem("E028", text)
        if re.match(EVERY_TENANT, str(section.value("ISSUER"))):
            section.problem(
                "E070",
                f"{where}['ISSUER'] is no issuer: it stands for many tenants.",
                "Use the tenant's own id, or the preset 'entra_multitenant'. Personal "
                "accounts are the tenant 9188040d-6c67-4c5b-b112-36a304b66dad.",
            )
        return None
    plain = template.replace(TENANT, "tenant")
    if template.count(TENANT) != 1 or not is_allowed_url(
        plain, allow_http_loopback=False
    ):
        text = f"{where}['ISSUER_TEMPLATE'] must be an https URL with {TENANT} in it."
        section.problem("E028", text)
    if not section.value("ALLOWED_TENANTS"):
        # T79: or else whoever has a tenant there is let in.
        text = f"{where} needs ALLOWED_TENANTS: the ids of the tenants that may enter."
        section.problem("E028", text, "['*'] is every tenant there is.")
    return template

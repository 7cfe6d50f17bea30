"""Our registration at a provider, read from its entry in PROVIDERS into a Client."""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.conf.authorization_request import (
    read_acr_order,
    read_acr_values,
    read_auth_params,
    read_max_age,
)
from oauth_login.conf.deviations import read_deviations
from oauth_login.conf.validation import Section
from oauth_login.protocol.client.authentication import METHODS
from oauth_login.protocol.client.registration import ASYMMETRIC_ALGS, HMAC_ALGS, Client

# What a client authentication method needs → the key that provides it.
_NEEDS = {
    "secret": "CLIENT_SECRET",
    "keys": "CLIENT_KEYS",
    "certificate": "CLIENT_CERT",
}


def read_client(section: Section, *, plain: bool) -> Client:
    """The client. `plain` means plain OAuth 2.0, without ID tokens."""
    client_id = section.text("CLIENT_ID")
    if client_id is None:
        section.problem("E012", f"{section.where} needs a CLIENT_ID.")
    secret = section.of_type("CLIENT_SECRET", str, default="")
    acr_values, max_age = read_acr_values(section), read_max_age(section)
    if plain and (acr_values or max_age is not None):
        # T27: what the site asks for must be enforced, or refused here.
        text = f"{section.where}: MAX_AGE and ACR_VALUES need an ID token, which"
        section.problem(
            "E029", f"{text} is not available for a provider with SUBJECT_FIELD."
        )
    sends_auth_time = section.of_type("AUTH_TIME", bool, default=True)
    if max_age is not None and not (plain or sends_auth_time):
        section.problem(
            "E029",
            f"{section.where}: MAX_AGE needs an auth_time in the ID token, but "
            "AUTH_TIME is False.",
            "If the provider is set up to send it, set AUTH_TIME to True.",
        )
    if secret != secret.strip() or "\n" in secret:
        text = f"{section.where}['CLIENT_SECRET'] starts or ends with white space,"
        section.problem(
            "W001",
            f"{text} or contains a line break.",
            "Check that it was copied completely, without anything else.",
        )
    return Client(
        client_id=client_id or "",
        client_secret=secret,
        token_endpoint_auth_method=_method(section, secret),
        has_certificate=section.value("CLIENT_CERT") is not None,
        team_id=section.text("TEAM_ID"),
        scope=" ".join(_scopes(section, plain=plain)),
        response_mode=_response_mode(section),
        default_max_age=max_age,
        default_acr_values=acr_values,
        acr_order=read_acr_order(section),
        sends_auth_time=sends_auth_time,
        authorization_params=read_auth_params(section, acr_values=acr_values),
        id_token_signing_algs=_signing_algs(section, secret),
        has_own_signing_algs=section.is_set("SIGNING_ALGS"),
        leeway=section.number("LEEWAY", 0, 300),
        deviations=read_deviations(section),
    )


def _method(section: Section, secret: str) -> str:
    method = section.choice("CLIENT_AUTH", ("auto", *METHODS))
    needed = _NEEDS.get(METHODS.get(method, ""))
    if needed is not None and not section.value(needed):
        text = f"{section.where}['CLIENT_AUTH'] is {method!r}"
        section.problem("E013", f"{text}, which needs {needed}.")
    if method == "signed_client_secret":
        _check_signed_secret(section)
    if method == "client_secret_jwt" and len(secret.encode()) < min(HMAC_ALGS.values()):
        text = f"{section.where}['CLIENT_SECRET'] is too short for {method!r}."
        section.problem("E017", text)
    return method


def _check_signed_secret(section: Section) -> None:
    """Apple identifies our key by its KID, and us by our TEAM_ID."""
    keys = section.value("CLIENT_KEYS")
    first = keys[0] if isinstance(keys, list | tuple) and keys else {}
    named = isinstance(first, Mapping) and first.get("KID")
    for key, is_there in (("TEAM_ID", section.value("TEAM_ID")), ("KID", named)):
        if not is_there:
            text = f"{section.where} needs a {key} to sign the client secret."
            section.problem("E013", text, "Apple shows it next to the key.")


def _response_mode(section: Section) -> str | None:
    if section.value("RESPONSE_MODE") is None:
        return None
    return section.choice("RESPONSE_MODE", ("query", "form_post"))


def _scopes(section: Section, *, plain: bool) -> tuple[str, ...]:
    scopes = section.strings("SCOPES")
    where = section.where
    if plain and "openid" in scopes and section.is_set("SCOPES"):
        text = (
            f"{where} has SUBJECT_FIELD, which is only for providers without 'openid'."
        )
        section.problem("E014", text)
    if plain:
        return tuple(scope for scope in scopes if scope != "openid")
    if "openid" not in scopes:
        text = f"{where}['SCOPES'] must contain 'openid'."
        section.problem("E014", text, "Or is SUBJECT_FIELD missing?")
    return scopes


def _signing_algs(section: Section, secret: str) -> tuple[str, ...]:
    algs = section.strings("SIGNING_ALGS")
    known = {*ASYMMETRIC_ALGS, *HMAC_ALGS}
    symmetric = [alg for alg in algs if alg in HMAC_ALGS]
    key = f"{section.where}['SIGNING_ALGS']"
    if not algs or not known.issuperset(algs):
        section.problem(
            "E015", f"{key} must be a list of these: {', '.join(sorted(known))}."
        )
    elif symmetric and len(symmetric) != len(algs):
        # T65: with both, an attacker could use a public key as the secret.
        section.problem("E016", f"{key} must not mix HS algorithms with others.")
    elif symmetric and len(secret.encode()) < max(HMAC_ALGS[a] for a in symmetric):
        section.problem("E017", f"{key}: CLIENT_SECRET is too short for them.")
    return algs

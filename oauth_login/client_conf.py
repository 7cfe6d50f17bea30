"""What an entry of PROVIDERS says of us: our registration there, as a Client."""

from __future__ import annotations

from oauth_login.protocol.client import ASYMMETRIC_ALGS, HMAC_ALGS, Client
from oauth_login.protocol.client_auth import METHODS
from oauth_login.section import Section


def read_client(section: Section, *, plain: bool) -> Client:
    """The client; `plain`: at a provider of plain OAuth 2.0."""
    client_id = section.text("CLIENT_ID")
    if client_id is None:
        section.problem("E012", f"{section.where} needs a CLIENT_ID.")
    secret = section.of_type("CLIENT_SECRET", str, default="")
    if secret != secret.strip() or "\n" in secret:
        text = f"{section.where}['CLIENT_SECRET'] has white space around it"
        section.problem(
            "W001",
            f"{text} or a line break.",
            "Was it copied whole, and nothing else?",
        )
    return Client(
        client_id=client_id or "",
        client_secret=secret,
        token_endpoint_auth_method=_method(section, secret),
        scope=" ".join(_scopes(section, plain=plain)),
        id_token_signing_algs=_signing_algs(section, secret),
        leeway=section.number("LEEWAY", 0, 300),
    )


def _method(section: Section, secret: str) -> str:
    method = section.choice("CLIENT_AUTH", ("auto", *METHODS))
    if not secret and method.startswith("client_secret"):
        text = f"{section.where}['CLIENT_AUTH'] is {method!r}"
        section.problem("E013", f"{text}, which needs a CLIENT_SECRET.")
    return method


def _scopes(section: Section, *, plain: bool) -> tuple[str, ...]:
    scopes = section.strings("SCOPES")
    where = section.where
    if plain and "openid" in scopes and section.is_set("SCOPES"):
        text = f"{where} has SUBJECT_FIELD, which is for providers without 'openid'."
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
        section.problem("E015", f"{key} must be of {', '.join(sorted(known))}.")
    elif symmetric and len(symmetric) != len(algs):
        # T65: with both, a public key could be used as a secret.
        section.problem("E016", f"{key} must not mix HS algorithms with others.")
    elif symmetric and len(secret.encode()) < max(HMAC_ALGS[a] for a in symmetric):
        section.problem("E017", f"{key}: the CLIENT_SECRET is too short for it.")
    return algs

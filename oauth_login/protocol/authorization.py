"""The authorization request and its response (OpenID Connect Core 3.1.2, RFC 9207)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth_login.errors import (
    InvalidCallback,
    InvalidProviderResponse,
    ProviderRefused,
    ProviderUnavailable,
)
from oauth_login.protocol.client import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.wire import printable

MAX_CODE = 2048
MAX_STATE = 255

Params = Sequence[tuple[str, str]]

# What must not occur twice (RFC 6749 3.1), and what no code response carries.
SINGLE = {
    *("code", "state", "iss", "error", "error_description", "error_uri"),
    "session_state",
}
TOKENS = {"id_token", "access_token", "refresh_token", "token_type", "expires_in"}

# OpenID Connect Core 3.1.2.6: the provider could not do without the person.
INTERACTION_ERRORS = {
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
}
PASSING_ERRORS = {"server_error", "temporarily_unavailable"}


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code whose response was judged. Only parse_authorization_response makes one."""

    value: str = field(repr=False)


def authorization_parameters(
    *,
    client: Client,
    metadata: ServerMetadata,
    state: str,
    nonce: str,
    code_challenge: str,
    redirect_uri: str,
    prompt: str | None = None,
) -> dict[str, str]:
    """The parameters of the request (RFC 6749 4.1.1, RFC 7636 4.3, Core 3.1.2.1).

    `prompt` "select_account" becomes "login" where the provider does not list it:
    it would be ignored there, and the person would not get to choose.
    """
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.scope,
        "state": state,
        "code_challenge": code_challenge,
        # A constant: metadata is never a reason to send less (T30).
        "code_challenge_method": "S256",
    }
    if client.is_openid:
        parameters["nonce"] = nonce
    if prompt == "select_account" and prompt not in metadata.prompt_values_supported:
        prompt = "login"
    if prompt:
        parameters["prompt"] = prompt
    return parameters


def authorization_url(metadata: ServerMetadata, parameters: Mapping[str, str]) -> str:
    """Where to send the browser; a query that the endpoint has already is kept."""
    endpoint = metadata.authorization_endpoint
    query = urlsplit(endpoint).query
    # RFC 6749 3.1: no parameter twice, so none of ours may be there already.
    if any(name in parameters for name, _ in parse_qsl(query, keep_blank_values=True)):
        raise InvalidProviderResponse(
            "discovery.insecure_endpoint", member="authorization_endpoint"
        )
    joint = "&" if query else "" if endpoint.endswith("?") else "?"
    return endpoint + joint + urlencode(parameters)


def received_state(params: Params) -> str:
    """The state of a response of the right shape, before anybody looks it up.

    Checks what costs nothing: no parameter twice (T40), no token (T42), a state of
    our alphabet, and one of code and error (T41). Proves nothing about the state.
    """
    names = [name for name, _ in params]
    if duplicates := {name for name in names if names.count(name) > 1} & SINGLE:
        raise InvalidCallback(
            "callback.duplicate_parameter", received=sorted(duplicates)
        )
    if tokens := TOKENS.intersection(names):
        raise InvalidCallback("callback.token_in_response", received=sorted(tokens))
    received = dict(params)
    state = received.get("state")
    if not state:
        raise InvalidCallback("callback.state_missing")
    if not re.fullmatch(rf"[A-Za-z0-9._~-]{{1,{MAX_STATE}}}", state):
        raise InvalidCallback("callback.malformed", parameter="state")
    if ("code" in received) == ("error" in received):
        raise InvalidCallback("callback.malformed", parameter="code or error")
    if "code" in received and not re.fullmatch(
        # RFC 6749 A.11: VSCHAR
        rf"[\x20-\x7e]{{1,{MAX_CODE}}}",
        received["code"],
    ):
        raise InvalidCallback("callback.malformed", parameter="code")
    return state


def parse_authorization_response(
    params: Params, *, expected_state: str, metadata: ServerMetadata
) -> AuthorizationCode:
    """The code, if this is the provider's answer to our request."""
    state = received_state(params)
    if state != expected_state:
        raise InvalidCallback("callback.state_mismatch")
    received = dict(params)
    # RFC 9207 2.4: before looking at code or error.
    iss = received.get("iss")
    if iss is not None and iss != metadata.issuer:
        raise InvalidCallback(
            "callback.iss_mismatch", expected=metadata.issuer, received=printable(iss)
        )
    if "error" in received:
        # The login ends here with or without `iss`, which django-oauth-toolkit 3.4
        # (seen in November 2026) leaves out of its errors; nothing is redeemed.
        raise _refusal(received)
    if iss is None and metadata.authorization_response_iss_parameter_supported:
        raise InvalidCallback("callback.iss_missing", expected=metadata.issuer)  # T35
    return AuthorizationCode(received["code"])


def _refusal(received: Mapping[str, str]) -> ProviderRefused | ProviderUnavailable:
    # T39: a fixed table; the provider's words are for the log alone.
    error = received["error"]
    detail = {
        "received": printable(error),
        "description": printable(received.get("error_description", "")),
    }
    if error == "access_denied":
        return ProviderRefused("authorization.refused", **detail)
    if error in INTERACTION_ERRORS:
        return ProviderRefused("authorization.interaction_required", **detail)
    if error in PASSING_ERRORS:
        return ProviderUnavailable("authorization.unavailable", **detail)
    return ProviderRefused("authorization.error", **detail)

"""The authorization request and its response (OpenID Connect Core 3.1.2, RFC 9207)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    InvalidProviderResponse,
    ProviderRefused,
    ProviderUnavailable,
)
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import Params
from oauth_login.protocol.issuer import check_response_issuer
from oauth_login.protocol.request_parameters import (
    PROTECTED,
    Parameters,
    check_acr_values,
    expected_max_age,
    settings_parameters,
)
from oauth_login.protocol.strict_json import printable

MAX_CODE = 8192  # Azure AD B2C has codes of 2 to 4 kB
MAX_STATE = 255

# RFC 6749 3.1 forbids these to occur twice. A code response never has TOKENS.
SINGLE = {
    *("code", "state", "iss", "error", "error_description", "error_uri"),
    *("session_state", "user"),
}
TOKENS = {"id_token", "access_token", "refresh_token", "token_type", "expires_in"}

# OpenID Connect Core 3.1.2.6: the provider needs the person to interact.
INTERACTION_ERRORS = {
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
}
# Apple sends the person's name here, at the first login only. It is not signed.
USER_PARAMETER = "user"
PASSING_ERRORS = {"server_error", "temporarily_unavailable"}


class WellFormedResponse(tuple[tuple[str, str], ...]):
    """The parameters of a response. Only well_formed_response makes one."""

    __slots__ = ()

    @property
    def state(self) -> str:
        return dict(self)["state"]


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code of a checked response. Only parse_authorization_response makes one."""

    value: str = field(repr=False)


def authorization_parameters(
    *,
    client: Client,
    metadata: ServerMetadata,
    state: str,
    nonce: str,
    code_challenge: str,
    redirect_uri: str,
    params: Mapping[str, str] | None = None,
    switch_account: bool = False,
) -> Parameters:
    """The parameters of the request (RFC 6749 4.1.1, RFC 7636 4.3, Core 3.1.2.1).

    `params` are extra parameters for this login; the settings have more for every
    login. Neither can replace a parameter of the protocol (T17). `switch_account` lets
    the person choose an account: with the prompt "login" if the provider does not list
    "select_account", because it would ignore that.
    """
    parameters: Parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "scope": client.scope,
        "state": state,
    }
    if not client.deviations.without_pkce:
        parameters["code_challenge"] = code_challenge
        # Always S256: metadata cannot downgrade the method (T30).
        parameters["code_challenge_method"] = "S256"
    if client.is_openid:
        parameters["nonce"] = nonce
    if client.response_mode:
        parameters["response_mode"] = client.response_mode
    if params and "acr_values" in params:
        check_acr_values(client, params["acr_values"].split())
    extra = {**settings_parameters(client), **(params or {})}
    if client.deviations.no_login_hint:
        extra.pop("login_hint", None)
    asked, least = expected_max_age(extra), client.default_max_age
    if asked is not None and least is not None:
        # A page may ask for a younger login than the settings do, not an older one.
        extra["max_age"] = str(min(asked, least))
    if switch_account:
        # A prompt that the settings always send (Login.gov) is supported as well.
        prompts = str(extra.get("prompt", "")).split()
        choosing = client.deviations.no_prompt_login or (
            "select_account" in (*prompts, *metadata.prompt_values_supported)
        )
        # Added to the other prompts, so that a required new login stays required.
        prompts.append("select_account" if choosing else "login")
        extra["prompt"] = " ".join(dict.fromkeys(prompts))
    if forbidden := sorted(PROTECTED.intersection(extra)):
        raise ConfigurationError("config.auth_params", received=forbidden)
    return {**parameters, **extra}


def authorization_url(metadata: ServerMetadata, parameters: Parameters) -> str:
    """Where to send the browser. A query of the endpoint itself is kept."""
    endpoint = metadata.authorization_endpoint
    query = urlsplit(endpoint).query
    # RFC 6749 3.1 forbids repeated parameters, so the query may not have ours.
    if any(name in parameters for name, _ in parse_qsl(query, keep_blank_values=True)):
        raise InvalidProviderResponse(
            "discovery.insecure_endpoint", member="authorization_endpoint"
        )
    joint = "&" if query else "" if endpoint.endswith("?") else "?"
    # RFC 8707 2 makes an exception: `resource` is repeated for several resources.
    return endpoint + joint + urlencode(parameters, doseq=True)


def well_formed_response(params: Params) -> WellFormedResponse:
    """The response, if it is well-formed: callers read its state to find the attempt.

    Checks that no parameter is repeated (T40), that there is no token (T42), that the
    state uses our alphabet, and that there is either a code or an error (T41). Does not
    check whether this site made the state.
    """
    if isinstance(params, WellFormedResponse):
        return params  # checked once is enough
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
    return WellFormedResponse(params)


def parse_authorization_response(
    params: Params, *, expected_state: str, client: Client, metadata: ServerMetadata
) -> AuthorizationCode:
    """The code, if this is the provider's response to our request."""
    response = well_formed_response(params)
    if response.state != expected_state:
        raise InvalidCallback("callback.state_mismatch")
    received = dict(response)
    # RFC 9207 2.4: before looking at code or error.
    check_response_issuer(received, client=client, metadata=metadata)
    if "error" in received:
        raise _refusal(received)
    return AuthorizationCode(received["code"])


def _refusal(received: Mapping[str, str]) -> ProviderRefused | ProviderUnavailable:
    # T39: only known errors are told apart. The provider's text goes to the log only.
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

"""Optional request parameters, and what the ID token must then show (Core 3.1.2.1).

The settings name parameters for every login, a page of the site for one login, and a
URL only those that the settings allow (T17).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.http import Params
from oauth_login.protocol.strict_json import parse_json_object

MAX_VALUE = 255

Parameters = dict[str, str | tuple[str, ...]]

# The protocol itself sets these: neither settings nor URLs may.
PROTECTED = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope"),
        *("state", "nonce", "code_challenge", "code_challenge_method"),
        *("request", "request_uri", "registration", "client_secret", "dpop_jkt"),
        *("id_token_hint", "client_assertion", "client_assertion_type"),
    }
)
# A URL may not set these either: like the scope, the site decides which claims it
# requests and what the access token may be used for.
NOT_BY_URL = PROTECTED | {"claims", "resource", "authorization_details"}
# The ID token must prove these, so without an ID token they must not be requested.
ENFORCED = {"max_age", "acr_values", "claims"}
# OpenID Connect Core 3.1.2.1 without "none", and "create" of Prompt Create 1.0.
PROMPTS = {"login", "consent", "select_account", "create"}


def settings_parameters(client: Client) -> Parameters:
    """The settings' parameters for every login; ConfigurationError if not allowed."""
    parameters: Parameters = dict(client.authorization_params)
    if is_silent(parameters.get("prompt", "")):
        raise ConfigurationError("config.auth_params", received=["prompt"])
    if client.default_max_age is not None:
        parameters["max_age"] = str(client.default_max_age)
    if client.default_acr_values:
        parameters["acr_values"] = " ".join(client.default_acr_values)
    return parameters


def demanded_parameters(
    client: Client, parameters: Mapping[str, object]
) -> dict[str, str]:
    """Parameters that the provider requires although the site did not ask for them.

    The ID token is not checked for them.
    """
    if not client.deviations.acr_values_required or "acr_values" in parameters:
        return {}
    acr_values = expected_acr_values(parameters) or client.acr_order[:1]
    return {"acr_values": " ".join(acr_values)} if acr_values else {}


def url_parameters(
    client: Client, *, allowed: Collection[str], params: Params
) -> dict[str, str]:
    """The parameters that a URL may set for a login: `allowed` and no weaker (T17).

    The settings' own parameters for every login stay. A URL cannot request a silent
    login (T26); its `max_age` can only lower the settings' value, and its `acr_values`
    can only choose among the settings' values. Other values are ignored.
    """
    parameters = {}
    forbidden = NOT_BY_URL if client.is_openid else NOT_BY_URL | ENFORCED
    names = [name for name, _ in params]
    for name, value in params:
        if (
            name in allowed
            and name not in forbidden
            and name not in client.authorization_params
            and names.count(name) == 1
            and re.fullmatch(rf"[^\x00-\x1f\x7f-\x9f]{{1,{MAX_VALUE}}}", value)
            and _is_no_weaker(client, name, value)
        ):
            parameters[name] = value
    return parameters


def expected_max_age(parameters: Mapping[str, object]) -> int | None:
    """The request's `max_age` in seconds, or None if it has none."""
    value = parameters.get("max_age")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise ConfigurationError("config.auth_params", received="max_age")
    return int(str(value))


def expected_acr_values(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The authentication classes of which the ID token must show one; maybe none.

    They come from `acr_values`, or from an essential `acr` of the ID token in `claims`
    (Core 5.5.1.1); if the request has both, only the common classes count. The standard
    lets a provider ignore `acr_values`; we require them. ConfigurationError if no class
    could satisfy the request.
    """
    listed = tuple(str(parameters.get("acr_values", "")).split())
    essential = _essential_acr_values(parameters.get("claims"))
    if not listed or not essential:
        return listed or essential
    both = tuple(value for value in listed if value in essential)
    if not both:
        raise ConfigurationError(
            "config.auth_params", expected=essential, received=listed
        )
    return both


def meets_acr(
    received: object, expected: Collection[str], *, order: Sequence[str]
) -> bool:
    """Whether the received `acr` is an expected class, or a stronger one.

    `order` lists the provider's classes, the weakest first. A class outside `order` has
    no stronger one. If no class is expected, any `acr` or none is accepted.
    """
    if not expected:
        return True
    if not isinstance(received, str):
        return False
    weaker = order[: order.index(received)] if received in order else ()
    return received in expected or any(value in weaker for value in expected)


def check_acr_values(client: Client, acr_values: Sequence[str]) -> None:
    """ConfigurationError if a page asks for a weaker class than the settings (T152).

    The page's classes replace those of the settings in its request, and a login in one
    of them opens the whole site.
    """
    if not are_no_weaker(client, acr_values):
        expected = expected_acr_values(settings_parameters(client))
        raise ConfigurationError(
            "config.auth_params", expected=expected, received=tuple(acr_values)
        )


def are_no_weaker(client: Client, acr_values: Sequence[str]) -> bool:
    """Whether each class is one of the settings', or above one in `acr_order`."""
    known = expected_acr_values(settings_parameters(client))
    if not known:
        return True
    return bool(acr_values) and all(
        meets_acr(value, known, order=client.acr_order) for value in acr_values
    )


def is_silent(prompt: object) -> bool:
    """Whether a login with that prompt would show the person no page (T26)."""
    return "none" in str(prompt).split()


def _essential_acr_values(claims: object) -> tuple[str, ...]:
    if claims is None:
        return ()
    try:
        asked = parse_json_object(str(claims).encode()).get("id_token")
    except ValueError:
        raise ConfigurationError("config.auth_params", received="claims") from None
    acr = asked.get("acr") if isinstance(asked, dict) else None
    if not isinstance(acr, dict) or acr.get("essential") is not True:
        return ()
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    if not isinstance(values, list) or not all(
        isinstance(value, str) and value for value in values
    ):
        raise ConfigurationError("config.auth_params", received="claims")
    return tuple(values)


def _is_no_weaker(client: Client, name: str, value: str) -> bool:
    if name == "prompt":
        return PROMPTS.issuperset(value.split()) and bool(value.strip())
    if name == "acr_values":
        known = expected_acr_values(settings_parameters(client))
        return bool(value.split()) and (not known or set(value.split()) <= set(known))
    if name == "max_age":
        if not re.fullmatch(r"[0-9]{1,7}", value):
            return False
        return client.default_max_age is None or int(value) <= client.default_max_age
    return True

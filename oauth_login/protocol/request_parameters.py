"""What a login asks for beside the protocol, and what must then hold (Core 3.1.2.1).

The settings wish for every login, a page of the site for one, and a URL for as little
as the settings let it (T17).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.http import Params
from oauth_login.protocol.strict_json import parse_json_object

MAX_WISH = 255

Parameters = dict[str, str | tuple[str, ...]]

# What a request is made of: neither settings nor URLs may say these.
PROTECTED = frozenset(
    {
        *("response_type", "response_mode", "client_id", "redirect_uri", "scope"),
        *("state", "nonce", "code_challenge", "code_challenge_method"),
        *("request", "request_uri", "registration", "client_secret", "dpop_jkt"),
        *("id_token_hint", "client_assertion", "client_assertion_type"),
    }
)
# And no URL these: what is asked of the provider to say, and what the access token is
# good for, are the site's business as scopes are.
NOT_BY_URL = PROTECTED | {"claims", "resource", "authorization_details"}
# What is judged in the ID token, so that it must not be asked for where there is none.
ENFORCED = {"max_age", "acr_values", "claims"}
# OpenID Connect Core 3.1.2.1, and "create" of Prompt Create 1.0; "none" is missing.
PROMPTS = {"login", "consent", "select_account", "create"}


def wished_by_settings(client: Client) -> Parameters:
    """What the settings ask for in every login; ConfigurationError if they must not."""
    wished: Parameters = dict(client.authorization_params)
    if is_silent(wished.get("prompt", "")):
        raise ConfigurationError("config.auth_params", received=["prompt"])
    if client.default_max_age is not None:
        wished["max_age"] = str(client.default_max_age)
    if client.default_acr_values:
        wished["acr_values"] = " ".join(client.default_acr_values)
    return wished


def demanded_parameters(
    client: Client, parameters: Mapping[str, object]
) -> dict[str, str]:
    """What a request must have because the provider refuses one without it.

    Nothing that comes back is judged by it: nobody here asked for it.
    """
    if not client.deviations.acr_values_required or "acr_values" in parameters:
        return {}
    wished = expected_acr_values(parameters) or client.acr_order[:1]
    return {"acr_values": " ".join(wished)} if wished else {}


def url_parameters(
    client: Client, *, allowed: Collection[str], params: Params
) -> dict[str, str]:
    """What a URL of ours may wish for a login: of `allowed`, and never less safe (T17).

    What the settings ask for in every login stays. A silent login cannot be wished for
    (T26); `max_age` only lowers the settings' one, and `acr_values` only choose among
    theirs. What is not understood is left out.
    """
    wished = {}
    forbidden = NOT_BY_URL if client.is_openid else NOT_BY_URL | ENFORCED
    names = [name for name, _ in params]
    for name, value in params:
        if (
            name in allowed
            and name not in forbidden
            and name not in client.authorization_params
            and names.count(name) == 1
            and re.fullmatch(rf"[^\x00-\x1f\x7f-\x9f]{{1,{MAX_WISH}}}", value)
            and _is_no_weaker(client, name, value)
        ):
            wished[name] = value
    return wished


def expected_max_age(parameters: Mapping[str, object]) -> int | None:
    """How old the authentication may be, in seconds, if this request said so."""
    value = parameters.get("max_age")
    if value is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise ConfigurationError("config.auth_params", received="max_age")
    return int(str(value))


def expected_acr_values(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """The classes of which the authentication must be, if this request said so.

    By `acr_values`, by an essential `acr` of the ID token in `claims` (Core 5.5.1.1),
    or by both, and then it must be of both. The standard lets a provider ignore the
    first; we asked, and it counts. ConfigurationError if nothing could satisfy it.
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
    """Whether the `acr` that came is one that was asked for, or is stronger than one.

    `order` has the provider's classes, the weakest first. A class that is not in it is
    met by itself alone. If none was asked for, any `acr` will do, and so will none.
    """
    if not expected:
        return True
    if not isinstance(received, str):
        return False
    weaker = order[: order.index(received)] if received in order else ()
    return received in expected or any(value in weaker for value in expected)


def is_silent(prompt: object) -> bool:
    """Whether a login with that prompt would show nobody anything (T26)."""
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
        known = expected_acr_values(wished_by_settings(client))
        return bool(value.split()) and (not known or set(value.split()) <= set(known))
    if name == "max_age":
        if not re.fullmatch(r"[0-9]{1,7}", value):
            return False
        return client.default_max_age is None or int(value) <= client.default_max_age
    return True

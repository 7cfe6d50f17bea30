"""The parameters that every login sends to a provider, and those a URL may add."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from oauth_login.conf.validation import Section, is_text
from oauth_login.errors import ConfigurationError
from oauth_login.protocol.request_parameters import (
    NOT_BY_URL,
    PROTECTED,
    expected_acr_values,
    is_silent,
)

# RFC 6749 section 3.1 forbids repeated parameters; RFC 8707 section 2 makes an
# exception for `resource`.
_REPEATED = {"resource"}
# Parameters with a key of their own, which also checks the answer.
_OWN_KEYS = {"max_age": "MAX_AGE", "acr_values": "ACR_VALUES"}


def read_auth_params(
    section: Section, *, acr_values: tuple[str, ...]
) -> Mapping[str, str | tuple[str, ...]]:
    """AUTH_PARAMS: parameters for every authorization request (T17).

    A list of texts repeats the parameter (`resource`, RFC 8707). A dict (`claims`) and
    a list of dicts (`authorization_details`, RFC 9396) are sent as JSON. `acr_values`
    are those of ACR_VALUES: an `acr` in `claims` must be one of them.
    """
    params = {}
    where = f"{section.where}['AUTH_PARAMS']"
    for name, value in section.of_type("AUTH_PARAMS", dict, default={}).items():
        if name in PROTECTED:
            text = f"{where} cannot set {name!r}: it is part of the protocol."
            section.problem("E026", text)
        elif name in _OWN_KEYS:
            text = f"{where} cannot set {name!r}: use {_OWN_KEYS[name]}."
            section.problem("E026", text)
        elif not is_text(name) or not name or (sent := _sent(value)) is None:
            text = f"{where}[{name!r}] must be a string, a list of strings, or JSON."
            section.problem("E026", text)
        elif isinstance(sent, tuple) and name not in _REPEATED:
            text = f"{where}[{name!r}] cannot be a list: it would be sent twice."
            section.problem("E026", text, "Only 'resource' may be repeated.")
        elif name == "prompt" and is_silent(sent):
            # T26: the provider would never show its login page.
            section.problem("E026", f"{where} cannot set prompt to 'none'.")
        else:
            params[name] = sent
    try:
        expected_acr_values({**params, "acr_values": " ".join(acr_values)})
    except ConfigurationError:
        text = (
            f"{where}['claims'] must be JSON, and its 'acr' must be one of ACR_VALUES."
        )
        section.problem("E026", text)
    return params


def read_url_params(section: Section) -> tuple[str, ...]:
    """URL_PARAMS: parameters that a link to the login page may set (T17)."""
    names = section.strings("URL_PARAMS")
    if forbidden := sorted(NOT_BY_URL.intersection(names)):
        text = f"{section.where}['URL_PARAMS'] cannot contain {', '.join(forbidden)}."
        section.problem("E026", text)
    return names


def read_max_age(section: Section) -> int | None:
    """MAX_AGE: seconds since the person authenticated; None for any time."""
    if section.value("MAX_AGE") is None:
        return None
    return section.number("MAX_AGE", 0, 365 * 86400)


def read_acr_values(section: Section) -> tuple[str, ...]:
    """ACR_VALUES: authentication classes, one of which is required."""
    return _acr_list(section, "ACR_VALUES")


def read_acr_order(section: Section) -> tuple[str, ...]:
    """ACR_ORDER: the provider's authentication classes, weakest first."""
    values = _acr_list(section, "ACR_ORDER")
    if len(set(values)) != len(values):
        # T27: a class that stands twice would be stronger than itself.
        text = f"{section.where}['ACR_ORDER'] has a value more than once."
        section.problem("E003", text)
    return values


def _acr_list(section: Section, key: str) -> tuple[str, ...]:
    values = section.strings(key)
    if any(re.search(r"\s", value) for value in values):
        text = f"{section.where}[{key!r}] must be a list with one value per item."
        section.problem("E003", text)
    return values


def _sent(value: object) -> str | tuple[str, ...] | None:
    if is_text(value):
        return str(value)
    if isinstance(value, list | tuple) and value:
        if all(is_text(item) for item in value):
            return tuple(map(str, value))
        if not all(isinstance(item, Mapping) for item in value):
            return None
    elif not isinstance(value, Mapping):
        return None
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return None

"""What an entry of PROVIDERS asks for in every login, and what a URL may add."""

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

# RFC 6749 3.1 has no parameter twice, RFC 8707 2 this one.
_REPEATED = {"resource"}
# They have keys of their own, which are enforced in what comes back.
_OWN_KEYS = {"max_age": "MAX_AGE", "acr_values": "ACR_VALUES"}


def read_auth_params(
    section: Section, *, acr_values: tuple[str, ...]
) -> Mapping[str, str | tuple[str, ...]]:
    """Parameters for every authorization request (T17).

    A list is a parameter that is repeated (`resource`, RFC 8707), a dict is sent as
    JSON (`claims`), and so is a list of dicts (`authorization_details`, RFC 9396).
    `acr_values` are those of the settings: `claims` may ask for an `acr`, too.
    """
    wished = {}
    where = f"{section.where}['AUTH_PARAMS']"
    for name, value in section.of_type("AUTH_PARAMS", dict, default={}).items():
        if name in PROTECTED:
            text = f"{where} cannot set {name!r}: it is part of the protocol."
            section.problem("E026", text)
        elif name in _OWN_KEYS:
            text = f"{where} cannot set {name!r}: use {_OWN_KEYS[name]}."
            section.problem("E026", text)
        elif not is_text(name) or not name or (sent := _sent(value)) is None:
            text = f"{where}[{name!r}] must be text, a list of texts, or JSON."
            section.problem("E026", text)
        elif isinstance(sent, tuple) and name not in _REPEATED:
            text = f"{where}[{name!r}] cannot be a list: it would be sent twice."
            section.problem("E026", text, "Only 'resource' may be repeated.")
        elif name == "prompt" and is_silent(sent):
            # T26: nobody would ever see the provider.
            section.problem("E026", f"{where} cannot set prompt to 'none'.")
        else:
            wished[name] = sent
    try:
        expected_acr_values({**wished, "acr_values": " ".join(acr_values)})
    except ConfigurationError:
        text = f"{where}['claims'] must be JSON, and its 'acr' one of ACR_VALUES."
        section.problem("E026", text)
    return wished


def read_url_params(section: Section) -> tuple[str, ...]:
    """Parameters that a link to our login may carry (T17)."""
    names = section.strings("URL_PARAMS")
    if forbidden := sorted(NOT_BY_URL.intersection(names)):
        text = f"{section.where}['URL_PARAMS'] cannot contain {', '.join(forbidden)}."
        section.problem("E026", text)
    return names


def read_max_age(section: Section) -> int | None:
    """Seconds since the person authenticated; None: whenever that was."""
    if section.value("MAX_AGE") is None:
        return None
    return section.number("MAX_AGE", 0, 365 * 86400)


def read_acr_values(section: Section) -> tuple[str, ...]:
    """Classes of authentication, of which one is required."""
    return _acr_list(section, "ACR_VALUES")


def read_acr_order(section: Section) -> tuple[str, ...]:
    """The provider's classes of authentication, the weakest first."""
    values = _acr_list(section, "ACR_ORDER")
    if len(set(values)) != len(values):
        # T27: a class in two places would be stronger than itself.
        text = f"{section.where}['ACR_ORDER'] has a value more than once."
        section.problem("E003", text)
    return values


def _acr_list(section: Section, key: str) -> tuple[str, ...]:
    values = section.strings(key)
    if any(re.search(r"\s", value) for value in values):
        text = f"{section.where}[{key!r}] is a list: one value each."
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

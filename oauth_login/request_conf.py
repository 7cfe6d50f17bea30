"""What an entry of PROVIDERS asks for in every login, and what a URL may add."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from oauth_login.protocol.authorization import PROTECTED
from oauth_login.section import Section, is_text

# They have keys of their own, which are enforced in what comes back.
_OWN_KEYS = {"max_age": "MAX_AGE", "acr_values": "ACR_VALUES"}


def read_auth_params(section: Section) -> Mapping[str, str | tuple[str, ...]]:
    """Parameters for every authorization request (T17).

    A list is a parameter that is repeated (`resource`, RFC 8707), a dict is sent as
    JSON (`claims`), and so is a list of dicts (`authorization_details`, RFC 9396).
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
        elif name == "prompt" and "none" in _words(value):
            # T26: nobody would ever see the provider.
            section.problem("E026", f"{where} cannot set prompt to 'none'.")
        elif not isinstance(name, str) or (sent := _sent(value)) is None:
            text = f"{where}[{name!r}] must be text, a list of texts, or JSON."
            section.problem("E026", text)
        else:
            wished[name] = sent
    return wished


def read_url_params(section: Section) -> tuple[str, ...]:
    """Parameters that a link to our login may carry (T17)."""
    names = section.strings("URL_PARAMS")
    if forbidden := sorted(PROTECTED.intersection(names)):
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
    values = section.strings("ACR_VALUES")
    if any(re.search(r"\s", value) for value in values):
        text = f"{section.where}['ACR_VALUES'] is a list: one value each."
        section.problem("E003", text)
    return values


def _words(value: object) -> list[str]:
    texts = value if isinstance(value, list | tuple) else [value]
    return [word for text in texts for word in str(text).split()]


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
        return json.dumps(value, separators=(",", ":"))
    except (TypeError, ValueError):
        return None

"""One thing that a provider does differently, and what such things are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oauth_login.testing.answer import Answer
from oauth_login.testing.keys import SigningKey

Document = dict[str, Any]
Change = Callable[[Document], Document]
# What a fault can change: a document, what the browser brings back, the header or the
# claims of the ID token, or the header of userinfo where that is signed; and the header
# of either where it is encrypted.
Place = Literal[
    "discovery",
    "jwks",
    "callback",
    "token",
    "header",
    "claims",
    "userinfo",
    "userinfo_header",
    "encryption",
    "userinfo_encryption",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the provider does wrong.

    `code` is the error that a login ends with; None if it must succeed all the same.
    `answers`, `slow` and `hangs_up` are about whole documents, `tokens` about signed
    ones, by the place of their headers. With `hides_claims` the claims are at userinfo
    alone, so that somebody asks for it. `signing_key` is the key that signs in place
    of the provider's.
    """

    code: str | None
    changes: Mapping[Place, Change] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    slow: str = ""
    hangs_up: str = ""
    tokens: Mapping[Place, Callable[[str], str]] = field(default_factory=dict)
    signing_key: Callable[[SigningKey], SigningKey] | None = None
    rotates_key: bool = False
    rotates_key_when_signing: bool = False
    hides_claims: bool = False
    signs_userinfo: bool = False


def with_members(**changes: Any) -> Change:
    """Members set; one that is set to `...` is removed."""

    def change(document: Document) -> Document:
        changed = {**document, **changes}
        return {name: value for name, value in changed.items() if value is not ...}

    return change


def from_iat(name: str, seconds: float) -> Change:
    return lambda claims: {**claims, name: claims["iat"] + seconds}


def expired(claims: Document) -> Document:
    return {**claims, "iat": claims["iat"] - 300, "exp": claims["iat"] - 61}


def twice(name: str) -> Change:
    return lambda response: {**response, name: [response[name]] * 2}


def other_kids(document: Document) -> Document:
    return {"keys": [{**key, "kid": "another"} for key in document["keys"]]}


def slash_behind(name: str) -> Change:
    """Another string, and to many a comparison the same URL."""
    return lambda document: {**document, name: document[name] + "/"}


def second_audience(claims: Document) -> Document:
    return {**claims, "aud": [claims["aud"], "another-client"]}


def announces_hs256(metadata: Document) -> Document:
    name = "id_token_signing_alg_values_supported"
    return {**metadata, name: [*metadata[name], "HS256"]}


def without_signature(token: str) -> str:
    """As RFC 7519 6.1 has it for `alg: none`: nothing behind the last dot."""
    return token.rpartition(".")[0] + "."

"""What a fault is, and the changes that faults are built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oauth_login.testing.answer import Answer
from oauth_login.testing.keys import SigningKey

Document = dict[str, Any]
Change = Callable[[Document], Document]
# What a fault can change: a document, the callback's parameters, the header or claims
# of the ID token, the header of signed userinfo, and the header of either token when it
# is encrypted.
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

    `code` is the error that a login must end with; None if the login must succeed.
    `answers`, `slow` and `hangs_up` replace whole documents, `tokens` changes signed
    ones, by the place of their headers. With `hides_claims`, claims are only at
    userinfo, so that a client requests it. `signing_key` returns the key that signs in
    place of the provider's.
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
    """Set members; a member set to `...` is removed."""

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
    """A different string that a careless comparison takes for the same URL."""
    return lambda document: {**document, name: document[name] + "/"}


def second_audience(claims: Document) -> Document:
    return {**claims, "aud": [claims["aud"], "another-client"]}


def announces_hs256(metadata: Document) -> Document:
    name = "id_token_signing_alg_values_supported"
    return {**metadata, name: [*metadata[name], "HS256"]}


def without_signature(token: str) -> str:
    """RFC 7519 section 6.1, `alg: none`: nothing after the last dot."""
    return token.rpartition(".")[0] + "."

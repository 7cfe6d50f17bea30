"""What a provider can do wrong, by name.

Where one of our error codes says what happens, the fault has its name, and that code
is what a login ends with.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Change = Callable[[Document], Document]


def same(document: Document) -> Document:
    """No change."""
    return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint answers, whatever it was asked."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes = b"{}"
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Changes to what the provider says, at one or more places.

    `code` is the error that a login ends with; None if it must succeed all the same.
    """

    code: str | None
    discovery: Change = same
    jwks: Change = same
    callback: Change = same
    token: Change = same
    header: Change = same
    claims: Change = same
    userinfo: Change = same
    answers: Mapping[str, Answer] | None = None
    slow: str = ""
    flips_signature: bool = False
    rotates_key: bool = False
    claims_at_userinfo: bool = False


def find_fault(name: str) -> Fault:
    """The fault of that name; KeyError with a suggestion if there is none."""
    name = ALIASES.get(name, name)
    if name not in FAULTS:
        close = difflib.get_close_matches(name, [*FAULTS, *ALIASES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise KeyError(f"no fault {name!r}{hint}")
    return FAULTS[name]


def _with(**changes: Any) -> Change:
    """Members set; one that is set to `...` is removed."""

    def change(document: Document) -> Document:
        changed = {**document, **changes}
        return {name: value for name, value in changed.items() if value is not ...}

    return change


def _plus(name: str, seconds: float) -> Change:
    return lambda document: {**document, name: document[name] + seconds}


FAULTS: dict[str, Fault] = {}

# What can go wrong with any of the four documents.
for _document in ("discovery", "jwks", "token", "userinfo"):
    for _cause, _answer in {
        "status": Answer(status=503),
        "unexpected_status": Answer(status=302, headers={"Location": "/elsewhere"}),
        "too_large": Answer(body=b'{"a": "' + b"a" * 256 * 1024 + b'"}'),
        "content_encoding": Answer(headers={"Content-Encoding": "gzip"}),
        "content_type": Answer(content_type="text/html", body=b"<h1>Log in</h1>"),
        "not_json": Answer(body=b'{"a": 1, "a": 2}'),
    }.items():
        FAULTS[f"{_document}.{_cause}"] = Fault(
            # A login can do without userinfo; it only learns less.
            code=None if _document == "userinfo" else f"{_document}.{_cause}",
            answers={_document: _answer},
            claims_at_userinfo=_document == "userinfo",
        )


def _add(place: str, changes: Mapping[str, Change]) -> None:
    for code, change in changes.items():
        FAULTS[code] = Fault(
            code=code,
            claims_at_userinfo=place == "userinfo",
            **{place: change},  # type: ignore[arg-type] # a place is a field's name
        )


_add(
    "discovery",
    {
        "discovery.issuer_mismatch": _with(issuer="https://evil.example.com"),
        "discovery.invalid_member": _with(authorization_endpoint=...),
        "discovery.insecure_endpoint": _with(token_endpoint="http://id.example.com/t"),
        "config.signing_algs": _with(id_token_signing_alg_values_supported=["none"]),
        "config.client_auth": _with(
            token_endpoint_auth_methods_supported=["private_key_jwt"]
        ),
    },
)
_add(
    "jwks",
    {
        "jwks.malformed": _with(keys=...),
        "jwks.no_usable_key": _with(keys=[]),
        "id_token.key_not_found": lambda document: {
            "keys": [{**key, "kid": "another"} for key in document["keys"]]
        },
    },
)
_add(
    "callback",
    {
        "authorization.refused": _with(code=..., error="access_denied"),
        "authorization.interaction_required": _with(code=..., error="login_required"),
        "authorization.unavailable": _with(code=..., error="temporarily_unavailable"),
        "authorization.error": _with(code=..., error="invalid_scope"),
        "callback.iss_mismatch": _with(iss="https://evil.example.com"),
        "callback.iss_missing": _with(iss=...),
        "callback.malformed": _with(error="access_denied"),
        "callback.token_in_response": _with(id_token="e30.e30.e30"),
        "callback.state_missing": _with(state=...),
        "callback.state_unknown": _with(state="A" * 120),
    },
)
_add(
    "token",
    {
        "token.invalid_member": _with(access_token=17),
        "token.token_type": _with(token_type="mac"),
        "token.id_token_missing": _with(id_token=...),
        "token.error": _with(error="invalid_request"),
        "token.refused": _with(error="invalid_grant"),
        "config.client_refused": _with(error="invalid_client"),
        "id_token.malformed": _with(id_token="e30.e30"),
        "id_token.encrypted": _with(id_token="e30.e30.e30.e30.e30"),
        "id_token.too_large": _with(id_token="e30." + "a" * 65536 + ".e30"),
        "id_token.not_json": _with(id_token="e30x.e30.e30"),
    },
)
_add(
    "header",
    {
        "id_token.alg_not_allowed": _with(alg="none"),
        "id_token.typ": _with(typ="at+jwt"),
        "id_token.crit": _with(crit=["b64"]),
    },
)
_add(
    "claims",
    {
        "id_token.iss_mismatch": _with(iss="https://evil.example.com"),
        "id_token.aud_mismatch": _with(aud="another-client"),
        "id_token.azp_mismatch": _with(azp="another-client"),
        "id_token.sub_invalid": _with(sub=""),
        "id_token.exp_invalid": _with(exp="tomorrow"),
        "id_token.expired": lambda c: {
            **c,
            "exp": c["iat"] - 61,
            "iat": c["iat"] - 300,
        },
        "id_token.iat_invalid": _with(iat=...),
        "id_token.iat_future": _plus("iat", 120),
        "id_token.iat_too_old": _plus("iat", -1000),
        "id_token.nbf_invalid": _with(nbf="now"),
        "id_token.nbf_future": lambda c: {**c, "nbf": c["iat"] + 120},
        "id_token.nonce_missing": _with(nonce=...),
        "id_token.nonce_mismatch": _with(nonce="another-nonce"),
        "id_token.at_hash_mismatch": _with(at_hash="AAAA"),
        "id_token.c_hash_mismatch": _with(c_hash="AAAA"),
    },
)
_add(
    "userinfo",
    {
        "userinfo.sub_missing": _with(sub=...),
        "userinfo.sub_mismatch": _with(sub="somebody-else"),
    },
)
FAULTS["userinfo.refused"] = Fault(
    code=None,
    answers={"userinfo": Answer(status=401)},
    claims_at_userinfo=True,
)
FAULTS["id_token.signature"] = Fault(code="id_token.signature", flips_signature=True)
FAULTS["transport.timeout"] = Fault(code="transport.timeout", slow="token")
FAULTS["rotated_key"] = Fault(code=None, rotates_key=True)

# Shorter names for the faults that everybody tries first.
ALIASES = {
    "wrong_nonce": "id_token.nonce_mismatch",
    "expired": "id_token.expired",
    "alg_none": "id_token.alg_not_allowed",
    "bad_aud": "id_token.aud_mismatch",
    "bad_iss": "id_token.iss_mismatch",
    "bad_signature": "id_token.signature",
    "jwks_500": "jwks.status",
    "slow": "transport.timeout",
    "denied": "authorization.refused",
}

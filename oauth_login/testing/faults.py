"""What a provider can do wrong, by name.

Where one of our error codes says what happens, the fault has its name, and that code
is what a login ends with.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oauth_login.testing.answer import Answer

Document = dict[str, Any]
Change = Callable[[Document], Document]
# What a fault can change: a document, what the browser brings back, the header or the
# claims of the ID token, or the header of userinfo where that is signed.
Place = Literal[
    "discovery",
    "jwks",
    "callback",
    "token",
    "header",
    "claims",
    "userinfo",
    "userinfo_header",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the provider does wrong.

    `code` is the error that a login ends with; None if it must succeed all the same.
    `answers`, `slow` and `hangs_up` are about whole documents. With `hides_claims`
    the claims are at userinfo alone, so that somebody asks for it.
    """

    code: str | None
    changes: Mapping[Place, Change] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    slow: str = ""
    hangs_up: str = ""
    breaks_signature: Place | None = None
    rotates_key: bool = False
    hides_claims: bool = False
    signs_userinfo: bool = False


def find_fault(name: str) -> Fault:
    """The fault of that name; LookupError with a suggestion if there is none."""
    name = ALIASES.get(name, name)
    if name not in FAULTS:
        close = difflib.get_close_matches(name, [*FAULTS, *ALIASES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"there is no fault {name!r}{hint}")
    return FAULTS[name]


def _with(**changes: Any) -> Change:
    """Members set; one that is set to `...` is removed."""

    def change(document: Document) -> Document:
        changed = {**document, **changes}
        return {name: value for name, value in changed.items() if value is not ...}

    return change


def _from_iat(name: str, seconds: float) -> Change:
    return lambda claims: {**claims, name: claims["iat"] + seconds}


def _expired(claims: Document) -> Document:
    return {**claims, "iat": claims["iat"] - 300, "exp": claims["iat"] - 61}


def _twice(name: str) -> Change:
    return lambda response: {**response, name: [response[name]] * 2}


def _other_kids(document: Document) -> Document:
    return {"keys": [{**key, "kid": "another"} for key in document["keys"]]}


# --- documents that cannot be had, or cannot be read


def _answer(
    content_type: str = "application/json",
    *,
    status: int = 200,
    body: bytes = b"{}",
    **headers: str,
) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": content_type, **names}, body)


UNREADABLE = {
    "status": _answer(status=503),
    "unexpected_status": _answer(status=302, Location="/elsewhere"),
    "too_large": _answer(body=json.dumps("a" * 256 * 1024).encode()),
    "content_encoding": _answer(Content_Encoding="gzip"),
    "content_type": _answer("text/html", body=b"<h1>Log in</h1>"),
    "not_json": _answer(body=b'{"a": 1, "a": 2}'),
}
FAULTS: dict[str, Fault] = {
    f"{document}.{cause}": Fault(code=f"{document}.{cause}", answers={document: answer})
    for document in ("discovery", "jwks", "token")
    for cause, answer in UNREADABLE.items()
}
# A login can do without userinfo; it only learns less.
for _cause, _unreadable in {**UNREADABLE, "refused": _answer(status=401)}.items():
    FAULTS[f"userinfo.{_cause}"] = Fault(
        code=None, answers={"userinfo": _unreadable}, hides_claims=True
    )

# --- documents that say something wrong

WRONG: Mapping[Place, Mapping[str, Change]] = {
    "discovery": {
        "discovery.issuer_mismatch": _with(issuer="https://evil.example.com"),
        "discovery.invalid_member": _with(authorization_endpoint=...),
        "discovery.insecure_endpoint": _with(token_endpoint="http://id.example.com/t"),
        "config.signing_algs": _with(id_token_signing_alg_values_supported=["none"]),
        "config.client_auth": _with(
            token_endpoint_auth_methods_supported=["private_key_jwt"]
        ),
    },
    "jwks": {
        "jwks.malformed": _with(keys=...),
        "jwks.no_usable_key": _with(keys=[]),
        "id_token.key_not_found": _other_kids,
    },
    "callback": {
        "authorization.refused": _with(code=..., error="access_denied"),
        "authorization.interaction_required": _with(code=..., error="login_required"),
        "authorization.unavailable": _with(code=..., error="temporarily_unavailable"),
        "authorization.error": _with(code=..., error="invalid_scope"),
        "callback.iss_mismatch": _with(iss="https://evil.example.com"),
        "callback.iss_missing": _with(iss=...),
        "callback.malformed": _with(error="access_denied"),
        "callback.duplicate_parameter": _twice("code"),
        "callback.token_in_response": _with(id_token="e30.e30.e30"),
        "callback.state_missing": _with(state=...),
        "callback.state_unknown": _with(state="A" * 120),
    },
    "token": {
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
    "header": {
        "id_token.alg_not_allowed": _with(alg="none"),
        "id_token.typ": _with(typ="at+jwt"),
        "id_token.crit": _with(crit=["b64"]),
    },
    "claims": {
        "id_token.iss_mismatch": _with(iss="https://evil.example.com"),
        "id_token.aud_mismatch": _with(aud="another-client"),
        "id_token.azp_mismatch": _with(azp="another-client"),
        "id_token.sub_invalid": _with(sub=""),
        "id_token.exp_invalid": _with(exp="tomorrow"),
        "id_token.expired": _expired,
        "id_token.iat_invalid": _with(iat=...),
        "id_token.iat_future": _from_iat("iat", 120),
        "id_token.iat_too_old": _from_iat("iat", -1000),
        "id_token.nbf_invalid": _with(nbf="now"),
        "id_token.nbf_future": _from_iat("nbf", 120),
        "id_token.nonce_missing": _with(nonce=...),
        "id_token.nonce_mismatch": _with(nonce="another-nonce"),
        "id_token.at_hash_mismatch": _with(at_hash="AAAA"),
        "id_token.c_hash_mismatch": _with(c_hash="AAAA"),
    },
    "userinfo": {
        "userinfo.sub_missing": _with(sub=...),
        "userinfo.sub_mismatch": _with(sub="somebody-else"),
    },
}
for _place, _changes in WRONG.items():
    for _code, _change in _changes.items():
        FAULTS[_code] = Fault(
            code=_code, changes={_place: _change}, hides_claims=_place == "userinfo"
        )

# --- userinfo that is signed, and wrong

SIGNED: Mapping[Place, Mapping[str, Change]] = {
    "userinfo_header": {
        "userinfo.alg_not_allowed": _with(alg="none"),
        "userinfo.typ": _with(typ="at+jwt"),
        "userinfo.crit": _with(crit=["b64"]),
        "userinfo.key_not_found": _with(kid="another"),
    },
    "userinfo": {
        "userinfo.iss_mismatch": _with(iss="https://evil.example.com"),
        "userinfo.aud_mismatch": _with(aud="another-client"),
    },
}
for _place, _changes in SIGNED.items():
    for _code, _change in _changes.items():
        FAULTS[_code] = Fault(
            code=_code,
            changes={_place: _change},
            hides_claims=True,
            signs_userinfo=True,
        )
for _code, _body in {
    "userinfo.malformed": b"e30.e30",
    "userinfo.encrypted": b"e30.e30.e30.e30.e30",
}.items():
    FAULTS[_code] = Fault(
        code=_code,
        answers={"userinfo": _answer("application/jwt", body=_body)},
        hides_claims=True,
    )
FAULTS["userinfo.signature"] = Fault(
    code="userinfo.signature",
    breaks_signature="userinfo_header",
    hides_claims=True,
    signs_userinfo=True,
)

# --- what is no document's fault

FAULTS["id_token.signature"] = Fault(
    code="id_token.signature", breaks_signature="header"
)
FAULTS["transport.timeout"] = Fault(code="transport.timeout", slow="token")
FAULTS["transport.connection"] = Fault(code="transport.connection", hangs_up="token")
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

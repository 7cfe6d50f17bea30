"""The faults of the test provider, by name.

A fault is named after the error code that the login must end with. Further faults with
the same code have a suffix: "id_token.aud_mismatch/missing". Behaviour that a login
must tolerate has its own names (tolerated.py).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

from oauth_login.testing.answer import Answer
from oauth_login.testing.faults.fault import (
    Change,
    Fault,
    Place,
    announces_hs256,
    expired,
    from_iat,
    other_kids,
    second_audience,
    slash_behind,
    twice,
    with_members,
    without_signature,
)
from oauth_login.testing.faults.tolerated import FOR_ENCRYPTION, TOLERATED
from oauth_login.testing.keys import SigningKey, with_flipped_bit


def find_fault(name: str) -> Fault:
    """The fault called `name`; LookupError with a suggestion if there is none."""
    name = ALIASES.get(name, name)
    if name not in FAULTS:
        close = difflib.get_close_matches(name, [*FAULTS, *ALIASES], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise LookupError(f"there is no fault {name!r}{hint}")
    return FAULTS[name]


# --- documents that are unavailable or unreadable


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
# A login succeeds without userinfo, with fewer claims.
for _cause, _unreadable in {**UNREADABLE, "refused": _answer(status=401)}.items():
    FAULTS[f"userinfo.{_cause}"] = Fault(
        code=None, answers={"userinfo": _unreadable}, hides_claims=True
    )

# So it does without an access token to ask userinfo with.
FAULTS["token.access_token_missing"] = Fault(
    code=None,
    changes={
        "token": with_members(access_token=...),
        "claims": with_members(at_hash=...),
    },
    hides_claims=True,
)

# --- documents with wrong content

WRONG: Mapping[Place, Mapping[str, Change]] = {
    "discovery": {
        "discovery.issuer_mismatch": with_members(issuer="https://evil.example.com"),
        "discovery.invalid_member": with_members(authorization_endpoint=...),
        "discovery.insecure_endpoint": with_members(
            token_endpoint="http://id.example.com/t"
        ),
        "config.signing_algs": with_members(
            id_token_signing_alg_values_supported=["none"]
        ),
        "config.client_auth": with_members(
            token_endpoint_auth_methods_supported=["private_key_jwt"]
        ),
    },
    "jwks": {
        "jwks.malformed": with_members(keys=...),
        "jwks.no_usable_key": with_members(keys=[]),
        "jwks.no_usable_key/encryption": with_members(keys=[FOR_ENCRYPTION]),
        "id_token.key_not_found": other_kids,
    },
    "callback": {
        "authorization.refused": with_members(code=..., error="access_denied"),
        "authorization.interaction_required": with_members(
            code=..., error="login_required"
        ),
        "authorization.unavailable": with_members(
            code=..., error="temporarily_unavailable"
        ),
        "authorization.error": with_members(code=..., error="invalid_scope"),
        "callback.iss_mismatch": with_members(iss="https://evil.example.com"),
        "callback.iss_mismatch/error": with_members(
            code=..., error="access_denied", iss="https://evil.example.com"
        ),
        "callback.iss_mismatch/slash": slash_behind("iss"),
        "callback.iss_missing": with_members(iss=...),
        "callback.malformed": with_members(error="access_denied"),
        "callback.malformed/nothing": with_members(code=...),
        "callback.duplicate_parameter": twice("code"),
        "callback.token_in_response": with_members(id_token="e30.e30.e30"),
        "callback.duplicate_parameter/state": twice("state"),
        "callback.state_missing": with_members(state=...),
        "callback.state_missing/error": with_members(
            code=..., error="access_denied", state=...
        ),
        "callback.state_unknown": with_members(state="A" * 120),
        "callback.state_unknown/error": with_members(
            code=..., error="access_denied", state="A" * 120
        ),
    },
    "token": {
        "token.invalid_member": with_members(access_token=17),
        "token.token_type": with_members(token_type="mac"),
        "token.id_token_missing": with_members(id_token=...),
        "token.error": with_members(error="invalid_request"),
        "token.refused": with_members(error="invalid_grant"),
        "config.client_refused": with_members(error="invalid_client"),
        "id_token.malformed": with_members(id_token="e30.e30"),
        "id_token.encrypted": with_members(id_token="e30.e30.e30.e30.e30"),
        # Where the site has DECRYPTION_KEYS, and the provider encrypts to one of them.
        "id_token.not_encrypted": with_members(id_token="e30.e30.e30"),
        "id_token.too_large": with_members(id_token="e30." + "a" * 65536 + ".e30"),
        "id_token.not_json": with_members(id_token="e30x.e30.e30"),
    },
    "header": {
        "id_token.alg_not_allowed": with_members(alg="none"),
        "id_token.typ": with_members(typ="at+jwt"),
        "id_token.crit": with_members(crit=["b64"]),
    },
    "claims": {
        "id_token.iss_mismatch": with_members(iss="https://evil.example.com"),
        "id_token.iss_mismatch/missing": with_members(iss=...),
        "id_token.iss_mismatch/slash": slash_behind("iss"),
        "id_token.aud_mismatch": with_members(aud="another-client"),
        "id_token.aud_mismatch/missing": with_members(aud=...),
        "id_token.aud_mismatch/empty": with_members(aud=[]),
        "id_token.azp_mismatch": with_members(azp="another-client"),
        "id_token.azp_mismatch/second_audience": second_audience,
        "id_token.sub_invalid": with_members(sub=""),
        "id_token.sub_invalid/missing": with_members(sub=...),
        "id_token.exp_invalid": with_members(exp="tomorrow"),
        "id_token.exp_invalid/missing": with_members(exp=...),
        "id_token.expired": expired,
        "id_token.expired/minutes_ago": from_iat("exp", -301),
        "id_token.iat_invalid": with_members(iat=...),
        "id_token.iat_future": from_iat("iat", 120),
        "id_token.iat_too_old": from_iat("iat", -1000),
        "id_token.iat_too_old/a_week": from_iat("iat", -7 * 86400),
        "id_token.nbf_invalid": with_members(nbf="now"),
        "id_token.nbf_future": from_iat("nbf", 120),
        "id_token.nonce_missing": with_members(nonce=...),
        "id_token.nonce_mismatch": with_members(nonce="another-nonce"),
        "id_token.at_hash_mismatch": with_members(at_hash="AAAA"),
        "id_token.c_hash_mismatch": with_members(c_hash="AAAA"),
        # For sites that request them: ACR_VALUES, MAX_AGE.
        "id_token.acr_mismatch": with_members(acr="0"),
        "id_token.acr_mismatch/missing": with_members(acr=...),
        "id_token.auth_time_invalid": with_members(auth_time="just now"),
        "id_token.auth_time_invalid/missing": with_members(auth_time=...),
        "id_token.auth_time_invalid/future": from_iat("auth_time", 120),
        "id_token.auth_time_too_old": from_iat("auth_time", -30 * 86400),
    },
    "userinfo": {
        "userinfo.sub_missing": with_members(sub=...),
        "userinfo.sub_mismatch": with_members(sub="somebody-else"),
    },
}
for _place, _changes in WRONG.items():
    for _name, _change in _changes.items():
        FAULTS[_name] = Fault(
            code=_name.partition("/")[0],
            changes={_place: _change},
            hides_claims=_place == "userinfo",
        )

# --- signed userinfo with an error

SIGNED: Mapping[Place, Mapping[str, Change]] = {
    "userinfo_header": {
        "userinfo.alg_not_allowed": with_members(alg="none"),
        "userinfo.typ": with_members(typ="at+jwt"),
        "userinfo.crit": with_members(crit=["b64"]),
        "userinfo.key_not_found": with_members(kid="another"),
    },
    "userinfo": {
        "userinfo.iss_mismatch": with_members(iss="https://evil.example.com"),
        "userinfo.aud_mismatch": with_members(aud="another-client"),
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
    tokens={"userinfo_header": with_flipped_bit},
    hides_claims=True,
    signs_userinfo=True,
)

# --- encrypted tokens with an error

ENCRYPTED: Mapping[str, tuple[Place, Place]] = {
    "id_token": ("header", "encryption"),
    "userinfo": ("userinfo_header", "userinfo_encryption"),
}
for _document, (_header, _wraps) in ENCRYPTED.items():
    _at_userinfo = _document == "userinfo"
    for _cause, _change in {
        "encryption_alg": with_members(alg="RSA1_5"),
        "compressed": with_members(zip="DEF"),
        "not_decrypted": with_members(kid="another"),
    }.items():
        FAULTS[f"{_document}.{_cause}"] = Fault(
            code=f"{_document}.{_cause}",
            changes={_wraps: _change},
            hides_claims=_at_userinfo,
            signs_userinfo=_at_userinfo,
        )
    FAULTS[f"{_document}.not_signed"] = Fault(
        code=f"{_document}.not_signed",
        tokens={_header: without_signature},
        hides_claims=_at_userinfo,
        signs_userinfo=_at_userinfo,
    )

# --- signatures and connections

FAULTS["id_token.signature"] = Fault(
    code="id_token.signature", tokens={"header": with_flipped_bit}
)
# With `none` as the standard defines it, the signature is empty: malformed for us.
FAULTS["id_token.malformed/alg_none"] = Fault(
    code="id_token.malformed",
    changes={"header": with_members(alg="none")},
    tokens={"header": without_signature},
)
# RFC 8725 2.1: if the token chooses the algorithm, the public key becomes a secret.
FAULTS["id_token.alg_not_allowed/public_key_as_secret"] = Fault(
    code="id_token.alg_not_allowed",
    changes={"discovery": announces_hs256, "header": with_members(alg="HS256")},
    signing_key=SigningKey.public_key_as_secret,
)
FAULTS["transport.timeout"] = Fault(code="transport.timeout", slow="token")
FAULTS["transport.connection"] = Fault(code="transport.connection", hangs_up="token")

# --- unusual, but permitted

FAULTS.update(TOLERATED)

# Short names for the most common faults.
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

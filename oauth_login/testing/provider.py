"""FakeProvider: a real OpenID provider, for tests alone.

It checks what a provider checks (client authentication, PKCE, redirect URI, one use of
a code) and signs with real keys. It asks nobody for a password: whoever can reach it
can be anybody.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from oauth_login.testing.faults import Answer, Fault, find_fault
from oauth_login.testing.keys import SigningKey

PEOPLE: dict[str, dict[str, Any]] = {
    name: {
        "sub": f"{name}-0001",
        "preferred_username": name,
        "given_name": name.capitalize(),
        "family_name": "Example",
        "name": f"{name.capitalize()} Example",
        "email": f"{name}@example.test",
        "email_verified": name != "dave",
        "groups": groups,
    }
    for name, groups in {
        "alice": ["admins", "staff"],
        "bob": ["staff", "editors"],
        "carol": [],
        "dave": [],
    }.items()
}
DOCUMENTS = {
    "/.well-known/openid-configuration": "discovery",
    "/jwks": "jwks",
    "/token": "token",
    "/userinfo": "userinfo",
    "/authorize": "authorize",
    "/logout": "logout",
}


@dataclass(slots=True)
class _Grant:
    """What a code stands for."""

    person: dict[str, Any]
    query: Mapping[str, str]
    code: str = field(default_factory=lambda: secrets.token_urlsafe(32))


class SlowAnswer(Exception):  # noqa: N818 - no error: a door makes of it what it can
    """The provider would take longer to answer than anybody waits."""


class FakeProvider:
    """One provider with one client.

    `alg` signs the ID tokens. `claims_at_userinfo` keeps all but the subject out of
    them. With `openid=False` it speaks plain OAuth 2.0. `requests` counts what was
    asked, by document ("discovery", "jwks", "token", "userinfo").
    """

    def __init__(
        self,
        issuer: str = "https://id.example.com",
        *,
        client_id: str = "site",
        client_secret: str = "a-secret-of-the-suite-with-32-bytes!",  # noqa: S107
        alg: str = "RS256",
        claims_at_userinfo: bool = False,
        openid: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.client_secret = client_secret
        self.people = {name: dict(claims) for name, claims in PEOPLE.items()}
        self.requests: Counter[str] = Counter()
        self.key = SigningKey(alg, "key-1")
        self.openid = openid
        self.now = now
        self._claims_at_userinfo = claims_at_userinfo
        self._faults: list[Fault] = []
        self._grants: dict[str, _Grant] = {}
        self._tokens: dict[str, dict[str, Any]] = {}

    @contextmanager
    def fault(self, name: str) -> Iterator[Fault]:
        """Misbehave in that way for a while. See faults.py for the names."""
        fault = find_fault(name)
        key = self.key
        self._faults.append(fault)
        if fault.rotates_key:
            self.key = SigningKey(key.alg, f"{key.kid}-rotated")
        try:
            yield fault
        finally:
            self._faults.remove(fault)
            self.key = key

    def authorize(self, url: str, person: str = "alice") -> str:
        """What the browser is sent back to when that person logs in at `url`."""
        self.requests["authorize"] += 1
        query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        grant = _Grant(self.people[person], query)
        self._check_request(query)
        self._grants[grant.code] = grant
        response = self._changed(
            "callback",
            {"code": grant.code, "state": query["state"], "iss": self.issuer},
        )
        return f"{query['redirect_uri']}?{urlencode(response)}"

    def handle(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """The answer to one request of the site's server."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self.issuer).path.rstrip("/"))
        document = DOCUMENTS.get(path, "")
        self.requests[document] += 1
        for fault in self._faults:
            if fault.slow == document:
                raise SlowAnswer
            if fault.answers and document in fault.answers:
                return fault.answers[document]
        names = {name.lower(): value for name, value in headers.items()}
        match (method, document):
            case ("GET", "discovery"):
                return _json(self._changed("discovery", self._metadata()))
            case ("GET", "jwks"):
                return _json(self._changed("jwks", {"keys": [self.key.jwk()]}))
            case ("POST", "token"):
                return self._token(names, body)
            case ("GET", "userinfo"):
                return self._userinfo(names)
        return Answer(status=404, body=b'{"error": "not_found"}')

    def _metadata(self) -> dict[str, Any]:
        base = self.issuer.rstrip("/")
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/jwks",
            "userinfo_endpoint": f"{base}/userinfo",
            "end_session_endpoint": f"{base}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.key.alg],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            "authorization_response_iss_parameter_supported": True,
        }

    def _check_request(self, query: Mapping[str, str]) -> None:
        expected = {
            "response_type": "code",
            "client_id": self.client_id,
            "code_challenge_method": "S256",
        }
        for name, value in expected.items():
            if query.get(name) != value:
                raise ValueError(f"{name} must be {value!r}, not {query.get(name)!r}")
        needed = {"state", "code_challenge", "redirect_uri"}
        if missing := (needed | ({"nonce"} if self.openid else set())) - query.keys():
            raise ValueError(f"the request has no {', '.join(sorted(missing))}")

    def _token(self, headers: Mapping[str, str], body: bytes) -> Answer:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if not self._is_our_client(headers, form):
            return _json({"error": "invalid_client"}, status=401)
        grant = self._grants.pop(form.get("code", ""), None)  # single use
        if grant is None or not _is_for(grant, form):
            return _json({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(32)
        self._tokens[access_token] = grant.person
        response: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if self.openid:
            response["id_token"] = self._id_token(grant, access_token)
        return _json(self._changed("token", response))

    def _is_our_client(
        self, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> bool:
        given: tuple[str, str]
        if "authorization" in headers:
            if "client_secret" in form:
                return False  # RFC 6749 2.3: one method
            scheme, _, credentials = headers["authorization"].partition(" ")
            user, _, password = base64.b64decode(credentials).decode().partition(":")
            given = (unquote_plus(user), unquote_plus(password))
            if scheme != "Basic":
                return False
        else:
            given = (form.get("client_id", ""), form.get("client_secret", ""))
        return given == (self.client_id, self.client_secret)

    def _id_token(self, grant: _Grant, access_token: str) -> str:
        now = int(self.now())
        digest = hashlib.new(_hash_of(self.key.alg), access_token.encode()).digest()
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": grant.person["sub"],
            "iat": now,
            "exp": now + 600,
            "nonce": grant.query["nonce"],
            "at_hash": _base64url(digest[: len(digest) // 2]),
        }
        if not self._keeps_claims_back():
            claims = {**grant.person, **claims}
        header = {"alg": self.key.alg, "typ": "JWT", "kid": self.key.kid}
        token = self.key.sign(
            self._changed("header", header), self._changed("claims", claims)
        )
        if any(fault.flips_signature for fault in self._faults):
            signed, _, signature = token.rpartition(".")
            # The first letter: every bit of it counts, unlike those of the last.
            token = f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
        return token

    def _userinfo(self, headers: Mapping[str, str]) -> Answer:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            return Answer(status=401, headers={"WWW-Authenticate": "Bearer"})
        return _json(self._changed("userinfo", dict(self._tokens[token])))

    def _keeps_claims_back(self) -> bool:
        return self._claims_at_userinfo or any(
            fault.claims_at_userinfo for fault in self._faults
        )

    def _changed(self, place: str, document: dict[str, Any]) -> dict[str, Any]:
        for fault in self._faults:
            document = getattr(fault, place)(document)
        return document


def _is_for(grant: _Grant, form: Mapping[str, str]) -> bool:
    """RFC 6749 4.1.3 and RFC 7636 4.6."""
    challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return (
        form.get("grant_type") == "authorization_code"
        and form.get("redirect_uri") == grant.query["redirect_uri"]
        and _base64url(challenge) == grant.query["code_challenge"]
    )


def _json(document: Mapping[str, Any], *, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hash_of(alg: str) -> str:
    return "sha512" if alg == "EdDSA" else f"sha{alg[-3:]}"

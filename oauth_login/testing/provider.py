"""FakeProvider: a real OpenID provider, for tests alone.

It checks what a provider checks (client authentication, PKCE, redirect URI, one use of
a code) and signs with real keys. It asks nobody for a password: whoever can reach it
can be anybody. It does no I/O; a door (doors.py) brings it requests.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from oauth_login.testing import picker
from oauth_login.testing.addresses import LoggedRequest, document_at, usual_addresses
from oauth_login.testing.answer import Answer, json_answer, redirect
from oauth_login.testing.documents import (
    id_token_claims,
    metadata,
    user_document,
    userinfo_claims,
)
from oauth_login.testing.faults import Fault, Place, find_fault
from oauth_login.testing.grants import (
    Grant,
    Params,
    RequestRefused,
    check_authorization_request,
    check_client,
    check_code,
    unique,
)
from oauth_login.testing.in_force import FaultsInForce
from oauth_login.testing.keys import SigningKey
from oauth_login.testing.people import PEOPLE

ClaimsIn = Literal["id_token", "userinfo", "both"]


class FakeProvider:
    """One provider with one client. Change its attributes as a test goes along.

    - `people` are the persons and their claims; `person` is the one at the browser,
      where nobody says who. With `asks_who` a page asks.
    - `alg` signs; an HS algorithm does so with the client's secret.
    - `claims_in` says where claims are, apart from the subject: "id_token",
      "userinfo" or "both". With `signs_userinfo` userinfo is a JWT.
    - `openid=False`: plain OAuth 2.0, whose user document has the subject in
      `subject_field`.
    - A client without a secret is a public one. `auth_methods` are the ways to
      authenticate that are announced and accepted.
    - `endpoints` are addresses other than the usual ones, by metadata's names.
    - `faults` are there from the start; see `fault`.

    `requests` counts what was asked, by document ("discovery", "jwks", "token",
    "userinfo", "authorize", "logout"); `request_log` has the last thousand requests.
    """

    def __init__(
        self,
        issuer: str = "https://id.example.com",
        *,
        client_id: str = "site",
        client_secret: str = "a-secret-of-the-suite-with-32-bytes!",  # noqa: S107
        alg: str = "RS256",
        claims_in: ClaimsIn = "both",
        signs_userinfo: bool = False,
        openid: bool = True,
        subject_field: str = "sub",
        auth_methods: Sequence[str] = ("client_secret_basic", "client_secret_post"),
        endpoints: Mapping[str, str] | None = None,
        person: str = "alice",
        asks_who: bool = False,
        faults: Sequence[str] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.client_secret = client_secret
        self.key = SigningKey(alg, "key-1", secret=client_secret)
        self.claims_in = claims_in
        self.signs_userinfo = signs_userinfo
        self.openid = openid
        self.subject_field = subject_field
        self.auth_methods = tuple(auth_methods) if client_secret else ("none",)
        self.people = {name: dict(claims) for name, claims in PEOPLE.items()}
        self.person = person
        self.asks_who = asks_who
        self.now = now
        self.requests: Counter[str] = Counter()
        self.request_log: deque[LoggedRequest] = deque(maxlen=1000)
        self._endpoints = dict(endpoints or {})
        self._faults = FaultsInForce()
        self._grants: dict[str, Grant] = {}
        self._tokens: dict[str, Grant] = {}
        self._lock = threading.RLock()  # a socket has a thread for each connection
        for name in faults:
            self._begin(find_fault(name))

    @property
    def endpoints(self) -> dict[str, str]:
        """Where what is, by metadata's names; `discovery_url` among them."""
        return {**usual_addresses(self.issuer), **self._endpoints}

    @contextmanager
    def fault(self, name: str) -> Iterator[Fault]:
        """Misbehave in that way for a while; faults.py has the names."""
        fault, key = find_fault(name), self.key
        self._begin(fault)
        try:
            yield fault
        finally:
            self._faults.remove(fault)
            self.key = key

    def authorize(
        self,
        url: str,
        person: str | None = None,
        *,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """What the browser is sent back to when that person logs in at `url`.

        `claims` are other ones for this login alone. ValueError says what is wrong
        with the request, if the site sent one that a provider would refuse.
        """
        params = parse_qsl(urlsplit(url).query, keep_blank_values=True)
        with self._lock:
            self._note("authorize", "GET", url)
            chosen = {**self.people[person or self.person], **(claims or {})}
            return self._granted(unique(params), chosen).headers["Location"]

    def handle(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """The answer (status, headers, body) to one request, from whomever it comes.

        Raises SlowAnswer or NoAnswer where the fault is that there is none.
        """
        document = document_at(url, self.endpoints)
        names = {name.lower(): value for name, value in (headers or {}).items()}
        with self._lock:
            self._note(document, method, url, headers=names, body=body)
            answer = self._faults.answer_to(document)
            return answer or self._answer(method, document, url, names, body)

    def _answer(
        self,
        method: str,
        document: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        form = body.decode("latin-1") if method == "POST" else urlsplit(url).query
        params = parse_qsl(form, keep_blank_values=True)
        match (method, document):
            case ("GET", "discovery") if self.openid:
                return self._json("discovery", metadata(self))
            case ("GET", "jwks"):
                keys = [] if self.key.is_secret else [self.key.jwk()]
                return self._json("jwks", {"keys": keys})
            case ("POST", "token"):
                return self._token(headers, params)
            case ("GET" | "POST", "userinfo"):
                return self._userinfo(headers)
            case ("GET" | "POST", "authorize"):
                return self._authorize(params)
            case ("GET" | "POST", "logout"):
                return self._log_out(params)
        return json_answer({"error": "not_found"}, status=404)

    def _authorize(self, params: Params) -> Answer:
        """OpenID Connect Core 3.1.2; errors as in RFC 6749 4.1.2.1."""
        request: dict[str, str] = {}
        try:
            request = unique(params)
            self._check_request(request)
            if picker.REFUSAL in request:
                raise RequestRefused(
                    "access_denied",
                    "the person said no",
                    redirect_uri=request["redirect_uri"],
                )
            person = request.get(picker.PERSON) or request.get("login_hint")
            if person in self.people:
                return self._granted(request, self.people[person])
            if self.asks_who:
                return picker.people_page(self.people, request)
            return self._granted(request, self.people[self.person])
        except RequestRefused as refused:
            if refused.redirect_uri is None:
                return picker.refusal_page(refused.description)
            response = _error(refused) | {"iss": self.issuer} | _state(request)
            return redirect(refused.redirect_uri, response)

    def _granted(self, request: Mapping[str, str], claims: Mapping[str, Any]) -> Answer:
        self._check_request(request)
        grant = Grant(claims=claims, request=request, issued_at=self.now())
        self._grants[grant.code] = grant
        response = {"code": grant.code, "iss": self.issuer} | _state(request)
        changed = self._faults.changed("callback", response)
        return redirect(request["redirect_uri"], changed)

    def _check_request(self, request: Mapping[str, str]) -> None:
        check_authorization_request(
            request, client_id=self.client_id, openid=self.openid
        )

    def _log_out(self, params: Params) -> Answer:
        """OpenID Connect RP-Initiated Logout 1.0, 2 and 3."""
        request = dict(params)
        target = request.get("post_logout_redirect_uri")
        if target is None:
            return picker.signed_out_page()
        if request.get("client_id") != self.client_id:
            return picker.refusal_page("client_id is not the one known here")
        return redirect(target, _state(request))

    def _token(self, headers: Mapping[str, str], params: Params) -> Answer:
        """RFC 6749 4.1.3 and 5."""
        try:
            grant = self._redeemed(headers, unique(params))
        except RequestRefused as refused:
            if refused.error != "invalid_client":
                return json_answer(_error(refused), status=400)
            challenge = {"WWW-Authenticate": 'Basic realm="tests"'}
            return json_answer(_error(refused), status=401, headers=challenge)
        response: dict[str, Any] = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if self.openid:
            hidden = self.claims_in == "userinfo" or self._faults.hide_claims
            claims = id_token_claims(self, grant, without_claims=hidden)
            claims = self._faults.changed("claims", claims)
            response["id_token"] = self._signed("header", claims)
        return self._json("token", response)

    def _redeemed(self, headers: Mapping[str, str], form: Mapping[str, str]) -> Grant:
        check_client(
            headers,
            form,
            client_id=self.client_id,
            client_secret=self.client_secret,
            methods=self.auth_methods,
        )
        if form.get("grant_type") != "authorization_code":
            raise RequestRefused("unsupported_grant_type", "only codes are known here")
        grant = self._grants.get(form.get("code", ""))
        if grant is None:
            raise RequestRefused("invalid_grant", "the code is unknown")
        if grant.access_token is not None:
            # RFC 6749 4.1.2: one of the two who have the code has stolen it.
            self._tokens.pop(grant.access_token, None)
            raise RequestRefused("invalid_grant", "the code was used before")
        grant.access_token = secrets.token_urlsafe(32)  # used, whatever comes next
        check_code(grant, form)
        self._tokens[grant.access_token] = grant
        return grant

    def _userinfo(self, headers: Mapping[str, str]) -> Answer:
        """OpenID Connect Core 5.3, RFC 6750 2.1 and 3.1."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        grant = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if grant is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return json_answer(
                {"error": "invalid_token"}, status=401, headers=challenge
            )
        if not self.openid:
            return self._json("userinfo", user_document(self, grant))
        claims = userinfo_claims(self, grant)
        if not (self.signs_userinfo or self._faults.sign_userinfo):
            return self._json("userinfo", claims)
        # 5.3.2: a signed response says who made it, and for whom.
        claims = {**claims, "iss": self.issuer, "aud": self.client_id}
        claims = self._faults.changed("userinfo", claims)
        body = self._signed("userinfo_header", claims).encode()
        return Answer(200, {"Content-Type": "application/jwt"}, body)

    def _json(self, place: Place, document: dict[str, Any]) -> Answer:
        return json_answer(self._faults.changed(place, document))

    def _signed(self, place: Place, claims: Mapping[str, Any]) -> str:
        header = {"alg": self.key.alg, "typ": "JWT", "kid": self.key.kid}
        token = self.key.sign(self._faults.changed(place, header), claims)
        return self._faults.signature_of(place, token)

    def _begin(self, fault: Fault) -> None:
        self._faults.add(fault)
        if fault.rotates_key:
            kid = f"{self.key.kid}-rotated"
            self.key = SigningKey(self.key.alg, kid, secret=self.client_secret)

    def _note(self, document: str, method: str, url: str, **parts: Any) -> None:
        self.requests[document] += 1
        self.request_log.append(
            LoggedRequest(document=document, method=method, url=url, **parts)
        )


def _error(refused: RequestRefused) -> dict[str, Any]:
    return {"error": refused.error, "error_description": refused.description}


def _state(request: Mapping[str, str]) -> dict[str, Any]:
    return {"state": request["state"]} if "state" in request else {}
